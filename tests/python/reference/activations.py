"""Activations f and the net gradient δ = ∂E/∂net (26.1.2; softmax: the dependent outputs of 26.1.3)."""

from __future__ import annotations

import numpy as np

from .layer import Layer, Shape, Step


def sigmoid(net: np.ndarray) -> np.ndarray:
    """σ(net) = 1 / (1 + e^-net), written so that e never overflows."""
    e = np.exp(-np.abs(net))
    return np.where(net >= 0, 1 / (1 + e), e / (1 + e))


def softmax(net: np.ndarray) -> np.ndarray:
    """o_i = e^net_i / Σ_j e^net_j over the last axis."""
    e = np.exp(net - net.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


FORWARD = {
    "linear": lambda net: net,
    "relu": lambda net: np.maximum(net, 0),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "softmax": softmax,
}

# ∂f as a function of the output y = f(net)
DERIVATIVE = {
    "linear": lambda y: np.ones_like(y),
    "relu": lambda y: np.where(y > 0, 1.0, 0.0),
    "tanh": lambda y: 1 - y * y,
    "sigmoid": lambda y: y * (1 - y),
}


def backward(name: str, y: np.ndarray, grad: np.ndarray) -> np.ndarray:
    """δ = ∂f ⊙ ∂E/∂y for independent outputs; δ = ∂Fᵀ·∂E/∂y with the Jacobian ∂F for softmax."""
    if name != "softmax":
        return DERIVATIVE[name](y) * grad
    # ∂o_i/∂net_j = o_i ([i = j] - o_j), one (p, p) matrix a row
    identity = np.eye(y.shape[-1])
    jacobian = y[..., :, None] * (identity - y[..., None, :])
    return np.einsum("...ij,...i->...j", jacobian, grad)


def kink_distance(name: str, net: np.ndarray) -> float:
    """How far the nets stay from the place where f has no derivative."""
    return float(np.abs(net).min(initial=np.inf)) if name == "relu" else np.inf


class Activation(Layer):
    """y = f(x) as a layer of its own."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        self.activation = activation

    def build(self, shape: Shape) -> Shape:
        return shape

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.margin = kink_distance(self.activation, x)
        self.y = FORWARD[self.activation](x)
        return self.y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return backward(self.activation, self.y, grad)
