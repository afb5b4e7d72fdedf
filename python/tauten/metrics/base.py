"""What every metric has: a name, and, where Python computes it, Keras' protocol of updates and a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten._checks import keras_only, layer_name
from tauten._repr import shown
from tauten.losses.base import expanded, function_name, snake_case

_CONFIG = ("name", "_variables")


class MetricVariable(np.ndarray[Any, np.dtype[np.float64]]):
    """A number, or an array, that a metric adds up in float64; assign() and assign_add() set it, as in Keras."""

    def assign(self, value: ArrayLike) -> MetricVariable:
        """Set all its numbers."""
        self[...] = value
        return self

    def assign_add(self, value: ArrayLike) -> MetricVariable:
        """Add to it."""
        self[...] = np.add(self, value)
        return self

    def numpy(self) -> NDArray[np.float64]:
        """A copy."""
        return np.array(self)


class Metric:
    """Base of the metrics.

    A subclass of your own defines update_state(y_true, y_pred, sample_weight=None), result() and, unless it keeps all
    that it adds up in add_variable(), reset_state(). In fit and evaluate they get a batch's targets and the predictions
    that its loss was computed from, as NumPy arrays; the logs have result() of all batches of the epoch so far.
    sample_weight is None, but for weighted_metrics.

    Args:
        name: in the logs; default that of the class, in snake_case.
    """

    native: str | None = None  # the function in the core that computes it, for metrics without weights
    _direction: str | None = None  # "up" where large is good, "down" where it is not; callbacks ask
    keras_defaults: ClassVar[dict[str, Any]] = {"dtype": None}

    def __init__(self, dtype: Any = None, name: str | None = None, **kwargs: Any) -> None:
        keras_only(type(self).__name__, {"dtype": dtype, **kwargs}, self.keras_defaults)
        self.name = layer_name(name or self.native or snake_case(type(self).__name__), f"{type(self).__name__}: name")
        self._variables: list[MetricVariable] = []

    def add_variable(
        self,
        shape: tuple[int, ...] = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str | None = "sum",
        name: str | None = None,
    ) -> MetricVariable:
        """A number or array of zeros that updates add to; reset_state() sets it to zero again.

        Raises:
            ValueError: for another initializer, and another aggregation (over machines, of which there is one).
        """
        keras_only(f"metric {self.name!r}: add_variable", {"aggregation": aggregation}, {"aggregation": "sum"})
        if initializer not in (None, "zeros"):
            raise ValueError(f"metric {self.name!r}: add_variable: expected initializer='zeros', got {initializer!r}")
        variable = np.zeros(shape).view(MetricVariable)
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: tuple[int, ...] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> MetricVariable:
        """add_variable() by its other name."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[MetricVariable]:
        """What add_variable() made."""
        return list(self._variables)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        raise NotImplementedError(f"metric {self.name!r}: {type(self).__name__} has no update_state()")

    def result(self) -> Any:
        """The value over all that was seen since the last reset."""
        raise NotImplementedError(f"metric {self.name!r}: {type(self).__name__} has no result()")

    def reset_state(self) -> None:
        """Begin anew."""
        for variable in self._variables:
            variable.assign(0)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """update_state(), then result()."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_state(self) -> dict[str, Any]:
        """What it has added up, for a backup of fit: variables, and attributes that are numbers, text or arrays.

        Raises:
            TypeError: for another attribute, which a backup cannot hold; define get_state() and set_state() then.
        """
        kept = {id(variable) for variable in self._variables}
        state: dict[str, Any] = {"variables": [np.array(variable) for variable in self._variables]}
        for name, value in vars(self).items():
            if name in _CONFIG or id(value) in kept or callable(value):
                continue
            if not _plain(value):
                raise TypeError(
                    f"metric {self.name!r}: a backup cannot hold its attribute {name}, a {type(value).__name__}; keep "
                    "numbers and arrays, or define get_state() and set_state()"
                )
            state[name] = value
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what get_state() returned."""
        rest = dict(state)
        for variable, value in zip(self._variables, rest.pop("variables"), strict=True):
            variable.assign(value)
        for name, value in rest.items():
            before = getattr(self, name, None)
            setattr(self, name, np.asarray(value, before.dtype) if isinstance(before, np.ndarray) else value)

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """The metric whose get_config() this is."""
        return cls(**config)

    def __repr__(self) -> str:
        return shown(self, {"name": self.name, **self.get_config()})


