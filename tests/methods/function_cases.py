"""Uses of NumPy's functions, each with the points that it is traced at."""

from __future__ import annotations

import numpy as np
import scipy.linalg

RNG = np.random.default_rng(5)
V, W, U = RNG.uniform(0.5, 2.0, (3, 5))
M, N = RNG.uniform(0.5, 2.0, (2, 3, 4))
SQUARE = RNG.uniform(-1.0, 1.0, (3, 3)) + 3 * np.eye(3)
SPD = SQUARE @ SQUARE.T
T = RNG.uniform(0.5, 2.0, (2, 3, 4))
SIGNED = np.array([-1.7, -0.4, 0.3, 1.2, 2.6])
GRID = np.array([0.0, 1.0, 1.5, 4.0])
X, Y = 0.7, 1.3

SIGNED_CASES = {
    "mod of negative numbers": lambda x: np.mod(x, 0.7),
    "fmod of negative numbers": lambda x: np.fmod(x, 0.7),
    "floor_divide of negative numbers": lambda x: x // 0.7 + x % 0.7,
    "divmod": lambda x: np.divmod(x, 0.7),
    "modf": np.modf,
    "abs": lambda x: abs(x),
    "clip": lambda x: np.clip(x, -0.9, 1.1),
    "clip by arrays": lambda x: np.clip(x, None, U),
    "round": lambda x: np.round(x, 1) + x.round(),
    "round to tens": lambda x: np.round(10 * x, -1) * x,
    "where": lambda x: np.where(x > 0, np.exp(x), x**2),
    "select": lambda x: np.select([x > 1, x > 0], [x**2, 3 * x], -x),
    "piecewise": lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda t: -t, np.exp]),
    "maximum of a number": lambda x: np.maximum(0, x),
    "isclose as a weight": lambda x: np.where(np.isclose(x, 0.3), x, 2 * x),
    "ldexp": lambda x: np.ldexp(x, 3),
    "comparisons": lambda x: ((x > 0) & (x < 2)) * x + ~(x != 1) * x,
}

