"""A label for every step of a series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils import check_array, check_consistent_length, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from tauten._class_weight import product
from tauten.layers._docs import documented
from tauten.sklearn._base import ATTRIBUTES, Call, Head, balanced
from tauten.sklearn._layout import Array, Data
from tauten.sklearn._rnn import DEFAULTS, NETWORK, RNN
from tauten.sklearn._targets import CLASSES, LABELS, known_classes, log, numbered, probabilities

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(eq=False, repr=False)
class SequenceTagger(RNN):
    """A recurrent network that gives every step of a series a label."""

    bidirectional: bool = True
    class_weight: Mapping[Any, float] | str | None = field(default=None, kw_only=True)

    _every_step: ClassVar[bool] = True

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train until the loss no longer gets better, at most max_iter epochs.

        Args:
            X: series.
            y: a label for every step: a list of arrays (steps_i,) for a list, else (samples, steps).
            sample_weight: at least 0, (samples,) or one for every step, held as y is; only their proportions matter.
                Default None, all the same.
        """
        return self._train(X, y, sample_weight, incremental=False)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch, going on from where the last call stood; arguments as in fit().

        Args:
            classes: all labels that will ever come; needed in the first call.
        """
        return self._train(X, y, sample_weight, incremental=True, classes=classes)

    def predict(self, X: Any) -> Data:
        """The most probable label of every step: a list of arrays (steps_i,) for a list, else (samples, steps)."""
        return _each(self._outputs(X), lambda part: np.asarray(self.classes_[part.argmax(axis=-1)]))

    def predict_proba(self, X: Any) -> Data:
        """A list of arrays (steps_i, classes) for a list, else (samples, steps, classes), in the order of classes_."""
        return _each(self._outputs(X), probabilities)

    def predict_log_proba(self, X: Any) -> Data:
        """The logarithm of predict_proba()."""
        return _each(self.predict_proba(X), log)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of the steps, of all series together, whose label is right; arguments as in fit()."""
        outputs = self._outputs(X)
        targets = self._read_labels(y, outputs)
        labels = _each(outputs, lambda part: np.asarray(self.classes_[part.argmax(axis=-1)]))
        weight = None if sample_weight is None else self._of_steps(sample_weight, targets)
        return _share(targets, labels, weight)

    def _read_labels(self, y: Any, data: Data) -> Data:
        """Labels of every step of `data`, an array or a list as that is. Raises ValueError."""
        owner = type(self).__name__
        check_consistent_length(data, y)
        if not isinstance(data, list):
            labels = check_array(y, dtype=None, ensure_2d=False, input_name="y")
            if labels.shape != data.shape[:2]:
                raise ValueError(f"{owner}: y: expected a label a step, shape {data.shape[:2]}, got {labels.shape}")
            return np.asarray(labels)
        found = []
        for number, (one, series) in enumerate(zip(y, data, strict=True)):
            what = f"y[{number}]"
            if np.shape(one) != (len(series),):
                raise ValueError(f"{owner}: {what}: expected {len(series)} labels, one a step, got {np.shape(one)}")
            found.append(check_array(one, ensure_2d=False, dtype=None, input_name=what))
        return found

    def _learn(self, y: Any, data: Data, call: Call) -> Data:
        owner = type(self).__name__
        labels = self._read_labels(y, data)
        flat = _flat(labels)
        check_classification_targets(flat)
        classes = known_classes(flat, getattr(self, "classes_", None), call, owner)
        targets = _each(labels, lambda part: numbered(part, classes, owner))
        self.classes_ = classes
        return targets

    def _of_steps(self, sample_weight: Any, targets: Data) -> Data:
        """The weight of every step, held as the targets are."""
        return product(_each(targets, lambda part: np.ones(part.shape)), sample_weight, f"{type(self).__name__}: ")

    def _weighted(self, sample_weight: Any, targets: Data, data: Data) -> tuple[Any, Any]:
        plain = None if sample_weight is None else self._of_steps(sample_weight, targets)
        weight = plain
        if self.class_weight is not None:
            labels = self.classes_[_flat(targets)]
            of_class = compute_sample_weight(self.class_weight, labels)
            weight = _held(of_class if plain is None else of_class * _flat(plain), targets)
        if weight is None:
            return None, None
        return _held(balanced(_flat(weight), type(self).__name__), targets), plain

    def _head(self) -> Head:
        return Head(len(self.classes_), "softmax", "sparse_categorical_crossentropy", ["accuracy"])

    def _goodness(self, targets: Data, outputs: Data, weight: Any) -> float:
        return _share(targets, _each(outputs, lambda part: part.argmax(axis=-1)), weight)


def _each(data: Data, change: Any) -> Data:
    """An array, or each array of a list, changed."""
    return [change(part) for part in data] if isinstance(data, list) else change(data)


def _flat(data: Data) -> Array:
    """All steps of all series in a row."""
    return np.concatenate(data) if isinstance(data, list) else data.reshape(-1)


def _held(flat: Array, like: Data) -> Data:
    """A row of numbers held as `like` is."""
    if isinstance(like, list):
        return np.split(flat, np.cumsum([len(part) for part in like])[:-1])
    return flat.reshape(like.shape)


def _share(targets: Data, found: Data, weight: Data | None) -> float:
    right = _flat(targets) == _flat(found)
    return float(np.average(right, weights=None if weight is None else _flat(weight)))


EVERY = "Recurrent layers, and on them the outputs of every step."
documented(
    SequenceTagger,
    NETWORK.format(what=EVERY, bidirectional=True),
    DEFAULTS,
    CLASSES,
    ATTRIBUTES.format(more=LABELS),
)
