"""Networks: ADBench's recurrent one, and a perceptron of up to a million parameters."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from adcli_benchmarks.problem import Array, Point, Problem
from adcli_benchmarks.problems.data import kept, signed

CLASSES = 10


def sigmoid(x: Array) -> Any:
    """1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + np.exp(-x))


@cache
def text(width: int) -> tuple[Array, Array]:
    """A sequence of characters of `width` bits, one a row, and the state before: two rows for each layer."""
    generator = np.random.default_rng(width)
    layers, length = (1, 3) if width == 1 else (2, 11)
    sequence = generator.integers(0, 2, (length, width)).astype(float)
    sequence[-1] = 1.0
    return kept(sequence), kept(0.5 * generator.normal(size=(2 * layers, width)))


def lstm(weights: Array, extra: Array) -> Any:
    """The mean loss of a long short-term memory that foretells each character from those before.

    Arguments:
        weights: for each layer a row of weights and a row of biases, each of the forget, input and output gates and
            of the change; the weight matrices are diagonal.
        extra: a row of input weights, of output weights, of output biases.
    """
    sequence, state = text(extra.shape[1])
    rows, width, total = list(state), extra.shape[1], 0.0
    for now, after in pairwise(sequence):
        x = now * extra[0]
        for i in range(0, len(rows), 2):
            hidden, cell = rows[i], rows[i + 1]
            gates = np.concatenate([x, hidden, x, hidden]) * weights[i] + weights[i + 1]
            change = np.tanh(gates[3 * width :])
            cell = cell * sigmoid(gates[:width]) + sigmoid(gates[width : 2 * width]) * change
            x = sigmoid(gates[2 * width : 3 * width]) * np.tanh(cell)
            rows[i], rows[i + 1] = x, cell
        foretold = x * extra[1] + extra[2]
        total = total + np.sum(after * (foretold - np.log(2.0 + np.sum(np.exp(foretold)))))
    return -total / sequence[1:].size


def lstm_gradient(weights: Array, extra: Array) -> dict[str, Any]:
    """Backpropagation through time, written out."""
    sequence, state = text(extra.shape[1])
    width, rows, tape = extra.shape[1], list(state), []
    for now in sequence[:-1]:
        x, steps = now * extra[0], []
        for i in range(0, len(rows), 2):
            step = _step(x, rows[i], rows[i + 1], weights[i], weights[i + 1])
            x = step["shown"] * step["emit"]
            rows[i], rows[i + 1] = x, step["cell"]
            steps.append(step)
        tape.append((steps, x))
    weights_bar, extra_bar = np.zeros_like(weights), np.zeros_like(extra)
    rows_bar = [np.zeros(width) for _ in rows]
    for t in range(len(tape) - 1, -1, -1):
        steps, x = tape[t]
        foretold_bar = _of_loss(x * extra[1] + extra[2], sequence[t + 1]) / -sequence[1:].size
        extra_bar[1] += foretold_bar * x
        extra_bar[2] += foretold_bar
        x_bar = foretold_bar * extra[1]
        for layer in range(len(steps) - 1, -1, -1):
            i = 2 * layer
            x_bar, rows_bar[i], rows_bar[i + 1], bars = _step_back(
                steps[layer], x_bar + rows_bar[i], rows_bar[i + 1], weights[i]
            )
            weights_bar[i : i + 2] += bars
        extra_bar[0] += x_bar * sequence[t]
    return {"weights": weights_bar, "extra": extra_bar}


def _of_loss(foretold: Array, after: Array) -> Any:
    powers = np.exp(foretold)
    return after - np.sum(after) * powers / (2.0 + np.sum(powers))


def _step(x: Array, hidden: Array, cell: Array, weight: Array, bias: Array) -> dict[str, Any]:
    inputs = np.concatenate([x, hidden, x, hidden])
    gates = np.split(inputs * weight + bias, 4)
    forget, admit, emit = sigmoid(gates[0]), sigmoid(gates[1]), sigmoid(gates[2])
    change = np.tanh(gates[3])
    after = cell * forget + admit * change
    return {"inputs": inputs, "before": cell, "forget": forget, "admit": admit, "emit": emit, "change": change,
            "cell": after, "shown": np.tanh(after)}  # fmt: skip


