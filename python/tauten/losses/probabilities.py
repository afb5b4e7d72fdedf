"""Losses between distributions and of counts, and the hinges."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tauten.losses.base import EPSILON, Formula, Pair, Values, aligned


def _kl_divergence(y: Values, p: Values) -> Pair:
    low = p.dtype.type(EPSILON)
    targets, kept = np.clip(y, low, 1), np.clip(p, low, 1)
    values = (targets * np.log(targets / kept)).sum(axis=-1)
    return values, np.where((p >= low) & (p <= 1), -targets / kept, 0)


def _poisson(y: Values, p: Values) -> Pair:
    above = p + p.dtype.type(EPSILON)
    return (p - y * np.log(above)).mean(axis=-1), (1 - y / above) / p.shape[-1]


def _signs(y: Values) -> Values:
    """Targets -1 and 1 from 0 and 1, unless others are among them."""
    return 2 * y - 1 if np.isin(y, (0, 1)).all() else y


def _hinge(y: Values, p: Values) -> Pair:
    y = _signs(y)
    rest = np.maximum(1 - y * p, 0)
    return rest.mean(axis=-1), np.where(rest > 0, -y, 0) / p.shape[-1]


def _squared_hinge(y: Values, p: Values) -> Pair:
    y = _signs(y)
    rest = np.maximum(1 - y * p, 0)
    return np.square(rest).mean(axis=-1), -2 * y * rest / p.shape[-1]


def _categorical_hinge(y: Values, p: Values) -> Pair:
    others = (1 - y) * p
    best = np.expand_dims(others.argmax(axis=-1), -1)
    rest = others.max(axis=-1) - (y * p).sum(axis=-1) + 1
    gradient = -y
    np.put_along_axis(gradient, best, np.take_along_axis(1 - 2 * y, best, -1), -1)
    return np.maximum(rest, 0), np.where(rest[..., None] > 0, gradient, 0)


def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> Values:
    """Σ y_true·log(y_true / y_pred) over the last axis, both clipped to [1e-7, 1]."""
    return _kl_divergence(*aligned(y_true, y_pred, "kl_divergence"))[0]


def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> Values:
    """Mean of y_pred - y_true·log(y_pred + 1e-7) over the last axis."""
    return _poisson(*aligned(y_true, y_pred, "poisson"))[0]


def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Values:
    """Mean of max(1 - y_true·y_pred, 0) over the last axis; y_true is -1 and 1, or 0 and 1."""
    return _hinge(*aligned(y_true, y_pred, "hinge"))[0]


def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Values:
    """Mean of max(1 - y_true·y_pred, 0)² over the last axis; y_true is -1 and 1, or 0 and 1."""
    return _squared_hinge(*aligned(y_true, y_pred, "squared_hinge"))[0]


def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Values:
    """max(max((1 - y_true)·y_pred) - Σ y_true·y_pred + 1, 0) over the last axis; y_true is one-hot."""
    return _categorical_hinge(*aligned(y_true, y_pred, "categorical_hinge"))[0]


class KLDivergence(Formula):
    """Mean over the rows of Σ y_true·log(y_true / y_pred), both clipped to [1e-7, 1]. y: probabilities.

    Args:
        name: default "kl_divergence".
    """

    _pair = staticmethod(_kl_divergence)
    _function = staticmethod(kl_divergence)


class Poisson(Formula):
    """Mean of y_pred - y_true·log(y_pred + 1e-7): counts y_true of the rates y_pred.

    Args:
        name: default "poisson".
    """

    _pair = staticmethod(_poisson)
    _function = staticmethod(poisson)


class Hinge(Formula):
    """Mean of max(1 - y_true·y_pred, 0). y: -1 and 1, or 0 and 1, of the output's shape.

    Args:
        name: default "hinge".
    """

    _pair = staticmethod(_hinge)
    _function = staticmethod(hinge)


class SquaredHinge(Formula):
    """Mean of max(1 - y_true·y_pred, 0)². y: -1 and 1, or 0 and 1, of the output's shape.

    Args:
        name: default "squared_hinge".
    """

    _pair = staticmethod(_squared_hinge)
    _function = staticmethod(squared_hinge)


class CategoricalHinge(Formula):
    """Mean over the rows of max(max((1 - y_true)·y_pred) - Σ y_true·y_pred + 1, 0). y: one-hot.

    Args:
        name: default "categorical_hinge".
    """

    _pair = staticmethod(_categorical_hinge)
    _function = staticmethod(categorical_hinge)
