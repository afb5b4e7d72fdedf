"""Means over rows of what losses compute, and the scores of regression."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten import losses
from tauten._checks import flag, integer, number
from tauten.losses.base import aligned
from tauten.metrics.base import Mean, Metric, RowMetric, divided, weights_for


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> NDArray[np.floating[Any]]:
    """Σ y_true·y_pred / (‖y_true‖·‖y_pred‖) along an axis; 1 for the same direction."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


class MeanSquaredError(RowMetric):
    """Mean of (y - output)² over features and rows.

    Args:
        name: in the logs; default "mean_squared_error".
    """

    native = "mean_squared_error"
    _function = staticmethod(losses.mean_squared_error)


class MeanAbsoluteError(RowMetric):
    """Mean of |y - output| over features and rows.

    Args:
        name: in the logs; default "mean_absolute_error".
    """

    native = "mean_absolute_error"
    _function = staticmethod(losses.mean_absolute_error)


class MeanAbsolutePercentageError(RowMetric):
    """Mean of 100·|y - output| / max(|y|, 1e-7)."""

    _function = staticmethod(losses.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(RowMetric):
    """Mean of (log(1 + y) - log(1 + output))²."""

    _function = staticmethod(losses.mean_squared_logarithmic_error)


class LogCoshError(RowMetric):
    """Mean of log(cosh(output - y)). The default name is "logcosh", as in Keras."""

    _function = staticmethod(losses.log_cosh)

    def __init__(self, name: str | None = "logcosh", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)


class KLDivergence(RowMetric):
    """Mean over the rows of Σ y·log(y / output)."""

    _function = staticmethod(losses.kl_divergence)


class Poisson(RowMetric):
    """Mean of output - y·log(output)."""

    _function = staticmethod(losses.poisson)


class Hinge(RowMetric):
    """Mean of max(1 - y·output, 0)."""

    _function = staticmethod(losses.hinge)


class SquaredHinge(RowMetric):
    """Mean of max(1 - y·output, 0)²."""

    _function = staticmethod(losses.squared_hinge)


class CategoricalHinge(RowMetric):
    """Mean over the rows of max(largest output of another class - output of the class + 1, 0)."""

    _function = staticmethod(losses.categorical_hinge)


class CosineSimilarity(RowMetric):
    """Mean over the rows of the cosine of the angle between y and output; 1 is best.

    Args:
        name: default "cosine_similarity".
        axis: default -1.
    """

    _function = staticmethod(cosine_similarity)
    _direction = "up"

    def __init__(self, name: str | None = None, dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype=dtype)
        self.axis = integer(axis, "CosineSimilarity: axis", -64)
        self._fn_kwargs = {"axis": self.axis}

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "axis": self.axis}


class CategoricalCrossentropy(RowMetric):
    """Mean over the rows of -Σ y·log p, p clipped to [1e-7, 1 - 1e-7].

    Args:
        name: default "categorical_crossentropy".
        from_logits: default False.
        label_smoothing: default 0.
    """

    keras_defaults: ClassVar[dict[str, Any]] = {"dtype": None, "axis": -1}
    _function = staticmethod(losses.categorical_crossentropy)

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, dtype=dtype, **kwargs)
        what = type(self).__name__
        self.from_logits = flag(from_logits, f"{what}: from_logits")
        self.label_smoothing = number(label_smoothing, f"{what}: label_smoothing", 0.0, 1.0)
        self._fn_kwargs = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing}

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self._fn_kwargs}


class BinaryCrossentropy(CategoricalCrossentropy):
    """Mean of -y·log p - (1 - y)·log(1 - p), p clipped to [1e-7, 1 - 1e-7].

    Args:
        name: default "binary_crossentropy".
        from_logits: default False.
        label_smoothing: default 0.
    """

    keras_defaults: ClassVar[dict[str, Any]] = {"dtype": None}
    _function = staticmethod(losses.binary_crossentropy)


class SparseCategoricalCrossentropy(RowMetric):
    """Mean over the rows of -log p of the class y, p clipped to [1e-7, 1 - 1e-7].

    Args:
        name: default "sparse_categorical_crossentropy".
        from_logits: default False.
        ignore_class: rows of this class number count as 0; default None.
    """

    keras_defaults: ClassVar[dict[str, Any]] = {"dtype": None, "axis": -1}
    _function = staticmethod(losses.sparse_categorical_crossentropy)

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype=dtype, axis=axis)
        self.from_logits = flag(from_logits, "SparseCategoricalCrossentropy: from_logits")
        what = "SparseCategoricalCrossentropy: ignore_class"
        self.ignore_class = None if ignore_class is None else integer(ignore_class, what, -(2**31))
        self._fn_kwargs = {"from_logits": self.from_logits, "ignore_class": self.ignore_class}

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self._fn_kwargs}


