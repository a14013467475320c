"""An LSTM cell: the energy of its next state by weights, bias, input and state, and its gradient written by hand."""

import numpy as np

_random = np.random.default_rng(4)


def _sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def _gates(weights, bias, x, hidden, cell):
    z = weights @ np.concatenate([x, hidden]) + bias
    size = len(cell)
    entering, kept, shown = _sigmoid(z[:size]), _sigmoid(z[size : 2 * size]), _sigmoid(z[2 * size : 3 * size])
    return entering, kept, shown, np.tanh(z[3 * size :])


def lstm_energy(weights, bias, x, hidden, cell):
    entering, kept, shown, news = _gates(weights, bias, x, hidden, cell)
    next_cell = kept * cell + entering * news
    next_hidden = shown * np.tanh(next_cell)
    return 0.5 * np.sum(next_hidden**2) + 0.5 * np.sum(next_cell**2)


def lstm_energy_grad(weights, bias, x, hidden, cell):
    entering, kept, shown, news = _gates(weights, bias, x, hidden, cell)
    next_cell = kept * cell + entering * news
    squashed = np.tanh(next_cell)
    hidden_bar = shown * squashed
    cell_bar = next_cell + hidden_bar * shown * (1.0 - squashed**2)
    z_bar = np.concatenate(
        [
            cell_bar * news * entering * (1.0 - entering),
            cell_bar * cell * kept * (1.0 - kept),
            hidden_bar * squashed * shown * (1.0 - shown),
            cell_bar * entering * (1.0 - news**2),
        ]
    )
    both_bar = weights.T @ z_bar
    return {
        "weights": np.outer(z_bar, np.concatenate([x, hidden])),
        "bias": z_bar,
        "x": both_bar[: len(x)],
        "hidden": both_bar[len(x) :],
        "cell": cell_bar * kept,
    }


lstm_energy_at = {
    "weights": _random.normal(size=(12, 5)),
    "bias": _random.normal(size=12),
    "x": _random.normal(size=2),
    "hidden": _random.normal(size=3),
    "cell": _random.normal(size=3),
}
