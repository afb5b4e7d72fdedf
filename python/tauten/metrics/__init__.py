"""Metrics: what fit and evaluate report beside the loss. Unweighted, unless compile() has them as weighted_metrics.

The accuracies of classes and the squared and absolute error are computed natively in training. The others, and your own
(Metric, or a function of (y_true, y_pred) that returns one value a row), are Python: they see a batch's targets and
predictions after its step. All can be used by themselves, with update_state(), result() and reset_state().
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tauten import losses
from tauten._registry import resolve, serialize, with_custom
from tauten.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from tauten.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    by_form,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from tauten.metrics.base import Mean, MeanMetricWrapper, Metric, Sum
from tauten.metrics.confusion import AUC, Precision, Recall
from tauten.metrics.rows import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    F1Score,
    FBetaScore,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    R2Score,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

_classes: tuple[type[Metric], ...] = (
    AUC,
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    F1Score,
    FBetaScore,
    Hinge,
    KLDivergence,
    LogCoshError,
    Mean,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    Precision,
    R2Score,
    Recall,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SquaredHinge,
    Sum,
    TopKCategoricalAccuracy,
)
_functions: dict[Callable[..., Any], type[Metric]] = {
    binary_accuracy: BinaryAccuracy,
    categorical_accuracy: CategoricalAccuracy,
    sparse_categorical_accuracy: SparseCategoricalAccuracy,
    top_k_categorical_accuracy: TopKCategoricalAccuracy,
    sparse_top_k_categorical_accuracy: SparseTopKCategoricalAccuracy,
    losses.mean_squared_error: MeanSquaredError,
    losses.mean_absolute_error: MeanAbsoluteError,
    losses.mean_absolute_percentage_error: MeanAbsolutePercentageError,
    losses.mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    losses.binary_crossentropy: BinaryCrossentropy,
    losses.categorical_crossentropy: CategoricalCrossentropy,
    losses.sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    losses.log_cosh: LogCoshError,
    losses.kl_divergence: KLDivergence,
    losses.poisson: Poisson,
    losses.hinge: Hinge,
    losses.squared_hinge: SquaredHinge,
    losses.categorical_hinge: CategoricalHinge,
}
_short: dict[str, type[Metric]] = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
}
_names: dict[str, type[Metric]] = {
    **{cls.__name__: cls for cls in _classes},
    **{function.__name__: cls for function, cls in _functions.items()},
    **_short,
    **{name.upper(): cls for name, cls in _short.items()},
    "accuracy": Accuracy,
    "auc": AUC,
    "cosine_similarity": CosineSimilarity,
    "f1_score": F1Score,
    "fbeta_score": FBetaScore,
    "logcosh": LogCoshError,
    "precision": Precision,
    "r2_score": R2Score,
    "recall": Recall,
    "root_mean_squared_error": RootMeanSquaredError,
    "rmse": RootMeanSquaredError,
}

Identifier = Metric | str | dict[str, Any] | type[Metric] | Callable[..., Any]


def get(identifier: Identifier) -> Metric:
    """A metric from an object, a class, a name, a config or a function (y_true, y_pred) of one value a row.

    Named by the string that was given ("mse" stays "mse"), or by the function.

    Raises:
        ValueError, TypeError: for what names none.
    """
    if callable(identifier) and not isinstance(identifier, (Metric, type)):
        return MeanMetricWrapper(identifier)
    metric = resolve(identifier, Metric, _names, "metric")
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Metric:
    """The metric that serialize() wrote; or one of your own, by its name in `custom_objects`."""
    return get(with_custom(config, custom_objects))


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


def in_python(metric: Metric | str) -> Metric:
    """The object that updates and gives results; "accuracy" goes by the shapes that it meets."""
    return MeanMetricWrapper(by_form, name=metric) if isinstance(metric, str) else metric


def native_name(metric: Metric | str, sparse: bool, features: int | None) -> str:
    """The native function of a metric, "accuracy" by Keras' rule: from the targets' form and the output's last axis.

    Args:
        metric: an object with one, or "accuracy".
        sparse: targets are class numbers.
        features: the output's last extent.

    Raises:
        ValueError: when the metric reads targets in another form than the loss.
    """
    if isinstance(metric, str):
        cls: type[Metric] = SparseCategoricalAccuracy if sparse else CategoricalAccuracy
        return str(BinaryAccuracy.native if features == 1 else cls.native)
    if sparse != (metric.native == SparseCategoricalAccuracy.native):
        form = "class numbers" if sparse else "targets of the output's shape"
        hint = "sparse_categorical_accuracy" if sparse else "categorical_accuracy"
        raise ValueError(
            f"compile: metric {metric.name!r} does not go with this loss, whose targets are {form}; "
            f"use 'accuracy' or {hint!r}"
        )
    return str(metric.native)
