"""Estimators of series and images: X of more than two axes, or rows of a table that are brought into a shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_array

from tauten._checks import sample_shape
from tauten.sklearn._base import Estimator
from tauten.sklearn._layout import Array, Data, Layout, axes_of, chosen, grid, is_listed, series
from tauten.sklearn._versions import validate_data

FLOATS = [np.float64, np.float32]


@dataclass(eq=False, repr=False, kw_only=True)
class Shaped(Estimator):
    """Reads X by `layout` and `input_shape`; the network gets the channels last."""

    layout: str | None = None
    input_shape: Sequence[int] | None = None

    _ranks: ClassVar[tuple[int, ...]] = (1,)
    _unequal: ClassVar[bool] = True  # does it take series of unequal length?

    def _read(self, X: Any, reset: bool) -> Data:
        owner = type(self).__name__
        data: Data
        if is_listed(X) and self._unequal:
            by_column, data = False, self._series(X)
        else:
            by_column, array = self._array(_stacked(X, owner) if is_listed(X) else X, reset)
            if self.input_shape is not None:
                array = self._reshaped(array)
            named = self.layout
            if named is None and not reset and self._by_list and array.ndim == 3:
                named = str(Layout(1, "last"))  # as series() read the lists
            data = chosen(named, array.shape, self._ranks, owner).arranged(array)
        if reset:
            self._by_column = by_column
            self._by_list: bool = isinstance(data, list)
            if not by_column:
                self.n_features_in_ = data[0].shape[-1]
                if hasattr(self, "feature_names_in_"):
                    del self.feature_names_in_
        else:
            self._check_shape(data)
        return data

    def _series(self, X: Any) -> list[Array]:
        owner = type(self).__name__
        if self.input_shape is not None:
            raise ValueError(f"{owner}: input_shape is for X of two axes, got a list of series")
        if self.layout is not None:
            layout = chosen(self.layout, (len(X), *np.shape(X[0])), (1,), owner)
            if layout == Layout(1, "first"):
                X = [np.transpose(one) for one in X]
        return series(X, owner)

    def _array(self, X: Any, reset: bool) -> tuple[bool, Array]:
        """An array of numbers, and: is it a table, whose columns scikit-learn counts and names?"""
        if axes_of(X) > 2:
            return False, grid(X)
        if reset or self._by_column:
            return True, np.asarray(validate_data(self, X, reset=reset, dtype=FLOATS))
        return False, np.asarray(check_array(X, dtype=FLOATS, input_name="X"))

    def _reshaped(self, X: Array) -> Array:
        owner = type(self).__name__
        shape = sample_shape(self.input_shape, f"{owner}: input_shape")
        if X.ndim != 2 or X.shape[1] != math.prod(extent or 0 for extent in shape):
            raise ValueError(
                f"{owner}: input_shape={shape}: expected X of two axes with as many columns as that has numbers, got "
                f"shape {X.shape}"
            )
        return X.reshape(len(X), *(int(extent or 0) for extent in shape))

    def _check_shape(self, data: Data) -> None:
        """Raise ValueError unless the samples are as those of fit were."""
        expected, got = self.model_.input_shape[1:], data[0].shape
        if len(got) != len(expected) or any(e not in (None, g) for e, g in zip(expected, got, strict=True)):
            raise ValueError(
                f"{type(self).__name__}: X: expected samples of shape {expected} as in fit (None: any number of steps; "
                f"features or channels last), got {got}"
            )


def _stacked(X: Any, owner: str) -> Array:
    shapes = {np.shape(one) for one in X}
    if len(shapes) > 1:
        raise ValueError(
            f"{owner}: X: expected samples of one shape, got {' and '.join(map(str, sorted(shapes)[:2]))}; recurrent "
            "estimators take series of unequal length"
        )
    return np.stack(X)
