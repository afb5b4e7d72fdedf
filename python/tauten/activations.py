"""Activation functions by name; the functions here work on NumPy arrays and stand for their names in layers.

The network computes activations natively: a layer keeps only the name, and so Keras' defaults of what a function takes
besides x. Names, defaults and values are Keras'.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten._nearest import nearest

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "swish",
    "tanh",
    "tanh_shrink",
]

Array = NDArray[Any]
Function = Callable[..., Array]

_erfc = np.vectorize(math.erfc, otypes=[np.float64])  # NumPy has none

# λ and α of Klambauer et al. 2017
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def _as_float(x: ArrayLike) -> Array:
    """An array that functions with constants in them do not widen: integers become float64."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def linear(x: ArrayLike) -> Array:
    """f(x) = x, any shape."""
    return np.asarray(x)


def relu(x: ArrayLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Array:
    """f(x) = min(x, max_value) above `threshold`, negative_slope·(x - threshold) below it; any shape.

    The name "relu" in a layer is max(x, 0); layers.ReLU takes the arguments.
    """
    if negative_slope == 0.0 and max_value is None and threshold == 0.0:
        return np.asarray(np.maximum(x, 0))
    x = _as_float(x)
    above = x if max_value is None else np.minimum(x, max_value)
    return np.asarray(np.where(x > threshold, above, negative_slope * (x - threshold)))


def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> Array:
    """f(x) = x above 0, negative_slope·x below, any shape. (layers.LeakyReLU has another default: 0.3.)"""
    return relu(x, negative_slope)


def relu6(x: ArrayLike) -> Array:
    """f(x) = min(max(x, 0), 6), any shape."""
    return np.clip(x, 0, 6)


def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """f(x) = x above 0, alpha·(exp(x) - 1) below, any shape."""
    x = _as_float(x)
    return np.asarray(np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))))


def celu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """f(x) = x above 0, alpha·(exp(x / alpha) - 1) below, any shape; with alpha = 1 the same as elu."""
    x = _as_float(x)
    return np.asarray(np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)))


def selu(x: ArrayLike) -> Array:
    """f(x) = λ·x above 0, λ·α·(exp(x) - 1) below, any shape; λ = 1.0507..., α = 1.6732... (Klambauer et al. 2017)."""
    return np.asarray(_SELU_SCALE * elu(x, _SELU_ALPHA))


def gelu(x: ArrayLike, approximate: bool = False) -> Array:
    """f(x) = x·Φ(x), Φ the normal distribution, any shape (Hendrycks & Gimpel 2016).

    approximate=True: x/2·(1 + tanh(√(2/π)·(x + 0.044715 x³))), here only: in a layer "gelu" is the exact one, as in
    Keras.
    """
    x = _as_float(x)
    if approximate:
        return np.asarray(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi).astype(x.dtype) * (x + 0.044715 * x * x * x))))
    return np.asarray(x * (0.5 * _erfc(-x / np.sqrt(2.0))).astype(x.dtype))


def silu(x: ArrayLike) -> Array:
    """f(x) = x·sigmoid(x), any shape; also known as swish."""
    return np.asarray(_as_float(x) * sigmoid(_as_float(x)))


def hard_silu(x: ArrayLike) -> Array:
    """f(x) = x·hard_sigmoid(x), any shape; also known as hard_swish."""
    return np.asarray(x * hard_sigmoid(x))


def mish(x: ArrayLike) -> Array:
    """f(x) = x·tanh(softplus(x)), any shape."""
    return np.asarray(x * np.tanh(softplus(x)))


def softplus(x: ArrayLike) -> Array:
    """f(x) = log(1 + exp(x)), any shape, without overflow."""
    x = _as_float(x)
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


def log_sigmoid(x: ArrayLike) -> Array:
    """f(x) = log(sigmoid(x)) = -softplus(-x), any shape."""
    return -softplus(-_as_float(x))


def softsign(x: ArrayLike) -> Array:
    """f(x) = x / (1 + |x|), any shape."""
    x = _as_float(x)
    return np.asarray(x / (1 + np.abs(x)))


def sigmoid(x: ArrayLike) -> Array:
    """f(x) = 1 / (1 + exp(-x)), any shape, without overflow."""
    x = np.asarray(x)
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1 / (1 + e), e / (1 + e)))


def hard_sigmoid(x: ArrayLike) -> Array:
    """f(x) = x / 6 + 1/2 between 0 and 1, any shape. (Keras 2 had x / 5 + 1/2.)"""
    return np.clip(_as_float(x) / 6 + 0.5, 0, 1)