class Mean(Metric):
    """The mean of values, weighted or not. update_state(values, sample_weight=None).

    Args:
        name: default "mean".
    """

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self._total = self.add_variable()
        self._count = self.add_variable()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add values; sample_weight: of their shape, or one for each of the first axes."""
        total, count = weighted_sum(values, sample_weight, self.name)
        self._total.assign_add(total)
        self._count.assign_add(count)

    def result(self) -> float:
        """Σ weight·value / Σ weight; 0 before anything was seen."""
        return float(divided(self._total, self._count))


class Sum(Metric):
    """The sum of values, weighted or not. update_state(values, sample_weight=None).

    Args:
        name: default "sum".
    """

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self._total = self.add_variable()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add values; sample_weight: of their shape, or one for each of the first axes."""
        self._total.assign_add(weighted_sum(values, sample_weight, self.name)[0])

    def result(self) -> float:
        """Σ weight·value."""
        return float(self._total)


class MeanMetricWrapper(Mean):
    """The mean of fn(y_true, y_pred, **kwargs) over its values, one a row.

    Args:
        fn: of two arrays; of a loss function's (values, gradient) the values are taken.
        name: default fn's.
        **kwargs: handed on to fn.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name or function_name(fn), dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    @property
    def class_name(self) -> str:
        """What files call it: load_model(custom_objects={...}) finds the function by it."""
        return function_name(self._fn) if type(self) is MeanMetricWrapper else type(self).__name__

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        found = self._fn(y_true, y_pred, **self._fn_kwargs)
        super().update_state(found[0] if isinstance(found, tuple) else found, sample_weight)

    def get_state(self) -> dict[str, Any]:
        return {"variables": [np.array(variable) for variable in self._variables]}

    def get_config(self) -> dict[str, Any]:
        if type(self) is MeanMetricWrapper:
            return {"name": self.name, **self._fn_kwargs}
        return {"name": self.name}


class RowMetric(MeanMetricWrapper):
    """One of Tauten's own functions of rows as a metric."""

    _direction = "down"
    _function: Callable[..., Any]

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        keras_only(type(self).__name__, kwargs, self.keras_defaults)
        super().__init__(type(self)._function, name or self.native)


def weighted_sum(values: Any, sample_weight: Any, name: str) -> tuple[float, float]:
    """Σ weight·value and Σ weight of each value.

    Raises TypeError for values that are no numbers, ValueError for weights that do not go with them.
    """
    found = np.asarray(values)
    if found.dtype.kind not in "fiub":
        raise TypeError(f"metric {name!r}: expected numbers, got dtype {found.dtype}")
    found = found.astype(np.float64, copy=False)
    if sample_weight is None:
        return float(found.sum()), float(found.size)
    weight = weights_for(sample_weight, found.shape, name)
    return float((found * weight).sum()), float(weight.sum())


def weights_for(sample_weight: Any, shape: tuple[int, ...], name: str) -> NDArray[np.float64]:
    """Weights of each of an array's numbers. Raises ValueError for weights that do not go with it."""
    weight = np.asarray(sample_weight, dtype=np.float64)
    try:
        return np.broadcast_to(expanded(weight, len(shape)), shape)
    except ValueError:
        raise ValueError(f"metric {name!r}: sample_weight of shape {weight.shape} for values of {shape}") from None


def divided(a: Any, b: Any) -> Any:
    """a / b, and 0 where b is 0."""
    top, bottom = np.asarray(a, np.float64), np.asarray(b, np.float64)
    found = np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom != 0)
    return float(found) if found.ndim == 0 else found


def _plain(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiub"
    if isinstance(value, (list, tuple)):
        return all(map(_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(item) for key, item in value.items())
    return value is None or isinstance(value, (bool, int, float, str, np.generic))
