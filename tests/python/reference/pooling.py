"""Average and maximum pooling, each channel on its own: filter 1_{k x k x 1}, no bias, no activation (26.3.4)."""

from __future__ import annotations

import numpy as np

from .convolution import output_extents, pad, paddings, under_tap, unpad
from .layer import Layer, Shape, Step


class Pool(Layer):
    """kind "max" or "average"; strides default to the window (s = k). Padding never wins and never counts."""

    def __init__(self, kind: str, window, strides=None, padding="valid") -> None:
        super().__init__()
        self.kind, self.window, self.strides, self.padding = kind, window, strides or window, padding

    def build(self, shape: Shape) -> Shape:
        return (*output_extents(shape[:-1], self.window, self.strides, self.padding), shape[-1])

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.sides = paddings(x.shape[1:-1], self.window, self.strides, self.padding)
        outputs = output_extents(x.shape[1:-1], self.window, self.strides, self.padding)
        padded = pad(x, self.sides, -np.inf)
        self.padded_shape = padded.shape
        # windows[tap, sample, i, j, channel], taps row by row
        windows = np.stack([padded[under_tap(tap, outputs, self.strides)] for tap in np.ndindex(self.window)])
        inside = windows != -np.inf
        if self.kind == "max":
            # z_{i,j} = max_{a,b} x_{i s + a, j s + b}; (i*, j*) is the first that reaches it
            self.share = np.arange(len(windows)).reshape(-1, *[1] * x.ndim) == windows.argmax(axis=0)
            self.margin = self.tie_distance(windows)
            return windows.max(axis=0)
        # z_{i,j} = Σ_{a,b} x_{i s + a, j s + b} / (number of positions inside)
        self.share = inside / inside.sum(axis=0)
        return np.where(inside, windows, 0).sum(axis=0) / inside.sum(axis=0)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        # δ of the layer below: each window hands its δ to (i*, j*), or 1/count of it to every position inside
        grad_padded = np.zeros(self.padded_shape)
        for number, tap in enumerate(np.ndindex(self.window)):
            grad_padded[under_tap(tap, grad.shape[1:-1], self.strides)] += self.share[number] * grad
        return unpad(grad_padded, self.sides)

    @staticmethod
    def tie_distance(windows: np.ndarray) -> float:
        """Least lead of a maximum over the runner-up; equal zeros are a ReLU's, whose own derivative is 0 there."""
        if len(windows) == 1:
            return np.inf
        ordered = np.sort(windows, axis=0)
        lead = ordered[-1] - ordered[-2]
        return float(lead[(ordered[-1] != 0) | (lead > 0)].min(initial=np.inf))