def _step_back(step: dict[str, Any], x_bar: Array, cell_bar: Array, weight: Array) -> tuple[Any, Any, Any, Any]:
    """Adjoints of the step's input, hidden state and cell, and of its weights and biases."""
    cell_bar = cell_bar + x_bar * step["emit"] * (1.0 - step["shown"] ** 2)
    gates_bar = np.concatenate(
        [
            cell_bar * step["before"] * step["forget"] * (1.0 - step["forget"]),
            cell_bar * step["change"] * step["admit"] * (1.0 - step["admit"]),
            x_bar * step["shown"] * step["emit"] * (1.0 - step["emit"]),
            cell_bar * step["admit"] * (1.0 - step["change"] ** 2),
        ]
    )
    first, second, third, fourth = np.split(gates_bar * weight, 4)
    return first + third, second + fourth, cell_bar * step["forget"], np.stack([gates_bar * step["inputs"], gates_bar])


def _memory(size: int, seed: int) -> Point:
    generator, rows = np.random.default_rng(seed), len(text(size)[1])
    return {
        "weights": signed(generator, 0.2, 1.0, (rows, 4 * size)),
        "extra": signed(generator, 0.2, 1.0, (3, size)),
    }


@cache
def pictures(width: int) -> tuple[Array, Array]:
    """A batch of inputs of `width` entries, one a row, and for each a row with a 1 at its class."""
    generator, batch = np.random.default_rng(width), min(64, 2 * width)
    classes = min(CLASSES, 2 * width)
    return kept(generator.normal(size=(batch, width))), kept(np.eye(classes)[np.arange(batch) % classes])


def perceptron(W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array) -> Any:
    """The mean cross-entropy of a network with two hidden layers of tanh units over a batch."""
    inputs, labels = pictures(len(W1))
    first = np.tanh(inputs @ W1 + b1)
    second = np.tanh(first @ W2 + b2)
    scores = second @ W3 + b3
    top = np.max(scores, axis=1, keepdims=True)
    totals = top + np.log(np.sum(np.exp(scores - top), axis=1, keepdims=True))
    return np.sum(labels * (totals - scores)) / len(labels)


def perceptron_gradient(W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array) -> dict[str, Any]:
    """Backpropagation, written out."""
    inputs, labels = pictures(len(W1))
    first = np.tanh(inputs @ W1 + b1)
    second = np.tanh(first @ W2 + b2)
    powers = np.exp(second @ W3 + b3)
    scores_bar = (powers / np.sum(powers, axis=1, keepdims=True) - labels) / len(labels)
    second_bar = (scores_bar @ W3.T) * (1.0 - second**2)
    first_bar = (second_bar @ W2.T) * (1.0 - first**2)
    return {
        "W1": inputs.T @ first_bar, "b1": np.sum(first_bar, axis=0),
        "W2": first.T @ second_bar, "b2": np.sum(second_bar, axis=0),
        "W3": second.T @ scores_bar, "b3": np.sum(scores_bar, axis=0),
    }  # fmt: skip


def _layers(size: int, seed: int) -> Point:
    generator, classes = np.random.default_rng(seed), pictures(size)[1].shape[1]
    shapes = {"W1": (size, size), "b1": (size,), "W2": (size, size), "b2": (size,), "W3": (size, classes),
              "b3": (classes,)}  # fmt: skip
    return {name: signed(generator, 0.3, 1.5, shape) / np.sqrt(size) for name, shape in shapes.items()}


PROBLEMS = [
    Problem(
        "lstm", "mean loss of a long short-term memory with diagonal weights over 10 characters", lstm, lstm_gradient,
        (1, 10, 100, 1024), _memory, source="ADBench's LSTM; its least size has one layer and 2 characters",
        stresses="a sequential loop over short vectors, states that are carried on",
    ),
    Problem(
        "perceptron", "mean cross-entropy of a tanh network of size n-n-n-10 over a batch of 64", perceptron,
        perceptron_gradient, (1, 8, 64, 256, 699), _layers,
        source="textbook classifier; size 699 has 985,600 parameters, as many as a small picture classifier",
        stresses="large matrix products, a million parameters in arrays of several shapes",
    ),
]  # fmt: skip
