"""Bundle adjustment: where a camera sees a point, less where it was seen, and the Jacobian by camera and point."""

import numpy as np

SEEN = np.array([0.31, -0.22])


def _cross(v):
    return np.array([[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]])


def _rotation(r):
    """The rotation matrix of a rotation vector (Rodrigues)."""
    angle, K = np.sqrt(np.sum(r**2)), _cross(r)
    return np.eye(3) + np.sin(angle) / angle * K + (1.0 - np.cos(angle)) / angle**2 * (K @ K)


def reprojection(camera, place, seen=SEEN):
    """camera: rotation vector (3), translation (3), focal length, two coefficients of radial distortion."""
    P = _rotation(camera[:3]) @ place + camera[3:6]
    p = -P[:2] / P[2]
    square = p @ p
    return camera[6] * (1.0 + camera[7] * square + camera[8] * square**2) * p - seen


def reprojection_jac(camera, place, seen=SEEN):
    r, focal, k1, k2 = camera[:3], camera[6], camera[7], camera[8]
    R = _rotation(r)
    P = R @ place + camera[3:6]
    p = -P[:2] / P[2]
    square = p @ p
    distortion = 1.0 + k1 * square + k2 * square**2
    by_p = focal * (distortion * np.eye(2) + (2.0 * k1 + 4.0 * k2 * square) * np.outer(p, p))
    by_P = by_p @ np.array([[-1.0, 0.0, -p[0]], [0.0, -1.0, -p[1]]]) / P[2]
    angle, K = np.sqrt(np.sum(r**2)), _cross(r)
    turning = np.eye(3) - (1.0 - np.cos(angle)) / angle**2 * K + (angle - np.sin(angle)) / angle**3 * (K @ K)
    by_r = by_P @ -R @ _cross(place) @ turning
    by_lens = np.column_stack([distortion * p, focal * square * p, focal * square**2 * p])
    return {"camera": np.hstack([by_r, by_P, by_lens]), "place": by_P @ R}


reprojection_at = {
    "camera": np.array([0.2, -0.4, 0.3, 0.1, -0.2, -3.0, 1.2, 0.3, -0.2]),
    "place": np.array([0.6, -0.5, 0.4]),
}
