"""Activations f and the net gradient δ = ∂E/∂net (26.1.2; softmax: the dependent outputs of 26.1.3)."""

from __future__ import annotations

import math

import numpy as np

from .layer import Layer, Shape, Step

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def sigmoid(net: np.ndarray) -> np.ndarray:
    """σ(net) = 1 / (1 + e^-net), written so that e never overflows."""
    e = np.exp(-np.abs(net))
    return np.where(net >= 0, 1 / (1 + e), e / (1 + e))


def softmax(net: np.ndarray) -> np.ndarray:
    """o_i = e^net_i / Σ_j e^net_j over the last axis."""
    e = np.exp(net - net.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(net: np.ndarray) -> np.ndarray:
    """ln o_i = net_i - ln Σ_j e^net_j over the last axis."""
    net = net - net.max(axis=-1, keepdims=True)
    return net - np.log(np.exp(net).sum(axis=-1, keepdims=True))


def softplus(net: np.ndarray) -> np.ndarray:
    return np.maximum(net, 0) + np.log1p(np.exp(-np.abs(net)))


def normal(net: np.ndarray) -> np.ndarray:
    """Φ(net), the distribution function of the normal distribution."""
    return np.vectorize(math.erfc, otypes=[np.float64])(-net / math.sqrt(2)) / 2


def density(net: np.ndarray) -> np.ndarray:
    """φ(net) = ∂Φ."""
    return np.exp(-net * net / 2) / math.sqrt(2 * math.pi)


def ramp(slope: float, offset: float, low: float, high: float):
    return lambda net: np.clip(slope * net + offset, low, high)


def elu(net: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(net > 0, net, alpha * np.expm1(np.minimum(net, 0)))


FORWARD = {
    "linear": lambda net: net,
    "relu": lambda net: np.maximum(net, 0),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "softmax": softmax,
    "hard_sigmoid": ramp(1 / 6, 1 / 2, 0, 1),
    "hard_tanh": ramp(1, 0, -1, 1),
    "relu6": ramp(1, 0, 0, 6),
    "leaky_relu": lambda net: np.where(net > 0, net, 0.2 * net),
    "elu": elu,
    "celu": elu,
    "selu": lambda net: SELU_SCALE * elu(net, SELU_ALPHA),
    "softsign": lambda net: net / (1 + np.abs(net)),
    "sparse_sigmoid": ramp(1 / 2, 1 / 2, 0, 1),
    "gelu": lambda net: net * normal(net),
    "silu": lambda net: net * sigmoid(net),
    "hard_silu": lambda net: net * np.clip(net / 6 + 1 / 2, 0, 1),
    "mish": lambda net: net * np.tanh(softplus(net)),
    "softplus": softplus,
    "log_sigmoid": lambda net: -softplus(-net),
    "exponential": np.exp,
    "tanh_shrink": lambda net: net - np.tanh(net),
    "hard_shrink": lambda net: np.where(np.abs(net) > 0.5, net, 0),
    "soft_shrink": lambda net: np.sign(net) * np.maximum(np.abs(net) - 0.5, 0),
    "sparse_plus": lambda net: np.where(net >= 1, net, np.clip(net / 2 + 1 / 2, 0, 1) ** 2),
    "log_softmax": log_softmax,
}

# ∂f as a function of the output y = f(net): what recurrent cells take
DERIVATIVE = {
    "linear": lambda y: np.ones_like(y),
    "relu": lambda y: np.where(y > 0, 1.0, 0.0),
    "tanh": lambda y: 1 - y * y,
    "sigmoid": lambda y: y * (1 - y),
    "hard_sigmoid": lambda y: np.where((y > 0) & (y < 1), 1 / 6, 0.0),
    "hard_tanh": lambda y: np.where(np.abs(y) < 1, 1.0, 0.0),
    "relu6": lambda y: np.where((y > 0) & (y < 6), 1.0, 0.0),
    "leaky_relu": lambda y: np.where(y > 0, 1.0, 0.2),
    "elu": lambda y: np.where(y > 0, 1.0, y + 1),
    "celu": lambda y: np.where(y > 0, 1.0, y + 1),
    "selu": lambda y: np.where(y > 0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA),
    "softsign": lambda y: (1 - np.abs(y)) ** 2,
    "sparse_sigmoid": lambda y: np.where((y > 0) & (y < 1), 1 / 2, 0.0),
    "softplus": lambda y: 1 - np.exp(-y),
    "log_sigmoid": lambda y: 1 - np.exp(y),
    "exponential": lambda y: y,
}

# ∂f as a function of the net value
OF_NET = {
    "gelu": lambda net: normal(net) + net * density(net),
    "silu": lambda net: sigmoid(net) + net * sigmoid(net) * sigmoid(-net),
    "hard_silu": lambda net: np.where(net > 3, 1.0, np.where(net > -3, net / 3 + 1 / 2, 0.0)),
    "mish": lambda net: np.tanh(softplus(net)) + net * sigmoid(net) / np.cosh(softplus(net)) ** 2,
    "tanh_shrink": lambda net: np.tanh(net) ** 2,
    "hard_shrink": lambda net: np.where(np.abs(net) > 0.5, 1.0, 0.0),
    "soft_shrink": lambda net: np.where(np.abs(net) > 0.5, 1.0, 0.0),
    "sparse_plus": lambda net: np.clip(net / 2 + 1 / 2, 0, 1),
}

# Net values where f has no derivative; of the smooth pieces, where a second derivative jumps too: the numerical
# derivative is of fourth order.
KINKS = {
    "relu": (0,),
    "leaky_relu": (0,),
    "elu": (0,),
    "celu": (0,),
    "selu": (0,),
    "softsign": (0,),
    "relu6": (0, 6),
    "hard_sigmoid": (-3, 3),
    "hard_silu": (-3, 3),
    "hard_tanh": (-1, 1),
    "sparse_sigmoid": (-1, 1),
    "sparse_plus": (-1, 1),
    "hard_shrink": (-0.5, 0.5),
    "soft_shrink": (-0.5, 0.5),
}


def backward(name: str, net: np.ndarray, y: np.ndarray, grad: np.ndarray) -> np.ndarray:
    """δ = ∂f ⊙ ∂E/∂y for independent outputs; δ = ∂Fᵀ·∂E/∂y with the Jacobian ∂F for softmax and its logarithm."""
    if name in OF_NET:
        return OF_NET[name](net) * grad
    if name in DERIVATIVE:
        return DERIVATIVE[name](y) * grad
    identity = np.eye(y.shape[-1])
    if name == "softmax":  # ∂o_i/∂net_j = o_i ([i = j] - o_j), one (p, p) matrix a row
        jacobian = y[..., :, None] * (identity - y[..., None, :])
    else:  # ∂ln o_i/∂net_j = [i = j] - o_j
        jacobian = identity - np.exp(y)[..., None, :]
    return np.einsum("...ij,...i->...j", jacobian, grad)


def kink_distance(name: str, net: np.ndarray) -> float:
    """How far the nets stay from the places where f has no derivative."""
    return min((float(np.abs(net - kink).min(initial=np.inf)) for kink in KINKS.get(name, ())), default=np.inf)


class Activation(Layer):
    """y = f(x) as a layer of its own."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        self.activation = activation

    def build(self, shape: Shape) -> Shape:
        return shape

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.margin = kink_distance(self.activation, x)
        self.x, self.y = x, FORWARD[self.activation](x)
        return self.y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return backward(self.activation, self.x, self.y, grad)


class ReLU(Layer):
    """y = min(x, m) above θ, s (x - θ) below it."""

    def __init__(self, max_value: float = np.inf, negative_slope: float = 0.0, threshold: float = 0.0) -> None:
        super().__init__()
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def build(self, shape: Shape) -> Shape:
        return shape

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.x = x
        self.margin = min(float(np.abs(x - kink).min(initial=np.inf)) for kink in (self.threshold, self.max_value))
        below = self.negative_slope * (x - self.threshold)
        return np.where(x > self.threshold, np.minimum(x, self.max_value), below)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        open_ = np.where(self.x < self.max_value, 1.0, 0.0)
        return grad * np.where(self.x > self.threshold, open_, self.negative_slope)


class ELU(Layer):
    """y = x above 0, α (e^x - 1) below it."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def build(self, shape: Shape) -> Shape:
        return shape

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.x, self.margin = x, float(np.abs(x).min(initial=np.inf))
        return elu(x, self.alpha)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad * np.where(self.x > 0, 1.0, self.alpha * np.exp(np.minimum(self.x, 0)))


class PReLU(Layer):
    """y = x above 0, α ⊙ x below it. Weights: alpha, of a sample's shape, 1 on the shared axes (counted from 1)."""

    def __init__(self, shared_axes: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.shared_axes = shared_axes

    def build(self, shape: Shape) -> Shape:
        self.weights = [np.zeros([1 if i + 1 in self.shared_axes else e for i, e in enumerate(shape)])]
        return shape

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.x, self.margin = x, float(np.abs(x).min(initial=np.inf))
        return np.where(x > 0, x, self.weights[0] * x)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        # ∇α = Σ x ⊙ ∂E/∂y over the batch and the shared axes, where x is not above 0
        shared = tuple(axis for axis in range(1, grad.ndim) if axis in self.shared_axes)
        share = np.where(self.x > 0, 0.0, self.x * grad).sum(axis=0)
        self.gradients = [share.sum(axis=tuple(axis - 1 for axis in shared), keepdims=True)]
        return grad * np.where(self.x > 0, 1.0, self.weights[0])
