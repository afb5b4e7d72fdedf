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


def spans(window: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    """Positions from a window's first to its last: (k - 1)·d + 1."""
    return tuple((k - 1) * d + 1 for k, d in zip(window, dilation, strict=True))


def under_tap(
    tap: tuple[int, ...], outputs: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...] | None = None
) -> tuple[slice, ...]:
    """The padded positions o·s + tap·d that weight `tap` of the filter touches, one for each output position o."""
    first = tuple(a * d for a, d in zip(tap, dilation or (1,) * len(tap), strict=True))
    spatial = (slice(a, a + (o - 1) * s + 1, s) for a, o, s in zip(first, outputs, strides, strict=True))
    return (slice(None), *spatial)


def pad(x: np.ndarray, sides: list[tuple[int, int]], value: float) -> np.ndarray:
    return np.pad(x, [(0, 0), *sides, (0, 0)], constant_values=value)


def unpad(x: np.ndarray, sides: list[tuple[int, int]]) -> np.ndarray:
    return x[(slice(None), *(slice(before, e - after) for e, (before, after) in zip(x.shape[1:], sides, strict=False)))]


class Convolution(Layer):
    """What both kinds share: windows over a padded input, b and f. A subclass has the sum over one tap."""

    kernel: tuple[int, ...]

    def __init__(self, kernel, strides, padding, activation, use_bias, dilation, value) -> None:
        super().__init__()
        self.kernel, self.padding, self.value = kernel, padding, value
        self.strides = strides or (1,) * len(kernel)
        self.dilation = dilation or (1,) * len(kernel)
        self.activation, self.use_bias = activation, use_bias

    def outputs(self, extents: tuple[int, ...]) -> tuple[int, ...]:
        return output_extents(extents, spans(self.kernel, self.dilation), self.strides, self.padding)

    def tap(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        """What one weight position adds to net."""
        raise NotImplementedError

    def tap_gradients(self, x: np.ndarray, w: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """∇w of that position, and what it adds to ∂E/∂x."""
        raise NotImplementedError

    def width(self) -> int:
        """Channels of the output."""
        raise NotImplementedError

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.sides = paddings(x.shape[1:-1], spans(self.kernel, self.dilation), self.strides, self.padding)
        self.padded = pad(x, self.sides, self.value)
        outputs = self.outputs(x.shape[1:-1])
        net = np.zeros((len(x), *outputs, self.width()))
        for tap in np.ndindex(self.kernel):
            net += self.tap(self.padded[under_tap(tap, outputs, self.strides, self.dilation)], self.weights[0][tap])
        if self.use_bias:
            net += self.weights[-1]
        self.margin = activations.kink_distance(self.activation, net)
        self.net, self.y = net, activations.FORWARD[self.activation](net)
        return self.y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        delta = activations.backward(self.activation, self.net, self.y, grad)
        grad_kernel, grad_padded = np.zeros_like(self.weights[0]), np.zeros_like(self.padded)
        for tap in np.ndindex(self.kernel):
            here = under_tap(tap, delta.shape[1:-1], self.strides, self.dilation)
            grad_kernel[tap], below = self.tap_gradients(self.padded[here], self.weights[0][tap], delta)
            grad_padded[here] += below
        self.gradients = [grad_kernel]
        if self.use_bias:
            self.gradients.append(rows(delta).sum(axis=0))
        return unpad(grad_padded, self.sides)


class Conv(Convolution):
    """Z = f(X * W + b). Weights: kernel (k_1, ..., channels / groups, filters), bias (filters,)."""

    def __init__(
        self,
        filters,
        kernel,
        strides=None,
        padding="valid",
        activation="linear",
        use_bias=True,
        dilation=None,
        groups=1,
        value=0.0,
    ) -> None:
        super().__init__(kernel, strides, padding, activation, use_bias, dilation, value)
        self.filters, self.groups = filters, groups

    def build(self, shape: Shape) -> Shape:
        kernel = np.zeros((*self.kernel, shape[-1] // self.groups, self.filters))
        self.weights = [kernel] + [np.zeros(self.filters)] * self.use_bias
        return (*self.outputs(shape[:-1]), self.filters)

    def width(self) -> int:
        return self.filters

    # net_{i,j,q} = b_q + Σ_{a,b,c} x_{i s + a d, j s + b d, c} · w_{a,b,c,q}, c and q of one group
    def tap(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        pairs = zip(np.split(x, self.groups, -1), np.split(w, self.groups, -1), strict=True)
        return np.concatenate([part @ own for part, own in pairs], axis=-1)

    # ∇w_{a,b,c,q} = Σ_{i,j} x_{i s + a d, j s + b d, c} · δ_{i,j,q}: the sum over all windows that share the filter
    # ∂E/∂x_{i s + a d, j s + b d, c} collects Σ_q w_{a,b,c,q} · δ_{i,j,q}
    def tap_gradients(self, x: np.ndarray, w: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        groups = [np.split(a, self.groups, -1) for a in (x, w, delta)]
        kernel = [rows(part).T @ rows(d) for part, _, d in zip(*groups, strict=True)]
        below = [d @ own.T for _, own, d in zip(*groups, strict=True)]
        return np.concatenate(kernel, axis=-1), np.concatenate(below, axis=-1)


class DepthwiseConv(Convolution):
    """Z = f(X * W + b), m filters for each channel. Weights: kernel (k_1, ..., channels, m), bias (channels · m,)."""

    def __init__(
        self,
        kernel,
        multiplier=1,
        strides=None,
        padding="valid",
        activation="linear",
        use_bias=True,
        dilation=None,
        value=0.0,
    ) -> None:
        super().__init__(kernel, strides, padding, activation, use_bias, dilation, value)
        self.multiplier = multiplier

    def build(self, shape: Shape) -> Shape:
        self.channels = shape[-1]
        kernel = np.zeros((*self.kernel, self.channels, self.multiplier))
        self.weights = [kernel] + [np.zeros(self.width())] * self.use_bias
        return (*self.outputs(shape[:-1]), self.width())

    def width(self) -> int:
        return self.channels * self.multiplier

    # net_{i,j,c m + t} = b + Σ_{a,b} x_{i s + a d, j s + b d, c} · w_{a,b,c,t}
    def tap(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return (x[..., None] * w).reshape(*x.shape[:-1], -1)

    def tap_gradients(self, x: np.ndarray, w: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        delta = delta.reshape(*x.shape, self.multiplier)
        kernel = (x[..., None] * delta).reshape(-1, *w.shape).sum(axis=0)
        return kernel, (delta * w).sum(axis=-1)


class SeparableConv(Layer):
    """A depthwise convolution without b and f, then a 1x1 one. Weights: those of both."""

    def __init__(
        self,
        filters,
        kernel,
        multiplier=1,
        strides=None,
        padding="valid",
        activation="linear",
        use_bias=True,
        dilation=None,
        value=0.0,
    ) -> None:
        super().__init__()
        self.depthwise = DepthwiseConv(kernel, multiplier, strides, padding, "linear", False, dilation, value)
        self.pointwise = Conv(filters, (1,) * len(kernel), activation=activation, use_bias=use_bias)

    def build(self, shape: Shape) -> Shape:
        shape = self.pointwise.build(self.depthwise.build(shape))
        self.weights = [*self.depthwise.weights, *self.pointwise.weights]
        return shape

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.depthwise.weights, self.pointwise.weights = self.weights[:1], self.weights[1:]
        y = self.pointwise.forward(self.depthwise.forward(x, step), step)
        self.margin = self.pointwise.margin
        return y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        below = self.depthwise.backward(self.pointwise.backward(grad))
        self.gradients = [*self.depthwise.gradients, *self.pointwise.gradients]
        return below
