"""Metrics of right and wrong at thresholds: precision, recall, the area under a curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tauten._checks import flag, integer, number
from tauten.losses.base import aligned
from tauten.metrics.base import Metric, divided, weights_for


class _AtThresholds(Metric):
    """True positives over what `_rest` counts: false positives or false negatives."""

    _direction = "up"

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        what = type(self).__name__
        default = 0.5 if top_k is None else -np.inf
        several = isinstance(thresholds, (list, tuple, np.ndarray))
        given = list(thresholds) if several else [thresholds]  # type: ignore[arg-type]
        self.thresholds = thresholds
        self._at = np.array([default if t is None else number(t, f"{what}: thresholds", 0.0, 1.0) for t in given])
        self.top_k = None if top_k is None else integer(top_k, f"{what}: top_k")
        self.class_id = None if class_id is None else integer(class_id, f"{what}: class_id", 0)
        self.true_positives = self.add_variable(self._at.shape)
        self._others = self.add_variable(self._at.shape)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch; y counts as 1 where it is not 0, outputs where they are above the threshold."""
        y, p = aligned(y_true, y_pred, self.name)
        if self.top_k is not None:
            least = np.partition(p, -self.top_k, axis=-1)[..., [-self.top_k]] if self.top_k < p.shape[-1] else -np.inf
            p = np.where(p >= least, p, -np.inf)
        if self.class_id is not None:
            if self.class_id >= p.shape[-1]:
                raise ValueError(f"metric {self.name!r}: class_id is {self.class_id}, there are {p.shape[-1]} classes")
            y, p = y[..., [self.class_id]], p[..., [self.class_id]]
        weight = np.ones(y.shape) if sample_weight is None else weights_for(sample_weight, y.shape, self.name)
        truth = y != 0
        for i, threshold in enumerate(self._at):
            above = p > threshold
            self.true_positives[i] += weight[above & truth].sum()
            self._others[i] += weight[self._rest(truth, above)].sum()

    def _rest(self, truth: NDArray[np.bool_], above: NDArray[np.bool_]) -> NDArray[np.bool_]:
        raise NotImplementedError

    def result(self) -> Any:
        """A number; of several thresholds an array."""
        found = divided(self.true_positives, self.true_positives + self._others)
        return float(found[0]) if len(self._at) == 1 else np.asarray(found)

    def get_config(self) -> dict[str, Any]:
        several = isinstance(self.thresholds, (list, tuple, np.ndarray))
        return {
            "thresholds": self._at.tolist() if several else self.thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
            "name": self.name,
        }


