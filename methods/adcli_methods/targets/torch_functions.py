"""Operations on torch tensors that take more than one call; emitted source carries copies of those it uses.

Value and derivatives hold to the last digits under torch's own differentiation, to any order: each is written
so that no difference of nearly equal numbers appears in what torch derives from it.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

ARRAY = "array"


def cbrt(x: Tensor) -> Tensor:
    """The real cube root, its slope infinite at 0."""
    side = torch.where(x < 0, -1, 1)
    return side * (side * x) ** (1 / 3)


def expm1(x: Tensor) -> Tensor:
    """exp(x) - 1."""
    # torch differentiates expm1 as its value plus 1, which cancels far below 0
    return torch.where(x < -1, torch.exp(x.clamp(max=0)) - 1, torch.expm1(x.clamp(min=-1)))


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    # torch differentiates tanh as 1 - tanh**2, which cancels far from 0
    near = torch.tanh(x.clamp(-1, 1))
    decay = torch.exp(-2 * torch.abs(x))
    return torch.where(torch.abs(x) < 1, near, torch.sign(x) * (1 - decay) / (1 + decay))


def arccot(x: Tensor) -> Tensor:
    """The arctangent of 1 / x."""
    near = torch.abs(x) < 1
    quarter = torch.where(x < 0, -1, 1).to(x.dtype) * (math.pi / 2)
    return torch.where(near, quarter - torch.arctan(x), torch.arctan(1 / torch.where(near, 1, x)))


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    # one exponential that never overflows, and no 1 - sigmoid
    decay = torch.exp(torch.where(x < 0, x, -x))
    return torch.where(x < 0, decay, 1) / (1 + decay)


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x))."""
    decay = torch.exp(torch.where(x < 0, x, -x))
    return torch.where(x < 0, 0, x) + torch.log1p(decay)


