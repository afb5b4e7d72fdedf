"""Cross-entropies: of classes, of class numbers, of independent probabilities, and the focal ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten._checks import flag, integer, number
from tauten.losses.base import EPSILON, KERAS_DEFAULTS, Formula, Loss, Pair, Values, aligned, floats


def categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Values:
    """-Σ_i y_i·log p_i over the last axis: one-hot or probabilities (..., classes) twice -> (...).

    Args:
        y_true: targets.
        y_pred: probabilities p, made to sum to 1; or logits, p = softmax(logits).
        from_logits: default False.
        label_smoothing: s: y becomes (1 - s)·y + s / classes; default 0.
        axis: of the classes, in the place of the last one; default -1.
    """
    y_true, y_pred = np.moveaxis(np.asarray(y_true), axis, -1), np.moveaxis(np.asarray(y_pred), axis, -1)
    targets = smoothed(np.asarray(y_true), label_smoothing, np.shape(y_pred)[-1])
    return np.asarray(-np.sum(targets * _log_probabilities(y_pred, from_logits), axis=-1))


def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Values:
    """-log p_y: class numbers (...) and probabilities (..., classes) -> (...).

    Args:
        y_true: integers in [0, classes), (...) or (..., 1).
        y_pred: probabilities p, made to sum to 1; or logits, p = softmax(logits).
        from_logits: default False.
        ignore_class: rows of this class number have the loss 0; default None.
        axis: of the classes in y_pred, in the place of the last one; default -1.
    """
    log_p = _log_probabilities(np.moveaxis(np.asarray(y_pred), axis, -1), from_logits)
    labels = np.asarray(y_true).astype(np.int64).reshape(log_p.shape[:-1])
    counted = labels != ignore_class if ignore_class is not None else np.ones(labels.shape, bool)
    found = -np.take_along_axis(log_p, np.where(counted, labels, 0)[..., None], axis=-1)[..., 0]
    return np.asarray(np.where(counted, found, 0))


def binary_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Values:
    """Mean of -y·log p - (1 - y)·log(1 - p) over the last axis: (..., features) twice -> (...).

    Args:
        y_true: targets in [0, 1].
        y_pred: probabilities p; or logits, p = sigmoid(logits).
        from_logits: default False.
        label_smoothing: s: y becomes (1 - s)·y + s / 2; default 0.
        axis: of the mean, in the place of the last one; default -1.
    """
    targets, values = smoothed(np.asarray(y_true), label_smoothing, 2), floats(y_pred)
    if from_logits:
        losses = np.maximum(values, 0) - values * targets + np.log1p(np.exp(-np.abs(values)))
    else:
        p = np.clip(values, EPSILON, 1 - EPSILON)
        losses = -(targets * np.log(p) + (1 - targets) * np.log1p(-p))
    return np.asarray(losses.mean(axis=axis))


def smoothed(y: NDArray[Any], share: float, classes: int) -> NDArray[Any]:
    """Targets of which a share goes to all classes alike."""
    return y if share == 0 else y * (1.0 - share) + share / classes


def _log_probabilities(y_pred: ArrayLike, from_logits: bool) -> Values:
    values = floats(y_pred)
    if from_logits:
        shifted = values - values.max(axis=-1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
    p = values / values.sum(axis=-1, keepdims=True)
    return np.asarray(np.log(np.clip(p, EPSILON, 1 - EPSILON)))


def _softmax(z: Values) -> Values:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _sigmoid(z: Values) -> Values:
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1, e) / (1 + e))


def _through_softmax(gradient: Values, p: Values) -> Values:
    """From ∂/∂p to ∂/∂z, p = softmax(z)."""
    return np.asarray(p * (gradient - (gradient * p).sum(axis=-1, keepdims=True)))


def _through_sum(gradient: Values, p: Values, total: Values) -> Values:
    """From ∂/∂p to ∂/∂y, p = y / Σ y."""
    return np.asarray((gradient - (gradient * p).sum(axis=-1, keepdims=True)) / total)


def _inside(p: Values) -> NDArray[np.bool_]:
    """Where probabilities are not clipped."""
    return (p >= EPSILON) & (p <= 1 - EPSILON)


def _sparse(y: NDArray[Any], values: Values, from_logits: bool, ignore_class: int) -> Pair:
    """Of the rows that count; those to be ignored have the loss 0, and the mean is over the others."""
    labels = y.astype(np.int64).reshape(values.shape[:-1])
    counted = labels != ignore_class
    classes = values.shape[-1]
    if not ((labels[counted] >= 0) & (labels[counted] < classes)).all():
        raise ValueError(
            f"sparse_categorical_crossentropy: y: expected class numbers in [0, {classes}) or ignore_class"
        )
    share = values.dtype.type(labels.size / max(int(counted.sum()), 1)) * counted
    place = np.where(counted, labels, 0)[..., None]
    losses = sparse_categorical_crossentropy(place, values, from_logits) * share
    one_hot = np.zeros_like(values)
    np.put_along_axis(one_hot, place, 1, -1)
    if from_logits:
        return losses, (_softmax(values) - one_hot) * share[..., None]
    total = values.sum(axis=-1, keepdims=True)
    p = values / total
    gradient = np.where(_inside(p), -one_hot / np.clip(p, EPSILON, 1), 0)
    return losses, _through_sum(gradient, p, total) * share[..., None]


def _categorical_focal(
    y: Values, values: Values, alpha: Any, gamma: float, from_logits: bool, label_smoothing: float
) -> Pair:
    y = smoothed(y, label_smoothing, values.shape[-1])
    q = _softmax(values) if from_logits else values
    total = q.sum(axis=-1, keepdims=True)
    whole = q / total
    p = np.clip(whole, EPSILON, 1 - EPSILON).astype(values.dtype)
    weight = np.asarray(alpha, dtype=values.dtype) * y
    losses = -(weight * (1 - p) ** gamma * np.log(p)).sum(axis=-1)
    slope = weight * (gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p)
    gradient = _through_sum(np.where(_inside(whole), slope, 0), whole, total)
    return losses, _through_softmax(gradient, q) if from_logits else gradient


def _binary_focal(
    y: Values,
    values: Values,
    apply_class_balancing: bool,
    alpha: float,
    gamma: float,
    from_logits: bool,
    label_smoothing: float,
) -> Pair:
    y = smoothed(y, label_smoothing, 2)
    q = _sigmoid(values) if from_logits else values
    p = np.clip(q, EPSILON, 1 - EPSILON).astype(values.dtype)
    entropy = -(y * np.log(p) + (1 - y) * np.log1p(-p))
    miss = 1 - (y * q + (1 - y) * (1 - q))
    weight = y * alpha + (1 - y) * (1 - alpha) if apply_class_balancing else np.ones_like(y)
    losses = weight * miss**gamma * entropy
    with np.errstate(divide="ignore", invalid="ignore"):
        steep = np.where((miss > 0) | (gamma >= 1), gamma * miss ** (gamma - 1), 0)
    slope = np.where(_inside(q), (1 - y) / (1 - p) - y / p, 0)
    gradient = weight * (steep * (1 - 2 * y) * entropy + miss**gamma * slope) / values.shape[-1]
    return losses.mean(axis=-1), gradient * q * (1 - q) if from_logits else gradient


def categorical_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Values:
    """-Σ_i alpha_i·(1 - p_i)^gamma·y_i·log p_i over the last axis: (..., classes) twice -> (...).

    Arguments as of CategoricalFocalCrossentropy; axis stands in the place of the last one.
    """
    y, p = (np.moveaxis(each, axis, -1) for each in aligned(y_true, y_pred, "categorical_focal_crossentropy"))
    return _categorical_focal(y, p, alpha, gamma, from_logits, label_smoothing)[0]


def binary_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Values:
    """Mean of (1 - p_t)^gamma times the binary cross-entropy over the last axis; p_t is the probability of the truth.

    Arguments as of BinaryFocalCrossentropy; axis stands in the place of the last one.
    """
    y, p = (np.moveaxis(each, axis, -1) for each in aligned(y_true, y_pred, "binary_focal_crossentropy"))
    return _binary_focal(y, p, apply_class_balancing, alpha, gamma, from_logits, label_smoothing)[0]


class _Crossentropy(Loss):
    _function: Callable[..., Values]

    def __init__(self, from_logits: bool = False, *, name: str | None = None, **kwargs: Any) -> None:
        self.from_logits = flag(from_logits, f"{type(self).__name__}: from_logits")
        super().__init__(name=name, **kwargs)

    def arguments(self) -> dict[str, Any]:
        """What get_config() has beside the name."""
        return {"from_logits": self.from_logits}

    def _rows(self, y_true: ArrayLike, y_pred: ArrayLike) -> Values:
        return type(self)._function(y_true, y_pred, **self.arguments())

    def get_config(self) -> dict[str, Any]:
        return {**self.arguments(), "name": self.name}


class _Smoothed(_Crossentropy):
    keras_defaults: ClassVar[dict[str, Any]] = {**KERAS_DEFAULTS, "axis": -1}

    def __init__(
        self, from_logits: bool = False, label_smoothing: float = 0.0, *, name: str | None = None, **kwargs: Any
    ) -> None:
        self.label_smoothing = number(label_smoothing, f"{type(self).__name__}: label_smoothing", 0.0, 1.0)
        super().__init__(from_logits, name=name, **kwargs)

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "label_smoothing": self.label_smoothing}


class CategoricalCrossentropy(_Smoothed):
    """Mean over the rows of -Σ_i y_i·log p_i. y: one-hot or probabilities (..., classes).

    Args:
        from_logits: False (default): the model ends in softmax; True: it ends in logits. Both are computed as one
            stable function of the logits.
        label_smoothing: s in [0, 1]: y becomes (1 - s)·y + s / classes; default 0. Metrics see y as it is.
        name: default "categorical_crossentropy".
    """

    native = "categorical_crossentropy"
    _function = staticmethod(categorical_crossentropy)


class SparseCategoricalCrossentropy(_Crossentropy):
    """Mean over the rows of -log p_y. y: class numbers in [0, classes), (...) or (..., 1).

    Args:
        from_logits: False (default): the model ends in softmax; True: it ends in logits. Both are computed as one
            stable function of the logits.
        ignore_class: rows with this class number, in or out of range, do not count: the mean is over the others of a
            batch; default None. NumPy computes it, from clipped probabilities unless from_logits.
        name: default "sparse_categorical_crossentropy".
    """

    native: str | None = "sparse_categorical_crossentropy"
    keras_defaults: ClassVar[dict[str, Any]] = {**KERAS_DEFAULTS, "axis": -1}
    _function = staticmethod(sparse_categorical_crossentropy)

    def __init__(
        self, from_logits: bool = False, ignore_class: int | None = None, *, name: str | None = None, **kwargs: Any
    ) -> None:
        what = "SparseCategoricalCrossentropy: ignore_class"
        self.ignore_class = None if ignore_class is None else integer(ignore_class, what, -(2**31))
        super().__init__(from_logits, name=name, **kwargs)
        if self.ignore_class is not None:
            self.native = None

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "ignore_class": self.ignore_class}

    def call(self, y_true: Any, y_pred: Any) -> Pair:
        assert self.ignore_class is not None
        return _sparse(np.asarray(y_true), floats(y_pred), self.from_logits, self.ignore_class)

    def _rows(self, y_true: ArrayLike, y_pred: ArrayLike) -> Values:
        return self.call(y_true, y_pred)[0] if self.native is None else super()._rows(y_true, y_pred)


class BinaryCrossentropy(_Smoothed):
    """Mean over features and rows of -y·log p - (1 - y)·log(1 - p). y: in [0, 1], the output's shape.

    Args:
        from_logits: False (default): the model ends in sigmoid; True: it ends in logits. Both are computed as one
            stable function of the logits.
        label_smoothing: s in [0, 1]: y becomes (1 - s)·y + s / 2; default 0. Metrics see y as it is.
        name: default "binary_crossentropy".
    """

    native = "binary_crossentropy"
    _function = staticmethod(binary_crossentropy)


class CategoricalFocalCrossentropy(Formula):
    """Mean over the rows of -Σ_i alpha_i·(1 - p_i)^gamma·y_i·log p_i. y: one-hot or probabilities (..., classes).

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection".

    Args:
        alpha: a number, or one a class; default 0.25.
        gamma: at least 0; the larger, the less well classified rows count; default 2.0.
        from_logits: False (default): outputs are probabilities, clipped to [1e-7, 1 - 1e-7]; True: logits.
        label_smoothing: s in [0, 1]: y becomes (1 - s)·y + s / classes; default 0.
        name: default "categorical_focal_crossentropy".
    """

    keras_defaults: ClassVar[dict[str, Any]] = {**KERAS_DEFAULTS, "axis": -1}
    _pair = staticmethod(_categorical_focal)
    _function = staticmethod(categorical_focal_crossentropy)

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        what = "CategoricalFocalCrossentropy"
        several = isinstance(alpha, (list, tuple, np.ndarray))
        self.alpha = [number(one, f"{what}: alpha") for one in alpha] if several else number(alpha, f"{what}: alpha")
        self.gamma = number(gamma, f"{what}: gamma", 0.0)
        self.from_logits = flag(from_logits, f"{what}: from_logits")
        self.label_smoothing = number(label_smoothing, f"{what}: label_smoothing", 0.0, 1.0)
        super().__init__(name=name, **kwargs)

    def arguments(self) -> dict[str, Any]:
        return {
            "alpha": self.alpha,
            "gamma": self.gamma,
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
        }


class BinaryFocalCrossentropy(Formula):
    """Mean of (1 - p_t)^gamma times the binary cross-entropy; p_t is the probability of the truth. y: in [0, 1].

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection".

    Args:
        apply_class_balancing: multiply by alpha where y is 1, by 1 - alpha where it is 0; default False.
        alpha: default 0.25.
        gamma: at least 0; the larger, the less well classified outputs count; default 2.0.
        from_logits: False (default): outputs are probabilities, clipped to [1e-7, 1 - 1e-7]; True: logits.
        label_smoothing: s in [0, 1]: y becomes (1 - s)·y + s / 2; default 0.
        name: default "binary_focal_crossentropy".
    """

    keras_defaults: ClassVar[dict[str, Any]] = {**KERAS_DEFAULTS, "axis": -1}
    _pair = staticmethod(_binary_focal)
    _function = staticmethod(binary_focal_crossentropy)

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        what = "BinaryFocalCrossentropy"
        self.apply_class_balancing = flag(apply_class_balancing, f"{what}: apply_class_balancing")
        self.alpha = number(alpha, f"{what}: alpha")
        self.gamma = number(gamma, f"{what}: gamma", 0.0)
        self.from_logits = flag(from_logits, f"{what}: from_logits")
        self.label_smoothing = number(label_smoothing, f"{what}: label_smoothing", 0.0, 1.0)
        super().__init__(name=name, **kwargs)

    def arguments(self) -> dict[str, Any]:
        return {
            "apply_class_balancing": self.apply_class_balancing,
            "alpha": self.alpha,
            "gamma": self.gamma,
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
        }
