"""Loss functions (chapter §26.1): what training makes small. As classes, names, or functions of NumPy arrays.

Training computes losses natively; the functions here are for looking at single values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten._checks import flag, keras_only, layer_name
from tauten._registry import resolve

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "get",
    "mean_squared_error",
    "sparse_categorical_crossentropy",
]

EPSILON = 1e-7  # Keras' distance of probabilities from 0 and 1


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
    """Mean of (y_true - y_pred)² over the last axis: (..., features) twice -> (...)."""
    difference = _floats(y_pred) - np.asarray(y_true)
    return np.asarray(np.mean(np.square(difference), axis=-1))


def categorical_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False) -> NDArray[Any]:
    """-Σ_i y_i·log p_i over the last axis: one-hot or probabilities (..., classes) twice -> (...).

    Args:
        y_true: targets.
        y_pred: probabilities p, made to sum to 1; or logits, p = softmax(logits).
        from_logits: default False.
    """
    return np.asarray(-np.sum(np.asarray(y_true) * _log_probabilities(y_pred, from_logits), axis=-1))


def sparse_categorical_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False) -> NDArray[Any]:
    """-log p_y: class numbers (...) and probabilities (..., classes) -> (...).

    Args:
        y_true: integers in [0, classes), (...) or (..., 1).
        y_pred: probabilities p, made to sum to 1; or logits, p = softmax(logits).
        from_logits: default False.
    """
    log_p = _log_probabilities(y_pred, from_logits)
    labels = np.asarray(y_true).astype(np.int64).reshape(log_p.shape[:-1])
    return np.asarray(-np.take_along_axis(log_p, labels[..., None], axis=-1)[..., 0])


def binary_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False) -> NDArray[Any]:
    """Mean of -y·log p - (1 - y)·log(1 - p) over the last axis: (..., features) twice -> (...).

    Args:
        y_true: targets in [0, 1].
        y_pred: probabilities p; or logits, p = sigmoid(logits).
        from_logits: default False.
    """
    targets, values = np.asarray(y_true), _floats(y_pred)
    if from_logits:
        losses = np.maximum(values, 0) - values * targets + np.log1p(np.exp(-np.abs(values)))
    else:
        p = np.clip(values, EPSILON, 1 - EPSILON)
        losses = -(targets * np.log(p) + (1 - targets) * np.log1p(-p))
    return np.asarray(losses.mean(axis=-1))


_KERAS_DEFAULTS: dict[str, Any] = {"reduction": "sum_over_batch_size", "dtype": None}


class Loss:
    """Base of the losses. Calling one on arrays (y_true, y_pred, sample_weight=None) gives the mean over the rows.

    With weights: Σ w·loss / rows, as in Keras.
    """

    native: str
    from_logits: bool = False
    keras_defaults: ClassVar[dict[str, Any]] = _KERAS_DEFAULTS
    _function: Callable[..., NDArray[Any]]

    def __init__(self, *, name: str | None = None, **kwargs: Any) -> None:
        keras_only(type(self).__name__, kwargs, self.keras_defaults)
        self.name = layer_name(name or self.native, f"{type(self).__name__}: name")

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Mean over the rows of one loss a row."""
        values = self._rows(y_true, y_pred)
        if sample_weight is not None:
            weights = np.asarray(sample_weight)
            values = values * weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
        return float(values.mean())

    def _rows(self, y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
        return type(self)._function(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """The loss whose get_config() this is."""
        return cls(**config)


class MeanSquaredError(Loss):
    """Mean of (y_true - y_pred)² over features and rows. y: the output's shape.

    Args:
        name: default "mean_squared_error".
    """

    native = "mean_squared_error"
    _function = staticmethod(mean_squared_error)


class _Crossentropy(Loss):
    def __init__(self, from_logits: bool = False, *, name: str | None = None, **kwargs: Any) -> None:
        self.from_logits = flag(from_logits, f"{type(self).__name__}: from_logits")
        super().__init__(name=name, **kwargs)

    def _rows(self, y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
        return type(self)._function(y_true, y_pred, from_logits=self.from_logits)

    def get_config(self) -> dict[str, Any]:
        return {"from_logits": self.from_logits, "name": self.name}


class CategoricalCrossentropy(_Crossentropy):
    """Mean over the rows of -Σ_i y_i·log p_i. y: one-hot or probabilities (..., classes).

    Args:
        from_logits: False (default): the model ends in softmax; True: it ends in logits. Both are computed as one
            stable function of the logits.
        name: default "categorical_crossentropy".
    """

    native = "categorical_crossentropy"
    keras_defaults: ClassVar[dict[str, Any]] = {**_KERAS_DEFAULTS, "label_smoothing": 0.0, "axis": -1}
    _function = staticmethod(categorical_crossentropy)


class SparseCategoricalCrossentropy(_Crossentropy):
    """Mean over the rows of -log p_y. y: class numbers in [0, classes), (...) or (..., 1).

    Args:
        from_logits: False (default): the model ends in softmax; True: it ends in logits. Both are computed as one
            stable function of the logits.
        name: default "sparse_categorical_crossentropy".
    """

    native = "sparse_categorical_crossentropy"
    keras_defaults: ClassVar[dict[str, Any]] = {**_KERAS_DEFAULTS, "ignore_class": None, "axis": -1}
    _function = staticmethod(sparse_categorical_crossentropy)


class BinaryCrossentropy(_Crossentropy):
    """Mean over features and rows of -y·log p - (1 - y)·log(1 - p). y: in [0, 1], the output's shape.

    Args:
        from_logits: False (default): the model ends in sigmoid; True: it ends in logits. Both are computed as one
            stable function of the logits.
        name: default "binary_crossentropy".
    """

    native = "binary_crossentropy"
    keras_defaults: ClassVar[dict[str, Any]] = {**_KERAS_DEFAULTS, "label_smoothing": 0.0, "axis": -1}
    _function = staticmethod(binary_crossentropy)


_classes: tuple[type[Loss], ...] = (
    MeanSquaredError,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    BinaryCrossentropy,
)
_names: dict[str, type[Loss]] = {
    **{cls.__name__: cls for cls in _classes},
    **{cls.native: cls for cls in _classes},
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
}
_functions: dict[Callable[..., Any], type[Loss]] = {cls._function: cls for cls in _classes}


def get(identifier: Loss | str | dict[str, Any] | Callable[..., Any]) -> Loss:
    """A loss from an object, a name ("mse"), one of this module's functions or a config.

    Raises:
        ValueError, TypeError: for what names none.
    """
    if callable(identifier) and not isinstance(identifier, (Loss, type)):
        if identifier not in _functions:
            raise TypeError("loss: Python functions as losses are not supported yet; use one of tauten.losses")
        return _functions[identifier]()
    return resolve(identifier, Loss, _names, "loss")


def _floats(values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _log_probabilities(y_pred: ArrayLike, from_logits: bool) -> NDArray[Any]:
    values = _floats(y_pred)
    if from_logits:
        shifted = values - values.max(axis=-1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
    p = values / values.sum(axis=-1, keepdims=True)
    return np.asarray(np.log(np.clip(p, EPSILON, 1 - EPSILON)))
