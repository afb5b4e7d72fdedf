"""Losses and metrics of each row (a sample, or one time step of it), and their gradients ∂E/∂o (26.1, 26.4).

Every loss returns (loss of each row, gradient of the sum of the rows' losses to the outputs), Keras' definitions.
"""

from __future__ import annotations

import numpy as np

from .activations import sigmoid, softmax


def mean_squared_error(o: np.ndarray, y: np.ndarray, from_logits: bool = False):
    """E_t = 1/p · |y_t - o_t|²  (Keras' mean; the chapter's 1/2·|y - o|² is p/2 times it)."""
    p = o.shape[-1]
    return ((o - y) ** 2).sum(axis=-1) / p, 2 * (o - y) / p


def categorical_crossentropy(o: np.ndarray, y: np.ndarray, from_logits: bool = False):
    """E_t = -Σ_i y_ti ln o_ti; ∂E_t/∂o_ti = -y_ti / o_ti."""
    if from_logits:
        # with o = softmax(net): δ = o·Σy - y, which is o - y for one-hot y
        return (y * (log_sum_exp(o) - o)).sum(axis=-1), softmax(o) * y.sum(axis=-1, keepdims=True) - y
    return -(y * np.log(o)).sum(axis=-1), -y / o


def sparse_categorical_crossentropy(o: np.ndarray, y: np.ndarray, from_logits: bool = False):
    """The same with the number of the class for y."""
    return categorical_crossentropy(o, one_hot(o, y), from_logits)


def binary_crossentropy(o: np.ndarray, y: np.ndarray, from_logits: bool = False):
    """E_t = -1/p Σ_i [y_ti ln o_ti + (1 - y_ti) ln(1 - o_ti)]; ∂E_t/∂o_ti = (o_ti - y_ti) / (p o_ti (1 - o_ti))."""
    p = o.shape[-1]
    if from_logits:
        # ln(1 + e^o) - y·o, written so that e never overflows; δ = (σ(o) - y) / p
        rows = np.maximum(o, 0) - y * o + np.log1p(np.exp(-np.abs(o)))
        return rows.sum(axis=-1) / p, (sigmoid(o) - y) / p
    rows = -(y * np.log(o) + (1 - y) * np.log(1 - o))
    return rows.sum(axis=-1) / p, (o - y) / (p * o * (1 - o))


def log_sum_exp(o: np.ndarray) -> np.ndarray:
    top = o.max(axis=-1, keepdims=True)
    return top + np.log(np.exp(o - top).sum(axis=-1, keepdims=True))


def one_hot(o: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.eye(o.shape[-1])[np.asarray(y, dtype=int).reshape(o.shape[:-1])]


LOSSES = {
    function.__name__: function
    for function in (
        mean_squared_error,
        categorical_crossentropy,
        sparse_categorical_crossentropy,
        binary_crossentropy,
    )
}

# metric of each row
METRICS = {
    "binary_accuracy": lambda o, y: ((o > 0.5) == y).mean(axis=-1),
    "categorical_accuracy": lambda o, y: (o.argmax(axis=-1) == y.argmax(axis=-1)).astype(float),
    "sparse_categorical_accuracy": lambda o, y: (o.argmax(axis=-1) == np.reshape(y, o.shape[:-1])).astype(float),
    "mean_squared_error": lambda o, y: ((o - y) ** 2).mean(axis=-1),
    "mean_absolute_error": lambda o, y: np.abs(o - y).mean(axis=-1),
}
