"""Classifiers and regressors: labels and numbers as the network's targets, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import check_array, check_consistent_length, column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from tauten.sklearn._base import Call, Estimator, Head, balanced
from tauten.sklearn._layout import Data

if TYPE_CHECKING:
    from typing_extensions import Self

Array = NDArray[Any]

CLASSES = """
        class_weight: {label: weight}, 1 for labels that are not named; "balanced", n / (classes·n of the class);
            or None, the default."""
LABELS = """
        classes_: the labels, sorted."""
OUTPUTS = """
        n_outputs_: how many numbers a sample has as target."""


def known_classes(y: Array, before: Array | None, call: Call, owner: str) -> Array:
    """The labels, sorted: those of y, or in partial_fit the ones it was told.

    Args:
        before: the labels so far; None in the first call.

    Raises:
        ValueError: for a single one, and for `classes` that are missing or not those of before.
    """
    if not call.anew:
        assert before is not None
        if call.classes is not None and not np.array_equal(np.unique(call.classes), before):
            raise ValueError(
                f"{owner}: classes={list(call.classes)!r} is not the same as in the calls before: {before.tolist()}"
            )
        return before
    if call.incremental and call.classes is None:
        raise ValueError(f"{owner}: classes must be passed on the first call to partial_fit")
    what, labels = ("classes", np.asarray(call.classes)) if call.incremental else ("y", y)
    classes: Array = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(f"{owner}: {what}: expected at least 2 classes, got one class: {classes.tolist()}")
    return classes


def numbered(y: Array, classes: Array, owner: str) -> Array:
    """Labels as places in `classes`. Raises ValueError for others."""
    try:
        unknown = ~np.isin(y, classes)
        if not unknown.any():
            return np.searchsorted(classes, y).astype(np.int64)
        what = np.unique(y[unknown])[:5].tolist()
    except TypeError:  # strings and numbers
        what = sorted({type(label).__name__ for label in y.tolist()})
    raise ValueError(f"{owner}: y: expected labels of {classes.tolist()[:10]}, got {what} too")


def probabilities(outputs: Array) -> Array:
    """Outputs of a softmax in float64, each row's sum 1 in that precision."""
    wide = outputs.astype(np.float64)
    result: Array = wide / wide.sum(axis=-1, keepdims=True)
    return result


def log(probability: Array) -> Array:
    """Its logarithm; -inf for 0, without a warning."""
    with np.errstate(divide="ignore"):
        result: Array = np.log(probability)
    return result


@dataclass(eq=False, repr=False)
class Classifier(ClassifierMixin, Estimator):
    """Labels of any kind, two or more; softmax and cross-entropy."""

    class_weight: Mapping[Any, float] | str | None = field(default=None, kw_only=True)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train until the loss no longer gets better, at most max_iter epochs.

        Args:
            X: samples.
            y: a label for each, (samples,).
            sample_weight: (samples,), at least 0; only their proportions matter. Default None, all the same.
        """
        return self._train(X, y, sample_weight, incremental=False)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch, going on from where the last call stood; arguments as in fit().

        Args:
            classes: all labels that will ever come; needed in the first call.
        """
        return self._train(X, y, sample_weight, incremental=True, classes=classes)

    def predict(self, X: Any) -> Array:
        """The most probable label of each sample, (samples,)."""
        outputs = self._outputs(X)
        return np.asarray(self.classes_[outputs.argmax(axis=1)])

    def predict_proba(self, X: Any) -> Array:
        """(samples, classes), in the order of classes_."""
        return probabilities(self._outputs(X))

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of predict_proba()."""
        return log(self.predict_proba(X))

    def _learn(self, y: Any, data: Data, call: Call) -> Data:
        owner = type(self).__name__
        labels = column_or_1d(check_array(y, ensure_2d=False, dtype=None, input_name="y"), warn=True)
        check_consistent_length(data, labels)
        check_classification_targets(labels)
        classes = known_classes(labels, getattr(self, "classes_", None), call, owner)
        targets = numbered(labels, classes, owner)
        self.classes_ = classes
        return targets

    def _weighted(self, sample_weight: Any, targets: Data, data: Data) -> tuple[Any, Any]:
        weight, plain = super()._weighted(sample_weight, targets, data)
        if self.class_weight is None:
            return weight, plain
        of_class = compute_sample_weight(self.class_weight, self.classes_[targets])
        return balanced(of_class if plain is None else of_class * plain, type(self).__name__), plain

    def _head(self) -> Head:
        return Head(len(self.classes_), "softmax", "sparse_categorical_crossentropy", ["accuracy"])

    def _goodness(self, targets: Data, outputs: Data, weight: Any) -> float:
        assert isinstance(outputs, np.ndarray)
        return float(np.average(outputs.argmax(axis=1) == targets, weights=weight))

    def _strata(self, targets: Data) -> Array | None:
        return np.asarray(targets)


@dataclass(eq=False, repr=False)
class Regressor(RegressorMixin, Estimator):
    """One number or several as target; half the squared error, as in scikit-learn."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train until the loss no longer gets better, at most max_iter epochs.

        Args:
            X: samples.
            y: (samples,) or (samples, outputs).
            sample_weight: (samples,), at least 0; only their proportions matter. Default None, all the same.
        """
        return self._train(X, y, sample_weight, incremental=False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch, going on from where the last call stood; arguments as in fit()."""
        return self._train(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> Array:
        """(samples,), or (samples, outputs) if y had several."""
        outputs = np.asarray(self._outputs(X), dtype=np.float64)
        return outputs[:, 0] if self.n_outputs_ == 1 else outputs

    def _learn(self, y: Any, data: Data, call: Call) -> Data:
        numbers = check_array(y, ensure_2d=False, dtype=[np.float64, np.float32], input_name="y")
        if numbers.ndim != 2 or numbers.shape[1] == 1:
            numbers = column_or_1d(numbers, warn=True)[:, None]
        check_consistent_length(data, numbers)
        if not call.anew and numbers.shape[1] != self.n_outputs_:
            raise ValueError(
                f"{type(self).__name__}: y: expected {self.n_outputs_} outputs as before, got {numbers.shape[1]}"
            )
        self.n_outputs_: int = numbers.shape[1]
        return np.asarray(numbers)

    def _head(self) -> Head:
        return Head(self.n_outputs_, "linear", "mean_squared_error", [], 0.5 * self.n_outputs_)

    def _goodness(self, targets: Data, outputs: Data, weight: Any) -> float:
        return float(r2_score(targets, outputs, sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
