"""The README's example: a small recurrent loss in plain NumPy."""

import numpy as np


def loss(weights, x=np.linspace(0.0, 1.0, 5)):
    state = np.zeros(len(x))
    for i in range(1, len(x)):
        state[i] = np.tanh(weights[0] * state[i - 1] + weights[1] * x[i])
    return np.sum(state**2) if weights[0] > 0 else 0.0
