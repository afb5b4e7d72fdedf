"""Loss functions (chapter §26.1): what training makes small. As classes, names, or functions of NumPy arrays.

The squared error and the cross-entropies are computed natively in training. The others, and your own (Loss), are
Python, called between a step's forward and its backward phase. The functions here give one value a row, no gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tauten._registry import resolve, serialize, with_custom
from tauten.losses.base import FunctionLoss, Loss
from tauten.losses.checks import check_gradient
from tauten.losses.crossentropies import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    sparse_categorical_crossentropy,
)
from tauten.losses.probabilities import (
    CategoricalHinge,
    Hinge,
    KLDivergence,
    Poisson,
    SquaredHinge,
    categorical_hinge,
    hinge,
    kl_divergence,
    poisson,
    squared_hinge,
)
from tauten.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "check_gradient",
    "cosine_similarity",
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
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

_functions: dict[Callable[..., Any], type[Loss]] = {
    mean_squared_error: MeanSquaredError,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    binary_crossentropy: BinaryCrossentropy,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    huber: Huber,
    log_cosh: LogCosh,
    cosine_similarity: CosineSimilarity,
    kl_divergence: KLDivergence,
    poisson: Poisson,
    hinge: Hinge,
    squared_hinge: SquaredHinge,
    categorical_hinge: CategoricalHinge,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
}
_short: dict[str, type[Loss]] = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
}
_names: dict[str, type[Loss]] = {
    **{cls.__name__: cls for cls in _functions.values()},
    **{function.__name__: cls for function, cls in _functions.items()},
    **_short,
    **{name.upper(): cls for name, cls in _short.items()},
    "logcosh": LogCosh,
}


def get(identifier: Loss | str | dict[str, Any] | Callable[..., Any]) -> Loss:
    """A loss from an object, a name ("mse"), a function or a config.

    A function is one of this module's, or one of your own that returns (values, gradient), as Loss.call() does.

    Raises:
        ValueError, TypeError: for what names none.
    """
    if callable(identifier) and not isinstance(identifier, (Loss, type)):
        return _functions[identifier]() if identifier in _functions else FunctionLoss(identifier)
    return resolve(identifier, Loss, _names, "loss")


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Loss:
    """The loss that serialize() wrote; or one of your own, by its name in `custom_objects`."""
    return get(with_custom(name, custom_objects))
