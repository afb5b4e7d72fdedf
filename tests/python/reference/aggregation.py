"""Generalised aggregation (26.3.4): sum, mean or maximum of the products with a weighted window, channels included."""

from __future__ import annotations

import numpy as np

from .convolution import output_extents, pad, paddings, under_tap, unpad
from .layer import Layer, Shape, Step
from .pooling import Pool


class Aggregate(Layer):
    """how "max", "average" or "sum". Weights: window (k_1, ..., r). Positions outside the input take no part."""

    def __init__(self, how: str, window, depth: int = 1, strides=None, padding="valid") -> None:
        super().__init__()
        self.how, self.window, self.depth = how, window, depth
        self.strides, self.padding = strides or window, padding

    def build(self, shape: Shape) -> Shape:
        self.weights = [np.zeros((*self.window, self.depth))]
        spatial = output_extents(shape[:-1], self.window, self.strides, self.padding)
        return (*spatial, shape[-1] - self.depth + 1)

    def taps(self, outputs: tuple[int, ...], channels: int):
        """Each element of the window, and where it lies for all outputs at once."""
        for tap in np.ndindex(*self.window, self.depth):
            yield tap, (*under_tap(tap[:-1], outputs, self.strides), slice(tap[-1], tap[-1] + channels))

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.sides = paddings(x.shape[1:-1], self.window, self.strides, self.padding)
        outputs = output_extents(x.shape[1:-1], self.window, self.strides, self.padding)
        channels = x.shape[-1] - self.depth + 1
        self.padded, inside = pad(x, self.sides, 0.0), pad(np.ones_like(x), self.sides, 0.0)
        self.places = list(self.taps(outputs, channels))
        w = self.weights[0]
        # products[element, sample, i, j, q] = x_{i s + a, j s + b, q + c} · w_{a,b,c}
        products = np.stack([self.padded[place] * w[tap] for tap, place in self.places])
        inside = np.stack([inside[place] for _, place in self.places])
        if self.how == "max":
            products = np.where(inside > 0, products, -np.inf)
            # share[element]: 1 for the first that reaches the maximum
            self.share = 1.0 * (np.arange(len(products)).reshape(-1, *[1] * x.ndim) == products.argmax(axis=0))
            self.margin = Pool.tie_distance(products)
            return products.max(axis=0)
        self.share = inside / inside.sum(axis=0) if self.how == "average" else inside
        return (products * self.share).sum(axis=0)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        w, grad_padded = self.weights[0], np.zeros_like(self.padded)
        grad_window = np.zeros_like(w)
        for (tap, place), share in zip(self.places, self.share, strict=True):
            # each product has its share of δ: w times that goes to x, x times that, summed over all windows, to w
            grad_padded[place] += share * grad * w[tap]
            grad_window[tap] = (share * grad * self.padded[place]).sum()
        self.gradients = [grad_window]
        return unpad(grad_padded, self.sides)
