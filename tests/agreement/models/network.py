"""A network with two inputs, three tanh units and one output, and its mean squared error at one sample."""

import numpy as np

SAMPLE = np.array([[1.0, 2.0]])
TARGET = np.array([[0.5]])


def loss(W1, b1, W2, b2):
    hidden = np.tanh(SAMPLE @ W1.T + b1)
    output = hidden @ W2.T + b2
    return ((output - TARGET) ** 2).mean()


def loss_of(parameters):
    return loss(
        parameters["layer1.weight"],
        parameters["layer1.bias"],
        parameters["layer2.weight"],
        parameters["layer2.bias"],
    )
