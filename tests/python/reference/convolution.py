"""Convolution in one, two or three dimensions, one code (26.3.1-26.3.3, 26.3.6)."""

from __future__ import annotations

import numpy as np

from . import activations
from .layer import Layer, Shape, Step, rows

Padding = str | tuple[tuple[int, int], ...]


def paddings(extents: tuple[int, ...], window: tuple[int, ...], strides: tuple[int, ...], padding: Padding):
    """(before, after) of each dimension. "same": ceil(n/s) outputs, the odd position of padding goes behind (Keras)."""
    if padding == "valid":
        return [(0, 0)] * len(extents)
    if padding != "same":
        return [tuple(p) for p in padding]
    sides = []
    for n, k, s in zip(extents, window, strides, strict=True):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        sides.append((total // 2, total - total // 2))
    return sides


def output_extents(extents: tuple[int, ...], window: tuple[int, ...], strides: tuple[int, ...], padding: Padding):
    """t + 1 with t = floor((n + before + after - k) / s) (26.3.3)."""
    sides = paddings(extents, window, strides, padding)
    return tuple((n + sum(p) - k) // s + 1 for n, p, k, s in zip(extents, sides, window, strides, strict=True))


def under_tap(tap: tuple[int, ...], outputs: tuple[int, ...], strides: tuple[int, ...]) -> tuple[slice, ...]:
    """The padded positions o·s + tap that weight `tap` of the filter touches, one for each output position o."""
    spatial = (slice(a, a + (o - 1) * s + 1, s) for a, o, s in zip(tap, outputs, strides, strict=True))
    return (slice(None), *spatial)


def pad(x: np.ndarray, sides: list[tuple[int, int]], value: float) -> np.ndarray:
    return np.pad(x, [(0, 0), *sides, (0, 0)], constant_values=value)


def unpad(x: np.ndarray, sides: list[tuple[int, int]]) -> np.ndarray:
    return x[(slice(None), *(slice(before, e - after) for e, (before, after) in zip(x.shape[1:], sides, strict=False)))]


class Conv(Layer):
    """Z = f(X * W + b). Weights: kernel (k_1, ..., channels, filters), bias (filters,)."""

    def __init__(self, filters, kernel, strides=None, padding="valid", activation="linear", use_bias=True) -> None:
        super().__init__()
        self.filters, self.kernel, self.padding = filters, kernel, padding
        self.strides = strides or (1,) * len(kernel)
        self.activation, self.use_bias = activation, use_bias

    def build(self, shape: Shape) -> Shape:
        self.weights = [np.zeros((*self.kernel, shape[-1], self.filters))] + [np.zeros(self.filters)] * self.use_bias
        return (*output_extents(shape[:-1], self.kernel, self.strides, self.padding), self.filters)

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.sides = paddings(x.shape[1:-1], self.kernel, self.strides, self.padding)
        self.padded = pad(x, self.sides, 0.0)
        outputs = output_extents(x.shape[1:-1], self.kernel, self.strides, self.padding)
        # net_{i,j,q} = b_q + Σ_{a,b,c} x_{i s + a, j s + b, c} · w_{a,b,c,q}
        net = np.zeros((len(x), *outputs, self.filters))
        for tap in np.ndindex(self.kernel):
            net += self.padded[under_tap(tap, outputs, self.strides)] @ self.weights[0][tap]
        if self.use_bias:
            net += self.weights[1]
        self.margin = activations.kink_distance(self.activation, net)
        self.net, self.y = net, activations.FORWARD[self.activation](net)
        return self.y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        delta = activations.backward(self.activation, self.net, self.y, grad)
        grad_kernel, grad_padded = np.zeros_like(self.weights[0]), np.zeros_like(self.padded)
        for tap in np.ndindex(self.kernel):
            here = under_tap(tap, delta.shape[1:-1], self.strides)
            # ∇w_{a,b,c,q} = Σ_{i,j} x_{i s + a, j s + b, c} · δ_{i,j,q}: the sum over all windows that share the filter
            grad_kernel[tap] = rows(self.padded[here]).T @ rows(delta)
            # ∂E/∂x_{i s + a, j s + b, c} collects Σ_q w_{a,b,c,q} · δ_{i,j,q}
            grad_padded[here] += delta @ self.weights[0][tap].T
        self.gradients = [grad_kernel]
        if self.use_bias:
            self.gradients.append(rows(delta).sum(axis=0))
        return unpad(grad_padded, self.sides)
