"""What every loss has, and losses that Python functions compute."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten._checks import keras_only, layer_name
from tauten._repr import shown

EPSILON = 1e-7  # Keras' distance of probabilities from 0 and 1
KERAS_DEFAULTS: dict[str, Any] = {"reduction": "sum_over_batch_size", "dtype": None}

Values = NDArray[np.floating[Any]]
Pair = tuple[Values, Values]  # values, and their gradient


class Loss:
    """Base of the losses. Calling one on arrays (y_true, y_pred, sample_weight=None) gives the mean over its values.

    With weights: Σ w·loss / number of values, as in Keras.

    A subclass of your own defines call(y_true, y_pred), which returns (values, gradient): values of shape
    y_pred.shape[:-1], one a row, and gradient = ∂(Σ values)/∂y_pred, of y_pred's shape. Tauten has no automatic
    differentiation; tauten.losses.check_gradient() compares the gradient with differences. The mean, sample weights,
    masks and loss_weights are Tauten's business. Values may also be one a sample, one a number of y_pred, or a single
    number: the loss is their mean in every case.

    Args:
        name: default that of the class, in snake_case.
    """

    native: str | None = None  # the function in the core; None: call() computes it, in Python
    from_logits: bool = False
    keras_defaults: ClassVar[dict[str, Any]] = KERAS_DEFAULTS

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        keras_only(type(self).__name__, kwargs, self.keras_defaults)
        self.name = layer_name(name or self.native or snake_case(type(self).__name__), f"{type(self).__name__}: name")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(values, gradient) of arrays; what a subclass defines."""
        raise NotImplementedError(
            f"loss {self.name!r}: {type(self).__name__} has no call(y_true, y_pred) that returns (values, gradient)"
        )

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The mean over the rows of one loss a row."""
        values = np.asarray(self._rows(y_true, y_pred))
        if sample_weight is not None:
            values = values * expanded(np.asarray(sample_weight), values.ndim)
        return float(values.mean())

    def _rows(self, y_true: ArrayLike, y_pred: ArrayLike) -> Values:
        return np.asarray(checked_pair(self.call(np.asarray(y_true), floats(y_pred)), self.name)[0])

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """The loss whose get_config() this is."""
        return cls(**config)

    def __repr__(self) -> str:
        return shown(self, {"name": self.name, **self.get_config()})


class FunctionLoss(Loss):
    """A Python function f(y_true, y_pred) as a loss; it returns what Loss.call() does.

    Args:
        function: of arrays.
        name: default the function's.
    """

    def __init__(self, function: Callable[[Any, Any], Any], name: str | None = None) -> None:
        self.function = function
        super().__init__(name or function_name(function))

    @property
    def class_name(self) -> str:
        """What files call it: load_model(custom_objects={...}) finds the function by it."""
        return function_name(self.function)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.function(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        return {}


class Formula(Loss):
    """A loss of Keras' that NumPy computes: `_pair` is (values, gradient) of arrays of one shape and the arguments."""

    _pair: Callable[..., Pair]
    _function: Callable[..., Values]

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name, reduction=reduction, dtype=dtype, **kwargs)

    def arguments(self) -> dict[str, Any]:
        """What get_config() has beside the name."""
        return {}

    def call(self, y_true: Any, y_pred: Any) -> Pair:
        return type(self)._pair(*aligned(y_true, y_pred, self.name), **self.arguments())

    def get_config(self) -> dict[str, Any]:
        return {**self.arguments(), "name": self.name}


def checked_pair(found: Any, name: str) -> tuple[Any, Any]:
    """A loss function's result. Raises TypeError for what is no pair (loss, gradient)."""
    if isinstance(found, (tuple, list)) and len(found) == 2:
        return found[0], found[1]
    shape = getattr(found, "shape", None)
    got = f"an array of shape {shape}" if shape is not None else repr(found)[:80]
    raise TypeError(
        f"loss {name!r}: a loss in Python must return (loss, gradient), gradient = ∂(Σ loss)/∂y_pred; Tauten has no "
        f"automatic differentiation. Got {got}"
    )


def aligned(y_true: ArrayLike, y_pred: ArrayLike, name: str) -> tuple[Values, Values]:
    """Both in y_pred's float type; a last axis of 1 is added or taken away. Raises ValueError for other shapes."""
    p = floats(y_pred)
    y = np.asarray(y_true).astype(p.dtype, copy=False)
    if y.ndim == p.ndim + 1 and y.shape[-1] == 1:
        y = y[..., 0]
    elif p.ndim == y.ndim + 1 and p.shape[-1] == 1:
        y = y[..., None]
    if y.shape != p.shape:
        raise ValueError(f"{name}: expected y_true of y_pred's shape {p.shape}, got {np.shape(y_true)}")
    return y, p


def expanded(weight: NDArray[Any], rank: int) -> NDArray[Any]:
    """Weights with axes of extent 1 behind them, so that they go with values of that rank."""
    if weight.ndim == rank + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    return weight.reshape(weight.shape + (1,) * (rank - weight.ndim))


def floats(values: ArrayLike) -> NDArray[Any]:
    """An array of floats; other numbers become float64."""
    array = np.asarray(values)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def function_name(function: Callable[..., Any]) -> str:
    """What logs and files call a function; a lambda is "lambda"."""
    name = getattr(function, "__name__", None) or type(function).__name__
    return "lambda" if name == "<lambda>" else str(name)


def snake_case(name: str) -> str:
    """ "MyLoss" -> "my_loss"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().lstrip("_") or "loss"