class RootMeanSquaredError(Mean):
    """Root of the mean of (y - output)² over all that was seen.

    Args:
        name: default "root_mean_squared_error".
    """

    _direction = "down"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch."""
        y, p = aligned(y_true, y_pred, self.name)
        super().update_state(np.square(p - y, dtype=np.float64), sample_weight)

    def result(self) -> float:
        return float(np.sqrt(super().result()))


class R2Score(Metric):
    """1 - Σ (y - output)² / Σ (y - mean y)²: the coefficient of determination. y and outputs: (samples, outputs).

    Args:
        class_aggregation: "uniform_average" (default), "variance_weighted_average", or None: one number an output.
        num_regressors: adjusts the score for so many, with the numbers in y as samples, as in Keras; default 0.
        name: default "r2_score".
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        known = ("uniform_average", "variance_weighted_average", None)
        if class_aggregation not in known:
            raise ValueError(f"R2Score: class_aggregation: expected one of {known}, got {class_aggregation!r}")
        self.class_aggregation = class_aggregation
        self.num_regressors = integer(num_regressors, "R2Score: num_regressors", 0)
        self._sums: NDArray[np.float64] | None = None  # (4, outputs): weights, y, y², (y - output)²
        self._samples = 0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y, p = (array.astype(np.float64) for array in aligned(y_true, y_pred, self.name))
        y, p = (array[:, None] if array.ndim == 1 else array for array in (y, p))
        weight = np.ones(y.shape) if sample_weight is None else weights_for(sample_weight, y.shape, self.name)
        sums = np.stack([(weight * part).sum(axis=0) for part in (np.ones(y.shape), y, y * y, np.square(y - p))])
        self._sums = sums if self._sums is None else np.asarray(self._sums) + sums
        self._samples += y.size

    def result(self) -> Any:
        if self._sums is None:
            return 0.0
        weights, total, squares, errors = np.asarray(self._sums)
        spread = squares - total * total / weights
        with np.errstate(divide="ignore", invalid="ignore"):
            raw = 1 - errors / spread
        raw = np.where(np.isinf(raw), 0.0, raw)
        found: Any = raw
        if self.class_aggregation == "uniform_average":
            found = raw.mean()
        elif self.class_aggregation is not None:
            found = (raw * spread).sum() / spread.sum()
        if self.num_regressors:
            rest = self._samples - self.num_regressors - 1
            if rest > 0:
                found = 1 - (1 - found) * (self._samples - 1) / rest
        return found if np.ndim(found) else float(found)

    def reset_state(self) -> None:
        self._sums, self._samples = None, 0

    def get_config(self) -> dict[str, Any]:
        return {
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
            "name": self.name,
        }


class _FScore(Metric):
    """Sums of true positives, false positives and false negatives a class; (samples, classes)."""

    beta = 1.0
    _direction = "up"

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        what = type(self).__name__
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"{what}: average: expected None, 'micro', 'macro' or 'weighted', got {average!r}")
        self.average = average
        self.threshold = None if threshold is None else number(threshold, f"{what}: threshold", 0.0, 1.0)
        self._sums: NDArray[np.float64] | None = None  # (4, classes): true positives, false ones, false negatives, y

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch, y one-hot or 0 and 1, (samples, classes)."""
        y, p = (array.astype(np.float64) for array in aligned(y_true, y_pred, self.name))
        if y.ndim != 2:
            raise ValueError(f"metric {self.name!r}: expected arrays (samples, classes), got shape {y.shape}")
        if self.threshold is None:
            chosen = ((p >= p.max(axis=-1, keepdims=True)) & (np.abs(p) > 1e-9)).astype(np.float64)
        else:
            chosen = (p > self.threshold).astype(np.float64)
        weight = np.ones(y.shape) if sample_weight is None else weights_for(sample_weight, y.shape, self.name)
        parts = (chosen * y, chosen * (1 - y), (1 - chosen) * y, y)
        sums = np.stack([(weight * part).sum(axis=0) for part in parts])
        self._sums = sums if self._sums is None else np.asarray(self._sums) + sums

    def result(self) -> Any:
        if self._sums is None:
            return 0.0
        hits, false, missed, truth = np.asarray(self._sums)
        if self.average == "micro":
            hits, false, missed = hits.sum(), false.sum(), missed.sum()
        precision, recall = divided(hits, hits + false), divided(hits, hits + missed)
        square = self.beta**2
        score = np.asarray(divided(precision * recall, square * precision + recall) * (1 + square))
        if self.average == "weighted":
            return float((score * divided(truth, truth.sum())).sum())
        return score if self.average is None else float(score.mean())

    def reset_state(self) -> None:
        self._sums = None

    def get_config(self) -> dict[str, Any]:
        return {"average": self.average, "threshold": self.threshold, "name": self.name}


class FBetaScore(_FScore):
    """(1 + beta²)·precision·recall / (beta²·precision + recall) of each class. y: one-hot or 0 and 1.

    Args:
        average: None (default), one number a class, which logs do not hold; "micro", "macro" or "weighted".
        beta: weight of the recall; default 1.0.
        threshold: outputs above it count as 1; default None: the largest of each row does.
        name: default "fbeta_score".
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        **kwargs: Any,
    ) -> None:
        super().__init__(average, threshold, name, **kwargs)
        self.beta = number(beta, "FBetaScore: beta", float(np.finfo(np.float32).tiny))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta}


class F1Score(_FScore):
    """2·precision·recall / (precision + recall) of each class. y: one-hot or 0 and 1.

    Args:
        average: None (default), one number a class, which logs do not hold; "micro", "macro" or "weighted".
        threshold: outputs above it count as 1; default None: the largest of each row does.
        name: default "f1_score".
    """

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str | None = "f1_score", **kwargs: Any
    ) -> None:
        super().__init__(average, threshold, name, **kwargs)