def sparse_sigmoid(x: ArrayLike) -> Array:
    """f(x) = (x + 1) / 2 between 0 and 1, any shape."""
    return np.clip(0.5 * _as_float(x) + 0.5, 0, 1)


def sparse_plus(x: ArrayLike) -> Array:
    """f(x) = 0 below -1, (x + 1)² / 4 up to 1, x above, any shape."""
    x = _as_float(x)
    return np.asarray(np.where(x >= 1, x, np.clip(0.5 * x + 0.5, 0, 1) ** 2))


def tanh(x: ArrayLike) -> Array:
    """f(x) = tanh(x), any shape."""
    return np.asarray(np.tanh(x))


def hard_tanh(x: ArrayLike) -> Array:
    """f(x) = x between -1 and 1, any shape."""
    return np.clip(x, -1, 1)


def tanh_shrink(x: ArrayLike) -> Array:
    """f(x) = x - tanh(x), any shape."""
    return np.asarray(x - np.tanh(x))


def hard_shrink(x: ArrayLike, threshold: float = 0.5) -> Array:
    """f(x) = x where |x| > threshold, else 0, any shape."""
    x = np.asarray(x)
    return np.asarray(np.where(np.abs(x) > threshold, x, np.zeros_like(x)))


def soft_shrink(x: ArrayLike, threshold: float = 0.5) -> Array:
    """f(x) = x - threshold·sign(x) where |x| > threshold, else 0, any shape."""
    x = _as_float(x)
    return np.asarray(np.where(np.abs(x) > threshold, x - threshold * np.sign(x), np.zeros_like(x)))


def exponential(x: ArrayLike) -> Array:
    """f(x) = exp(x), any shape."""
    return np.asarray(np.exp(x))


def softmax(x: ArrayLike, axis: int = -1) -> Array:
    """f(x)_i = exp(x_i) / Σ_j exp(x_j) over one axis, in layers the last one of (..., classes)."""
    x = np.asarray(x)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def log_softmax(x: ArrayLike, axis: int = -1) -> Array:
    """f(x)_i = x_i - log Σ_j exp(x_j) over one axis, in layers the last one of (..., classes)."""
    x = np.asarray(x)
    shifted = x - x.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


swish, hard_swish = silu, hard_silu

_functions: dict[str, Function] = {
    f.__name__: f
    for f in (
        celu, elu, exponential, gelu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear, log_sigmoid,
        log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign, sparse_plus,
        sparse_sigmoid, tanh, tanh_shrink,
    )
}  # fmt: skip
_aliases = {"swish": "silu", "hard_swish": "hard_silu"}

# What recurrent cells take: their derivatives follow from the output.
OF_CELLS = (
    "linear", "relu", "sigmoid", "tanh", "celu", "elu", "hard_sigmoid", "hard_tanh", "leaky_relu", "relu6", "selu",
    "softsign",
)  # fmt: skip


def get(identifier: str | Function | None) -> Function:
    """An activation as a function of arrays, from its name, the function itself, or None for linear.

    Raises:
        ValueError, TypeError: for what is none of this module's.
    """
    return _functions[name_of(identifier)]


def serialize(activation: str | Function | None) -> str:
    """Its name, as layers' configurations have it."""
    return name_of(activation)


def deserialize(config: str | Function | None, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The function that serialize() named; or one of your own, by its name in `custom_objects`."""
    own = custom_objects or {}
    return own[config] if isinstance(config, str) and config in own else get(config)


def name_of(identifier: str | Function | None, what: str = "activation", among: tuple[str, ...] | None = None) -> str:
    """The name of an activation given by name, by one of this module's functions, or None for "linear".

    Args:
        identifier: a name ("swish" and "hard_swish" are "silu" and "hard_silu"), a function of this module, or None.
        what: beginning of the error's message, such as "Dense: activation".
        among: the names that are possible here; default all.

    Raises:
        ValueError: for a name that Tauten does not have (here).
        TypeError: for anything that is neither a name nor one of this module's functions.
    """
    possible = sorted(_functions if among is None else among)
    if identifier is None:
        return "linear"
    if callable(identifier):
        found = next((name for name, function in _functions.items() if function is identifier), None)
        if found is None:
            raise TypeError(f"{what}: a Python function cannot run inside a native step; use one of {possible}")
        name = found
    elif isinstance(identifier, str):
        name = _aliases.get(identifier, identifier)
    else:
        raise TypeError(f"{what}: expected one of {possible}, got {identifier!r}")
    if name not in possible:
        found = nearest(name, possible)
        meant = f": did you mean {found!r}?" if found else ""
        raise ValueError(f"{what}: expected one of {possible}, got {name!r}{meant}")
    return name
