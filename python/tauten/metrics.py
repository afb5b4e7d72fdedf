"""Metrics: what fit and evaluate report beside the loss. Means over the rows, never weighted (as in Keras)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tauten._checks import keras_only, layer_name
from tauten._registry import resolve

__all__ = [
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "SparseCategoricalAccuracy",
    "get",
]


class Metric:
    """Base of the metrics: a name for the logs and the native function that computes it."""

    native: str
    keras_defaults: ClassVar[dict[str, Any]] = {"dtype": None}

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        keras_only(type(self).__name__, kwargs, self.keras_defaults)
        self.name = layer_name(name or self.native, f"{type(self).__name__}: name")

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """The metric whose get_config() this is."""
        return cls(**config)


class BinaryAccuracy(Metric):
    """Share of outputs on their target's side of 0.5: mean over features and rows. y: 0 or 1, the output's shape.

    Args:
        name: in the logs; default "binary_accuracy".
    """

    native = "binary_accuracy"
    keras_defaults: ClassVar[dict[str, Any]] = {"dtype": None, "threshold": 0.5}


class CategoricalAccuracy(Metric):
    """Share of rows whose largest output is the target's largest. y: one-hot (..., classes).

    Args:
        name: in the logs; default "categorical_accuracy".
    """

    native = "categorical_accuracy"


class SparseCategoricalAccuracy(Metric):
    """Share of rows whose largest output is the target's class. y: class numbers (...).

    Args:
        name: in the logs; default "sparse_categorical_accuracy".
    """

    native = "sparse_categorical_accuracy"


class MeanSquaredError(Metric):
    """Mean of (y - output)² over features and rows.

    Args:
        name: in the logs; default "mean_squared_error".
    """

    native = "mean_squared_error"


class MeanAbsoluteError(Metric):
    """Mean of |y - output| over features and rows.

    Args:
        name: in the logs; default "mean_absolute_error".
    """

    native = "mean_absolute_error"


_classes: tuple[type[Metric], ...] = (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    MeanSquaredError,
    MeanAbsoluteError,
)
_names: dict[str, type[Metric]] = {
    **{cls.__name__: cls for cls in _classes},
    **{cls.native: cls for cls in _classes},
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
}

Identifier = Metric | str | dict[str, Any] | type[Metric]


def get(identifier: Identifier) -> Metric:
    """A metric from an object, a class, a name or a config. Named by the string that was given ("mse" stays "mse").

    Raises:
        ValueError, TypeError: for what names none.
    """
    metric = resolve(identifier, Metric, _names, "metric")
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def get_all(identifiers: Sequence[Identifier] | None) -> list[Metric | str]:
    """compile()'s metrics: objects, but "accuracy" and "acc" stay names until loss and output shape are known.

    Raises:
        ValueError, TypeError: for what names no metric, and for two of the same name.
    """
    if identifiers is None:
        return []
    if not isinstance(identifiers, (list, tuple)):
        raise ValueError(f"compile: expected a list of metrics, got {identifiers!r}")
    found: list[Metric | str] = [item if is_accuracy(item) else get(item) for item in identifiers]
    names = [metric_name(metric) for metric in found]
    for name in names:
        if names.count(name) > 1 or name == "loss":
            raise ValueError(f"compile: a metric's name must be unique and not 'loss', got {name!r} in {names}")
    return found


def is_accuracy(identifier: object) -> bool:
    """Is this the name that stands for the accuracy that fits the loss?"""
    return isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc")


def metric_name(metric: Metric | str) -> str:
    """The name in the logs."""
    return metric if isinstance(metric, str) else metric.name


def native_name(metric: Metric | str, sparse: bool, features: int | None) -> str:
    """The native function of a metric, "accuracy" by Keras' rule: from the targets' form and the output's last axis.

    Args:
        metric: an object, or "accuracy".
        sparse: targets are class numbers.
        features: the output's last extent.

    Raises:
        ValueError: when the metric reads targets in another form than the loss.
    """
    if isinstance(metric, str):
        if features == 1:
            return BinaryAccuracy.native
        return SparseCategoricalAccuracy.native if sparse else CategoricalAccuracy.native
    if sparse != (metric.native == SparseCategoricalAccuracy.native):
        form = "class numbers" if sparse else "targets of the output's shape"
        hint = "sparse_categorical_accuracy" if sparse else "categorical_accuracy"
        raise ValueError(
            f"compile: metric {metric.name!r} does not go with this loss, whose targets are {form}; "
            f"use 'accuracy' or {hint!r}"
        )
    return metric.native