class Precision(_AtThresholds):
    """Share of what is predicted to be positive that is so. y: 0 and 1, the output's shape.

    Args:
        thresholds: above which an output is positive, in [0, 1]; a list gives a list; default 0.5.
        top_k: only the k largest outputs of a row may be positive, and without thresholds all are; default None.
        class_id: of the last axis, the only one to look at; default None: all.
        name: default "precision".
    """

    def _rest(self, truth: NDArray[np.bool_], above: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return above & ~truth


class Recall(_AtThresholds):
    """Share of what is positive that is predicted to be so. y: 0 and 1, the output's shape.

    Args:
        thresholds: above which an output is positive, in [0, 1]; a list gives a list; default 0.5.
        top_k: only the k largest outputs of a row may be positive, and without thresholds all are; default None.
        class_id: of the last axis, the only one to look at; default None: all.
        name: default "recall".
    """

    def _rest(self, truth: NDArray[np.bool_], above: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return truth & ~above


class AUC(Metric):
    """Area under the ROC curve, or under precision over recall, by sums at thresholds. y: 0 and 1.

    Args:
        num_thresholds: evenly spaced, at least 2; default 200.
        curve: "ROC" (default) or "PR".
        summation_method: "interpolation" (default: trapezoids for ROC; for PR as Davis & Goadrich 2006), "minoring" or
            "majoring": the lower or the upper of a stretch's two heights.
        name: default "auc".
        thresholds: in [0, 1], in the place of evenly spaced ones; default None.
        from_logits: default False: outputs are in [0, 1].
    """

    _direction = "up"
    keras_defaults = {  # noqa: RUF012
        "dtype": None,
        "multi_label": False,
        "num_labels": None,
        "label_weights": None,
    }

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name, multi_label=multi_label, num_labels=num_labels, label_weights=label_weights)
        if curve not in ("ROC", "PR"):
            raise ValueError(f"AUC: curve: expected 'ROC' or 'PR', got {curve!r}")
        methods = ("interpolation", "minoring", "majoring")
        if summation_method not in methods:
            raise ValueError(f"AUC: summation_method: expected one of {methods}, got {summation_method!r}")
        self.curve, self.summation_method = curve, summation_method
        self.from_logits = flag(from_logits, "AUC: from_logits")
        if thresholds is None:
            count = integer(num_thresholds, "AUC: num_thresholds", 2)
            inner = [(i + 1) / (count - 1) for i in range(count - 2)]
        else:
            inner = sorted(number(t, "AUC: thresholds", 0.0, 1.0) for t in thresholds)
        self._given = None if thresholds is None else inner
        self._at = np.array([-1e-7, *inner, 1 + 1e-7])
        self.num_thresholds = len(self._at)
        self.true_positives = self.add_variable(self._at.shape)
        self.false_positives = self.add_variable(self._at.shape)
        self._all = self.add_variable((2,))  # positives, negatives

    @property
    def thresholds(self) -> list[float]:
        """All of them."""
        return [float(t) for t in self._at]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch. Raises ValueError for outputs outside [0, 1]."""
        y, p = aligned(y_true, y_pred, self.name)
        if self.from_logits:
            p = np.exp(-np.logaddexp(0, -p))
        if p.size and not (p.min() >= 0 and p.max() <= 1):
            raise ValueError(f"metric {self.name!r}: expected outputs in [0, 1], got {p.min()} to {p.max()}")
        weight = np.ones(y.shape) if sample_weight is None else weights_for(sample_weight, y.shape, self.name)
        exceeded = np.searchsorted(self._at, p.astype(np.float64).ravel(), side="left")  # thresholds below the output
        truth, weight = (y != 0).ravel(), np.ravel(weight)
        for sums, chosen, place in ((self.true_positives, truth, 0), (self.false_positives, ~truth, 1)):
            counts = np.bincount(exceeded[chosen], weight[chosen], minlength=len(self._at) + 1)
            sums.assign_add(np.cumsum(counts[::-1])[::-1][1:])
            self._all[place] += weight[chosen].sum()

    def result(self) -> float:
        hits, false = np.asarray(self.true_positives), np.asarray(self.false_positives)
        positives, negatives = self._all
        recall = divided(hits, np.full_like(hits, positives))
        if self.curve == "PR":
            if self.summation_method == "interpolation":
                return self._interpolated(hits, false, float(positives))
            x, y = recall, divided(hits, hits + false)
        else:
            x, y = divided(false, np.full_like(false, negatives)), recall
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2
        else:
            heights = (np.minimum if self.summation_method == "minoring" else np.maximum)(y[:-1], y[1:])
        return float(((x[:-1] - x[1:]) * heights).sum())

    def _interpolated(self, hits: Any, false: Any, positives: float) -> float:
        """∫ precision d recall where hits and all predicted positives go linearly from threshold to threshold."""
        chosen = hits + false
        gained = hits[:-1] - hits[1:]
        slope = divided(gained, np.maximum(chosen[:-1] - chosen[1:], 0))
        intercept = hits[1:] - slope * chosen[1:]
        both = (chosen[:-1] > 0) & (chosen[1:] > 0)
        ratio = np.where(both, divided(chosen[:-1], chosen[1:]), 1.0)
        return float(divided(slope * (gained + intercept * np.log(ratio)), positives).sum())

    def get_config(self) -> dict[str, Any]:
        return {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "name": self.name,
            "thresholds": self._given,
            "from_logits": self.from_logits,
        }