REDUCING = {
    "sum of a number": (lambda x: np.sum(x) + np.max(x) + np.mean(x), X),
    "sum with initial and where": (lambda x: np.sum(x, initial=2.0, where=T > 1), T),
    "max with initial and where": (lambda x: np.max(x, axis=0, initial=0.6, where=T > 1), T),
    "mean with where": (lambda x: np.mean(x, axis=1, where=T > 0.8), T),
    "var with ddof": (lambda x: np.var(x, axis=1, ddof=1) + x.std(1, ddof=1), T),
    "prod with zeros": (lambda x: np.prod(x * np.array([1, 0, 1, 1])), N[0]),
    "cumsum": (lambda x: (np.cumsum(x), np.cumsum(x, axis=1), x.cumsum(0)), M),
    "cumprod": (lambda x: (np.cumprod(x), np.cumprod(x, axis=1)), M),
    "average": (lambda x, w: (np.average(x), np.average(x, axis=1, weights=w)), M, N[0]),
    "average with its weights": (lambda x, w: np.average(x, weights=w, returned=True), M, N),
    "counting": (lambda x: np.count_nonzero(x > 1) * x + np.any(x > 1) * x + np.all(x > 0) * x, M),
    "argmax as an index": (lambda x: x[np.argmax(x)] * x[x.argmin()], V),
    "argmax by rows": (lambda x: x[np.arange(3), np.argmax(x, axis=1)], M),
    "methods": (lambda x: x.sum() + x.mean(0) + x.max(axis=0) - x.min(0) + x.prod(0) + x.var(0) + x.std(0), M),
    "quantile": (lambda x: (np.quantile(x, 0.3), np.percentile(x, [20, 75], axis=0)), M),
    "sort": (lambda x: (np.sort(x), np.sort(x, axis=0), np.sort(x, axis=None)), M),
    "sorting by a key": (lambda x: x[np.argsort(-x)] * np.arange(5.0), V),
    "norm of a vector": (lambda x: np.linalg.norm(x) + np.linalg.norm(x, 3) + np.linalg.norm(x, 1), V),
    "norm by largest and smallest": (lambda x: np.linalg.norm(x, np.inf) * np.linalg.norm(x, -np.inf), V),
    "norm of a matrix": (lambda x: np.linalg.norm(x) + np.linalg.norm(x, "fro") + np.linalg.norm(x, 1), M),
    "norm of rows": (lambda x: np.linalg.norm(x, axis=1) + np.linalg.norm(x, np.inf, 1, keepdims=True), M),
    "norm of a stack": (lambda x: np.linalg.norm(x, np.inf, (1, 2)) + np.linalg.norm(x, axis=(0, 2))[:2], T),
    "softmax by hand": (lambda x: np.exp(x - x.max()) / np.sum(np.exp(x - x.max())), V),
    "ufunc reductions": (
        lambda x: np.add.reduce(x, axis=1) * np.multiply.reduce(x, 1) + np.maximum.reduce(x, axis=1),
        M,
    ),
    "ufunc accumulations": (lambda x: (np.add.accumulate(x), np.multiply.accumulate(x), np.maximum.accumulate(x)), V),
    "logaddexp.reduce": (lambda x: np.logaddexp.reduce(x) + np.logaddexp.accumulate(x), V),
    "covariance": (lambda x: (np.cov(x), np.cov(x, rowvar=False, ddof=0), np.corrcoef(x)), M),
    "weighted covariance": (lambda x, w: np.cov(x, aweights=w), M, N[0]),
    "bincount": (lambda x: np.bincount([0, 2, 1, 2, 0], weights=x, minlength=4), V),
}
SHAPING = {
    "reshape": (lambda x: (x.reshape(-1, 2), x.reshape((2, 6)), np.reshape(x, (4, 3)), x.ravel(), x.flatten()), M),
    "transpose": (lambda x: (x.T, np.transpose(x, (2, 0, 1)), x.transpose(1, 0, 2), x.transpose()), T),
    "moves of axes": (lambda x: (np.swapaxes(x, 0, 2), np.moveaxis(x, 0, -1), np.rollaxis(x, 2)), T),
    "axes of length 1": (
        lambda x: (np.expand_dims(x, (0, 2)), np.squeeze(x[None]), x[:, None, :], x[None].squeeze(0)),
        M,
    ),
    "atleast": (lambda x: (np.atleast_1d(x), np.atleast_2d(x), np.atleast_3d(x)), V),
    "atleast of a number": (lambda x: (np.atleast_1d(x), np.atleast_2d(x)), X),
    "broadcast": (lambda x: (np.broadcast_to(x, (3, 5)), *np.broadcast_arrays(x, np.ones((2, 1)))), V),
    "concatenate": (
        lambda x, y: (np.concatenate([x, y]), np.concatenate((x, N), axis=1), np.concatenate([x, y], None)),
        M,
        N,
    ),
    "stack": (lambda x, y: (np.stack([x, y]), np.stack([x, y], axis=-1), np.stack([x, V, y], 1)), V, W),
    "stacks": (lambda x, y: (np.hstack([x, y]), np.vstack([x, y]), np.dstack([x, y]), np.column_stack([x, y])), V, W),
    "stacks of matrices": (lambda x, y: (np.hstack([x, y]), np.vstack([x, y]), np.dstack([x, y])), M, N),
    "block": (lambda x: np.block([[x, np.zeros((3, 1))], [np.ones((1, 4)), 2.0]]), M),
    "append": (lambda x: (np.append(x, 1.0), np.append(x, [[1, 2, 3, 4.0]], axis=0)), M),
    "insert and delete": (lambda x: (np.insert(x, 1, 9.0), np.insert(x, [1, 3], x[:2]), np.delete(x, [0, 2])), V),
    "split": (
        lambda x: (np.split(x, 2, axis=1), np.array_split(x, 2), np.split(x, [1, 3], axis=1), np.vsplit(x, 3)),
        M,
    ),
    "tile and repeat": (
        lambda x: (np.tile(x, 2), np.tile(x, (2, 1, 1)), np.repeat(x, 2), np.repeat(x, [1, 0, 2], axis=0)),
        M,
    ),
    "flips": (lambda x: (np.flip(x), np.flip(x, 1), np.fliplr(x), np.flipud(x), np.rot90(x), np.rot90(x, 3)), M),
    "roll": (lambda x: (np.roll(x, 1), np.roll(x, -1, axis=1), np.roll(x, (1, 2), axis=(0, 1))), M),
    "pad": (lambda x: (np.pad(x, 1), np.pad(x, ((1, 0), (2, 3)), constant_values=2.0)), M),
    "pad by entries": (lambda x: tuple(np.pad(x, 2, mode=m) for m in ("edge", "reflect", "symmetric", "wrap")), V),
    "diagonals": (
        lambda x: (np.diag(x), np.diag(x, 1), np.diagonal(x, -1), np.trace(x), np.trace(x, 1), x.diagonal()),
        M,
    ),
    "diagonal matrices": (lambda x: (np.diag(x), np.diag(x, -2), np.diagflat(x)), V),
    "triangles": (lambda x: (np.tril(x), np.triu(x, 1)), M),
    "meshgrid": (lambda x, y: (*np.meshgrid(x, y), *np.meshgrid(x, y, indexing="ij")), V, W[:3]),
    "take": (lambda x: (np.take(x, [0, 5, 5]), np.take(x, [2, 0], axis=1), x.take(1, axis=0)), M),
    "take_along_axis": (lambda x: np.take_along_axis(x, np.argsort(-x, axis=1), axis=1), M),
    "compress": (lambda x: (np.compress([True, False, True], x, axis=0), np.extract(M > 1, x)), M),
    "slices": (lambda x: (x[1], x[-1, 2], x[:, ::2], x[..., 1], x[None, 1:, ::-1]), M),
    "index arrays": (lambda x: (x[[0, 2]], x[[0, 1], [3, 2]], x[:, [1, 1]], x[np.array([[0], [2]]), [1, 2]], x[[]]), M),
    "masks": (lambda x: (x[x > 1], x[:, [True, False, True, True]], x[x[:, 0] > 0.9]), M),
    "arrays of traced numbers": (lambda x, y: (np.array([x, y, 1]), np.array([[x, 0.0], [1.0, y * x]])), X, Y),
    "arrays of traced rows": (lambda x, y: (np.array([x, y]), np.asarray([x, V]), np.array((x[0], y[1]))), V, W),
    "creation": (lambda x: (np.full(3, x), np.full_like(V, x), np.linspace(0, x, 4), np.linspace(x, 2.0, 3, False)), X),
    "creation along a range": (lambda x: (np.arange(x, 5.0, 1.5), np.logspace(0, x, 3), np.geomspace(1, x, 4)), X),
    "r_ and c_": (lambda x: (np.r_[x, 1.0, x[:2]], np.c_[x, W]), V),
    "sliding windows": (lambda x: np.lib.stride_tricks.sliding_window_view(x, 3), V),
    "apply_along_axis": (lambda x: np.apply_along_axis(lambda row: row * row.sum(), 1, x), M),
    "vectorize": (lambda x: np.vectorize(lambda t: t**2 if t > 1 else 3 * t)(x), V),
    "fromiter": (lambda x: np.fromiter((t * t for t in x), float), V),
    "iteration": (lambda x: sum(row[0] * row[1] for row in x), M),
    "astype and copies": (lambda x: x.astype(float) * np.copy(x) + x.copy() + np.array(x) + np.ascontiguousarray(x), M),
    "lists in calls": (
        lambda x, y: np.sum([x, y]) + np.max([x, y]) + np.dot([x, y], [1, 2]) + np.linalg.norm([x, y]),
        X,
        Y,
    ),
    "lists beside arrays": (lambda x: x * [1, 2, 3, 4, 5] - np.multiply([1, 2, 3, 4, 5], x), V),
    "float64": (lambda x: np.float64(x) * np.zeros(2, dtype=np.float64) + np.float64(x), X),
    "item and tolist": (lambda x: x[:1].item() * x.item(3) + sum(x.tolist()), V),
    "flat": (lambda x: sum(t**2 for t in x.flat), M),
}
PRODUCTS = {
    "matmul": (lambda x, y: (x @ y.T, x @ y[0], y[0] @ x.T, y[0] @ x[0]), M, N),
    "matmul of stacks": (lambda x, y: (x @ y.T, x @ y[0], np.matmul(x[0], y.T)), T, N),
    "matmul with plain": (lambda x: (N.T @ x, x @ N.T, x.T.dot(N[:, 0])), M),
    "dot": (lambda x, y: (np.dot(x, y.T), np.dot(x[0], y[0]), np.dot(x, 2.0), x.dot(y.T)), M, N),
    "dot of stacks": (lambda x, y: np.dot(x, y.T), T, N),
    "vdot inner outer": (lambda x, y: (np.vdot(x, y), np.inner(x, y), np.outer(x, y)), M, N),
    "outer ufuncs": (lambda x, y: (np.multiply.outer(x, y), np.subtract.outer(x, y)), V, W),
    "tensordot": (
        lambda x, y: (np.tensordot(x, y, 2), np.tensordot(x, y, ((1, 2), (0, 1))), np.tensordot(x, y, 0)),
        T,
        N,
    ),
    "kron and cross": (lambda x, y: (np.kron(x, y), np.cross(x.T, y.T), np.cross(x[:, 0], y, axisb=0)), M, N),
    "einsum": (lambda x, y: (np.einsum("ij,kj->ik", x, y), np.einsum("ij,ij", x, y), np.einsum("ij->j", x)), M, N),
    "einsum of batches": (lambda x, y: (np.einsum("...j,kj->...k", x, y), np.einsum("...ij->...ji", x)), T, N),
    "einsum of diagonals": (lambda x: (np.einsum("ii", x), np.einsum("ii->i", x), np.einsum("ij,ji", x, x)), SQUARE),
    "einsum of three": (lambda x, y: np.einsum("ij,kj,k->i", x, y, [1.0, 2, 3], optimize=True), M, N),
    "multi_dot": (lambda x, y: np.linalg.multi_dot([x, y.T, x]), M, N),
    "vecdot": (lambda x, y: np.linalg.vecdot(x, y), M, N),
}
LINALG = {
    "solve": (lambda a, b: (np.linalg.solve(a, b), np.linalg.solve(a, b[:, 0])), SQUARE, M),
    "inv and det": (lambda a: (np.linalg.inv(a), np.linalg.det(a), np.linalg.det(np.stack([a, 2 * a]))), SQUARE),
    "slogdet": (lambda a: (np.linalg.slogdet(a), np.linalg.slogdet(a).logabsdet), SQUARE),
    "cholesky": (lambda a: np.linalg.cholesky((a + a.T) / 2), SPD),
    "matrix_power": (lambda a: tuple(np.linalg.matrix_power(a, n) for n in (0, 1, 2, 5, -2)), SQUARE),
    "SciPy's": (lambda a, b: (scipy.linalg.solve(a, b), scipy.linalg.inv(a), scipy.linalg.det(a)), SQUARE, M),
    "SciPy's cholesky": (
        lambda a: (scipy.linalg.cholesky((a + a.T) / 2), scipy.linalg.cholesky((a + a.T) / 2, lower=True)),
        SPD,
    ),
    "triangular": (lambda a, b: scipy.linalg.solve_triangular(a, b, lower=True), SQUARE, M),
    "cho_solve": (lambda a, b: scipy.linalg.cho_solve(scipy.linalg.cho_factor((a + a.T) / 2), b), SPD, M),
}
CALCULUS = {
    "diff": (lambda x: (np.diff(x), np.diff(x, 2, axis=0), np.diff(x, prepend=0.0), np.ediff1d(x)), M),
    "gradient": (lambda x: (np.gradient(x), np.gradient(x, 0.5, axis=1), np.gradient(x[0], [0.0, 1, 1.5, 3])), M),
    "trapezoid": (lambda x: (np.trapezoid(x), np.trapezoid(x, dx=0.3, axis=0), np.trapezoid(x, GRID)), M),
    "trapezoid over traced places": (lambda y, x: np.trapezoid(y, x), V, W),
    "convolve": (lambda x, y: tuple(np.convolve(x, y, m) for m in ("full", "same", "valid")), V, W[:3]),
    "convolve by a longer one": (lambda x, y: tuple(np.convolve(x, y, m) for m in ("full", "same", "valid")), W[:2], V),
    "correlate": (lambda x, y: tuple(np.correlate(x, y, m) for m in ("full", "same", "valid")), V, W[:3]),
    "correlate by a longer one": (
        lambda x, y: tuple(np.correlate(x, y, m) for m in ("full", "same", "valid")),
        W[:2],
        V,
    ),
    "polyval": (lambda p, x: (np.polyval(p, x), np.polyval([1, 2, 3], x), np.poly1d([1, 2.0])(x)), V, W),
    "vander": (lambda x: (np.vander(x), np.vander(x, 3, increasing=True)), V),
    "interp": (lambda x: np.interp(x, GRID, [1.0, 3.0, 2.0, 5.0]), V),
    "interp of traced heights": (lambda x, y: np.interp(x, GRID, y), V, W[:4]),
    "interp of a number outside": (lambda x: np.interp(x - 3, GRID, GRID) + np.interp(x, GRID, GRID**2), X),
    "searchsorted": (lambda x: np.searchsorted([0.7, 1.0, 1.4], x) * x + np.digitize(x, [0.7, 1.4]) * x, V),
}
