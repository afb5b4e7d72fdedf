"""Activation functions by name; the functions here work on NumPy arrays and stand for their names in layers.

The network computes activations natively: a layer keeps only the name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["get", "linear", "relu", "sigmoid", "softmax", "tanh"]

Function = Callable[[ArrayLike], NDArray[Any]]


def linear(x: ArrayLike) -> NDArray[Any]:
    """f(x) = x, any shape."""
    return np.asarray(x)


def relu(x: ArrayLike) -> NDArray[Any]:
    """f(x) = max(x, 0), any shape."""
    return np.maximum(x, 0)


def sigmoid(x: ArrayLike) -> NDArray[Any]:
    """f(x) = 1 / (1 + exp(-x)), any shape, without overflow."""
    x = np.asarray(x)
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1 / (1 + e), e / (1 + e)))


def tanh(x: ArrayLike) -> NDArray[Any]:
    """f(x) = tanh(x), any shape."""
    return np.asarray(np.tanh(x))


def softmax(x: ArrayLike) -> NDArray[Any]:
    """f(x)_i = exp(x_i) / Σ_j exp(x_j) over the last axis of (..., classes)."""
    x = np.asarray(x)
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


_functions: dict[str, Function] = {f.__name__: f for f in (linear, relu, sigmoid, softmax, tanh)}


def get(identifier: str | Function | None, what: str = "activation", exclude: tuple[str, ...] = ()) -> str:
    """The name of an activation given by name, by one of this module's functions, or None for "linear".

    Args:
        identifier: "linear", "relu", "sigmoid", "softmax", "tanh", a function of this module, or None.
        what: beginning of the error's message, such as "Dense: activation".
        exclude: names that are not possible here.

    Raises:
        ValueError: for a name that Tauten does not have (here).
        TypeError: for anything that is neither a name nor one of this module's functions.
    """
    possible = [name for name in _functions if name not in exclude]
    if identifier is None:
        return "linear"
    if callable(identifier):
        name = next((name for name, function in _functions.items() if function is identifier), None)
        if name is None:
            raise TypeError(f"{what}: a Python function cannot run inside a native step; use one of {possible}")
    elif isinstance(identifier, str):
        name = identifier
    else:
        raise TypeError(f"{what}: expected one of {possible}, got {identifier!r}")
    if name not in possible:
        raise ValueError(f"{what}: expected one of {possible}, got {name!r}")
    return name