def where(condition: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """a where the condition is not 0, else b."""
    return torch.where(condition if condition.dtype is torch.bool else condition != 0, a, b)


def sign(x: Tensor) -> Tensor:
    """The sign, NaN for NaN."""
    return torch.where(torch.isnan(x), x, torch.sign(x))


def gamma(x: Tensor) -> Tensor:
    """The gamma function."""
    odd = (x < 0) & (torch.floor(x) % 2 != 0)
    return torch.where(odd, -1, 1) * torch.exp(gammaln(x))


def gammaln(x: Tensor) -> Tensor:
    """The logarithm of the absolute value of the gamma function."""
    rise = x - x.detach()
    return torch.lgamma(x) + 0.5 * rise * rise * trigamma_error(x.detach())


def digamma(x: Tensor) -> Tensor:
    """The logarithmic derivative of the gamma function."""
    return torch.digamma(x) + (x - x.detach()) * trigamma_error(x.detach())


def trigamma_error(x: Tensor) -> Tensor:
    """What torch's polygamma(1, x) lacks."""
    # torch's derivative of digamma is off in the tenth digit; all its higher ones are right
    return torch.special.zeta(torch.full_like(x, 2), x) - torch.polygamma(1, x)


def polygamma(x: Tensor, order: int) -> Tensor:
    """The order-th derivative of digamma (Abramowitz and Stegun 6.4.10)."""
    if order == 0:
        return digamma(x)
    return (-1) ** (order + 1) * math.factorial(order) * torch.special.zeta(torch.full_like(x, order + 1), x)


def bessel_i(x: Tensor, order: float) -> Tensor:
    """The modified Bessel function of order 0 or 1."""
    return torch.special.i1(x) if abs(order) == 1 else torch.special.i0(x)


def sinc(x: Tensor, order: int) -> Tensor:
    """The order-th derivative of sin(pi x) / (pi x): its power series near 0, else by recurrence."""
    z = math.pi * x
    near = torch.abs(z) < 4 + 0.7 * order
    inner = torch.where(near, z, 0)
    first, last = (order + 1) // 2, 24 + order
    square = inner * inner
    series = torch.zeros_like(z)
    for k in range(last, first - 1, -1):
        series = series * square + (-1) ** k / (math.factorial(2 * k - order) * (2 * k + 1))
    if order % 2:
        series = series * inner
    outer = torch.where(near, 1, z)
    sine, cosine = torch.sin(outer), torch.cos(outer)
    value = sine / outer
    for n in range(1, order + 1):
        value = ((sine, cosine, -sine, -cosine)[n % 4] - n * value) / outer
    return math.pi**order * torch.where(near, series, value)


def prod(x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    """The product along axes."""
    for i in axis:
        x = torch.prod(x, dim=i, keepdim=True)
    return x if keepdims or not axis else torch.squeeze(x, axis)


def upward(index: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[tuple[Any, ...], list[int]]:
    """An index without negative steps, for an array with these axes flipped first."""
    used = sum(item is not None and item is not Ellipsis for item in index)
    items, flipped, axis = [], [], 0
    for item in index:
        if isinstance(item, slice) and item.step is not None and item.step < 0:
            start, stop, step = item.indices(shape[axis])
            item = slice(shape[axis] - 1 - start, shape[axis] - 1 - stop, -step)
            flipped.append(axis)
        items.append(item)
        axis += len(shape) - used if item is Ellipsis else item is not None
    return tuple(items), flipped


def fill(index: tuple[Any, ...], arrays: tuple[Tensor, ...]) -> tuple[Any, ...]:
    """The index with its index arrays put in."""
    given = iter(arrays)
    return tuple(next(given).long() if isinstance(item, str) and item == ARRAY else item for item in index)


def getitem(x: Tensor, *arrays: Tensor, index: tuple[Any, ...]) -> Tensor:
    """x[index], negative steps allowed."""
    index, flipped = upward(index, x.shape)
    return (torch.flip(x, flipped) if flipped else x)[fill(index, arrays)]


def scatter_add(x: Tensor, *arrays: Tensor, index: tuple[Any, ...], shape: tuple[int, ...]) -> Tensor:
    """Zeros of a shape with x added up at an index."""
    index, flipped = upward(index, shape)
    total = x.new_zeros(shape)
    if len(arrays) == len(index) > 0:
        total = total.index_put(fill(index, arrays), x, accumulate=True)
    elif arrays:
        places = torch.arange(total.numel(), device=x.device).reshape(shape)[fill(index, arrays)]
        entries = torch.broadcast_to(x, places.shape).reshape(-1)
        total = total.reshape(-1).index_put((places.reshape(-1),), entries, accumulate=True).reshape(shape)
    else:
        total[index] = x
    return torch.flip(total, flipped) if flipped else total


def scatter_sum(*pieces: Tensor, indices: tuple[tuple[Any, ...], ...], shape: tuple[int, ...]) -> Tensor:
    """Zeros of a shape with each piece added up at its index."""
    total = pieces[0].new_zeros(shape)
    for piece, index in zip(pieces, indices, strict=True):
        total = total + scatter_add(piece, index=index, shape=shape)
    return total


def index_update(a: Tensor, b: Tensor, *arrays: Tensor, index: tuple[Any, ...]) -> Tensor:
    """a with b written at an index."""
    index, flipped = upward(index, a.shape)
    updated = torch.flip(a, flipped) if flipped else a.clone()
    updated = updated.to(torch.result_type(a, b))
    updated[fill(index, arrays)] = b.to(updated.dtype)
    return torch.flip(updated, flipped) if flipped else updated


def concatenate(*parts: Tensor, axis: int) -> Tensor:
    """The parts joined along an axis."""
    return torch.cat(parts, dim=axis)


def stack(*rows: Tensor) -> Tensor:
    """The rows along a new first axis."""
    return torch.stack(rows)


def einsum(*operands: Tensor, subscripts: str) -> Tensor:
    """Einstein's summation."""
    return torch.einsum(subscripts, *operands)


def astype(x: Tensor, dtype: str) -> Tensor:
    """x in another type."""
    return x.to(getattr(torch, str(dtype).rpartition(".")[2]))


def solve(a: Tensor, b: Tensor) -> Tensor:
    """The solution of a x = b, b a matrix or a stack of them."""
    # torch takes a right side with one axis less for a stack of vectors
    return torch.linalg.solve(a, b.expand(*a.shape[:-2], *b.shape[-2:]) if b.ndim < a.ndim else b)


def adjugate(a: Tensor) -> Tensor:
    """The transposed cofactors, for singular matrices too."""
    n = a.shape[-1]
    kept = torch.tensor([[j for j in range(n) if j != i] for i in range(n)], device=a.device).long()
    if n > 12:
        u, s, vh = torch.linalg.svd(a)
        others = torch.stack([torch.prod(s[..., other], dim=-1) for other in kept], dim=-1)
        turn = torch.linalg.det(u) * torch.linalg.det(vh)
        return turn[..., None, None] * ((vh.mT * others[..., None, :]) @ u.mT)
    # the transposed cofactors: row and column left out, for every entry at once
    minors = a[..., kept[:, None, :, None], kept[None, :, None, :]]
    place = torch.arange(n, device=a.device)
    signs = (1 - 2 * ((place[:, None] + place[None, :]) % 2)).to(a.dtype)
    return (signs * torch.linalg.det(minors)).mT
