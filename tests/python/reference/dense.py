"""Fully connected layers and changes of shape (26.3.6, 26.4.1)."""

from __future__ import annotations

from math import prod

import numpy as np

from . import activations
from .layer import Layer, Shape, Step, rows


class Dense(Layer):
    """z = f(Wᵀx + b) on the last axis. Weights: kernel (inputs, units), bias (units,)."""

    def __init__(self, units: int, activation: str = "linear", use_bias: bool = True) -> None:
        super().__init__()
        self.units, self.activation, self.use_bias = units, activation, use_bias

    def build(self, shape: Shape) -> Shape:
        self.weights = [np.zeros((shape[-1], self.units))] + [np.zeros(self.units)] * self.use_bias
        return (*shape[:-1], self.units)

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.x = x
        net = x @ self.weights[0]
        if self.use_bias:
            net = net + self.weights[1]
        self.margin = activations.kink_distance(self.activation, net)
        self.net, self.y = net, activations.FORWARD[self.activation](net)
        return self.y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        delta = activations.backward(self.activation, self.net, self.y, grad)
        # ∇W = Σ x·δᵀ and ∇b = Σ δ over batch and time; ∂E/∂x = W·δ
        self.gradients = [rows(self.x).T @ rows(delta)]
        if self.use_bias:
            self.gradients.append(rows(delta).sum(axis=0))
        return delta @ self.weights[0].T


class Reshape(Layer):
    """The same values, first index slowest; one extent may be -1."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def build(self, shape: Shape) -> Shape:
        known = prod(e for e in self.shape if e != -1)
        return tuple(prod(shape) // known if e == -1 else e for e in self.shape)

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.input_shape = x.shape
        return x.reshape(len(x), *self.shape)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad.reshape(self.input_shape)


class Flatten(Reshape):
    """(a, b, ...) -> (a·b·...,)."""

    def __init__(self) -> None:
        super().__init__((-1,))
