"""Losses of differences between numbers. All are means over the last axis, one value a row."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from tauten._checks import number
from tauten.losses.base import EPSILON, KERAS_DEFAULTS, Formula, Pair, Values, aligned, floats


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Values:
    """Mean of (y_true - y_pred)² over the last axis: (..., features) twice -> (...)."""
    difference = floats(y_pred) - np.asarray(y_true)
    return np.asarray(np.mean(np.square(difference), axis=-1))


def _squared(y: Values, p: Values) -> Pair:
    e = p - y
    return np.square(e).mean(axis=-1), 2 * e / p.shape[-1]


def _absolute(y: Values, p: Values) -> Pair:
    e = p - y
    return np.abs(e).mean(axis=-1), np.sign(e) / p.shape[-1]


def _percentage(y: Values, p: Values) -> Pair:
    e = p - y
    scale = 100 / np.maximum(np.abs(y), p.dtype.type(EPSILON))
    return (np.abs(e) * scale).mean(axis=-1), np.sign(e) * scale / p.shape[-1]


def _logarithmic(y: Values, p: Values) -> Pair:
    kept = np.maximum(p, p.dtype.type(EPSILON))
    e = np.log(kept + 1) - np.log(np.maximum(y, p.dtype.type(EPSILON)) + 1)
    return np.square(e).mean(axis=-1), np.where(p >= EPSILON, 2 * e / (kept + 1), 0) / p.shape[-1]


def _huber(y: Values, p: Values, delta: float) -> Pair:
    e = p - y
    size = np.abs(e)
    values = np.where(size <= delta, 0.5 * np.square(e), delta * size - 0.5 * delta * delta)
    return values.mean(axis=-1), np.clip(e, -delta, delta) / p.shape[-1]


def _log_cosh(y: Values, p: Values) -> Pair:
    e = p - y
    size = np.abs(e)
    return (size + np.log1p(np.exp(-2 * size)) - p.dtype.type(np.log(2.0))).mean(axis=-1), np.tanh(e) / p.shape[-1]


def _cosine(y: Values, p: Values) -> Pair:
    def size(x: Values) -> Values:
        return np.asarray(np.sqrt(np.square(x).sum(axis=-1, keepdims=True)))

    least = p.dtype.type(EPSILON)
    norm = size(p)
    kept = np.maximum(norm, least)
    unit, target = p / kept, y / np.maximum(size(y), least)
    cosine = (unit * target).sum(axis=-1, keepdims=True)
    return -cosine[..., 0], -(target - np.where(norm > least, cosine * unit, 0)) / kept


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Values:
    """Mean of |y_true - y_pred| over the last axis: (..., features) twice -> (...)."""
    return _absolute(*aligned(y_true, y_pred, "mean_absolute_error"))[0]


def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> Values:
    """Mean of 100·|y_true - y_pred| / max(|y_true|, 1e-7) over the last axis."""
    return _percentage(*aligned(y_true, y_pred, "mean_absolute_percentage_error"))[0]


def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> Values:
    """Mean of (log(1 + y_true) - log(1 + y_pred))² over the last axis, both at least 1e-7."""
    return _logarithmic(*aligned(y_true, y_pred, "mean_squared_logarithmic_error"))[0]


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> Values:
    """Mean over the last axis of e²/2 where |e| <= delta, else delta·|e| - delta²/2; e = y_true - y_pred."""
    return _huber(*aligned(y_true, y_pred, "huber"), delta=delta)[0]


def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> Values:
    """Mean of log(cosh(y_pred - y_true)) over the last axis."""
    return _log_cosh(*aligned(y_true, y_pred, "log_cosh"))[0]


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Values:
    """-Σ y_true·y_pred / (‖y_true‖·‖y_pred‖) along an axis: -1 for the same direction; norms are at least 1e-7."""
    y, p = aligned(y_true, y_pred, "cosine_similarity")
    return _cosine(np.moveaxis(y, axis, -1), np.moveaxis(p, axis, -1))[0]


class MeanSquaredError(Formula):
    """Mean of (y_true - y_pred)² over features and rows. y: the output's shape.

    Args:
        name: default "mean_squared_error".
    """

    native = "mean_squared_error"
    _pair = staticmethod(_squared)
    _function = staticmethod(mean_squared_error)


class MeanAbsoluteError(Formula):
    """Mean of |y_true - y_pred|; at equality the derivative is 0. y: the output's shape.

    Args:
        name: default "mean_absolute_error".
    """

    _pair = staticmethod(_absolute)
    _function = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(Formula):
    """Mean of 100·|y_true - y_pred| / max(|y_true|, 1e-7). y: the output's shape.

    Args:
        name: default "mean_absolute_percentage_error".
    """

    _pair = staticmethod(_percentage)
    _function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(Formula):
    """Mean of (log(1 + y_true) - log(1 + y_pred))², both at least 1e-7. y: the output's shape.

    Args:
        name: default "mean_squared_logarithmic_error".
    """

    _pair = staticmethod(_logarithmic)
    _function = staticmethod(mean_squared_logarithmic_error)


class Huber(Formula):
    """Mean of e²/2 where |e| <= delta, else delta·|e| - delta²/2; e = y_true - y_pred. y: the output's shape.

    Args:
        delta: where the square becomes a line; positive, default 1.0.
        name: default "huber_loss", as in Keras.
    """

    _pair = staticmethod(_huber)
    _function = staticmethod(huber)

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        self.delta = number(delta, "Huber: delta", float(np.finfo(np.float32).tiny))
        super().__init__(reduction, name, dtype)

    def arguments(self) -> dict[str, Any]:
        return {"delta": self.delta}


class LogCosh(Formula):
    """Mean of log(cosh(y_pred - y_true)). y: the output's shape.

    Args:
        name: default "log_cosh".
    """

    _pair = staticmethod(_log_cosh)
    _function = staticmethod(log_cosh)


class CosineSimilarity(Formula):
    """Mean over the rows of -cos of the angle between y_true and y_pred. y: the output's shape.

    Args:
        name: default "cosine_similarity".
    """

    keras_defaults: ClassVar[dict[str, Any]] = {**KERAS_DEFAULTS, "axis": -1}
    _pair = staticmethod(_cosine)
    _function = staticmethod(cosine_similarity)

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis)
