"""A small torch network whose autograd `adcli check examples/net.py:Network.forward --torch` checks."""

import torch


class Network(torch.nn.Module):
    def __init__(self, features=3, width=5):
        super().__init__()
        self.hidden = torch.nn.Linear(features, width)
        self.normal = torch.nn.BatchNorm1d(width)
        self.last = torch.nn.Linear(width, 2)

    def forward(self, x):
        return self.last(torch.tanh(self.normal(self.hidden(x))))


class ClippedSquare(torch.autograd.Function):
    """The square below 1, and 1 above; its backward forgets the clipping."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x).clamp(max=1.0)

    @staticmethod
    def backward(ctx, cotangent):
        (x,) = ctx.saved_tensors
        return 2.0 * x * cotangent
