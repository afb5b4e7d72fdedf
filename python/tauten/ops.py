"""The chapter's operators on NumPy arrays: convolution with one filter (§26.3.1) and aggregation (§26.3.4).

A window of weights W slides over an array x of one, two or three dimensions, and over each of them: a filter may have
fewer channels than x. Every operator has a companion that returns the gradients, ending in `_gradient`::

    y = ops.conv(x, w)
    dx, dw = ops.conv_gradient(x, w, delta)  # delta = ∂E/∂y

Outputs, in each dimension with n values of x and k of w: ⌊(n + p_before + p_after - k) / s⌋ + 1; without padding and
strides the chapter's n - k + 1. Computed by the native core, in float32 if both arrays are float32 or narrower, else in
float64.

A convolution layer has many filters as deep as its input, and a bias: layers.Conv1D to Conv3D. As a layer with weights
that are trained, an aggregation is layers.Aggregation1D to Aggregation3D.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten._checks import extents, number
from tauten._core import Network, Source
from tauten._weights import as_array
from tauten.layers._windows import padding_pairs
from tauten.layers.aggregation import KINDS

if TYPE_CHECKING:
    from tauten.layers._windows import Extents, PaddingLike

    Floats = NDArray[np.floating[Any]]

__all__ = ["aggregate", "aggregate_gradient", "conv", "conv_gradient"]


def conv(
    x: ArrayLike, w: ArrayLike, strides: Extents = 1, padding: PaddingLike = 0, padding_value: float = 0.0
) -> Floats:
    """x * w: the sum over the element-wise product of w and the window of x under it (chapter §26.3.1, §26.3.3).

        1D  y_i = Σ_j x_{i+j-1} w_j        2D, 3D likewise; the filter is not turned round

    Args:
        x: one, two or three dimensions: (n,), (rows, columns), (rows, columns, channels).
        w: as many dimensions as x; with r < m channels the filter slides over the channels too, m - r + 1 outputs.
        strides: s, one integer or one a dimension; default 1.
        padding: an integer, (before, after) for each dimension, "valid" or "same" (⌈n / s⌉ outputs); default 0.
        padding_value: what stands outside x; default 0.

    Returns:
        y, a new array with as many dimensions as x.

    Raises:
        TypeError, ValueError: for arrays that are no numbers or have other dimensions, a filter that does not fit into
            x, and wrong arguments.
    """
    return _Slide("conv", "sum", x, w, strides, padding, padding_value).forward()


def conv_gradient(
    x: ArrayLike,
    w: ArrayLike,
    delta: ArrayLike,
    strides: Extents = 1,
    padding: PaddingLike = 0,
    padding_value: float = 0.0,
) -> tuple[Floats, Floats]:
    """(∂E/∂x, ∂E/∂w) of y = conv(x, w, ...) for delta = ∂E/∂y (chapter §26.3.6).

    Args:
        x, w, strides, padding, padding_value: as conv() had them.
        delta: in y's shape.

    Returns:
        Arrays in the shapes of x and w.

    Raises:
        TypeError, ValueError: as conv(), and for a delta that has not y's shape.
    """
    return _Slide("conv_gradient", "sum", x, w, strides, padding, padding_value).backward(delta)


def aggregate(x: ArrayLike, w: ArrayLike, how: str = "max", strides: Extents = 1, padding: PaddingLike = 0) -> Floats:
    """Sum, average or maximum of the element-wise product of w and the window of x under it (chapter §26.3.4).

    Positions outside x take no part: they never win, and an average is over the products inside. The chapter's pooling
    is w = np.ones((k, k, 1)) with strides (k, k, 1).

    Args:
        x, w, strides, padding: as in conv().
        how: "max" (default), "avg" or "sum".

    Returns:
        y, a new array with as many dimensions as x.

    Raises:
        TypeError, ValueError: as conv(), for another `how`, and for padding as large as the window, which would leave
            a maximum or an average of nothing.
    """
    return _Slide("aggregate", how, x, w, strides, padding).forward()


def aggregate_gradient(
    x: ArrayLike,
    w: ArrayLike,
    delta: ArrayLike,
    how: str = "max",
    strides: Extents = 1,
    padding: PaddingLike = 0,
) -> tuple[Floats, Floats]:
    """(∂E/∂x, ∂E/∂w) of y = aggregate(x, w, how, ...) for delta = ∂E/∂y (chapter §26.3.6).

    Of equal maxima the first in window order, the last dimension fastest, takes the gradient.

    Args:
        x, w, how, strides, padding: as aggregate() had them.
        delta: in y's shape.

    Returns:
        Arrays in the shapes of x and w.

    Raises:
        TypeError, ValueError: as aggregate(), and for a delta that has not y's shape.
    """
    return _Slide("aggregate_gradient", how, x, w, strides, padding).backward(delta)


# -- inside


class _Slide:
    """One window over one array: checked arguments and a native network of one node."""

    def __init__(
        self,
        name: str,
        how: str,
        x: ArrayLike,
        w: ArrayLike,
        strides: Extents,
        padding: PaddingLike,
        padding_value: float = 0.0,
    ) -> None:
        self.name = f"ops.{name}"
        if not isinstance(how, str) or how not in KINDS:
            raise ValueError(f"{self.name}: how: expected one of {tuple(KINDS)}, got {how!r}")
        x, w = self._numbers(x, "x"), self._numbers(w, "w")
        self.dtype = "float32" if np.result_type(x, w, np.float32) == np.float32 else "float64"
        if not 1 <= x.ndim <= 3:
            raise ValueError(f"{self.name}: x: expected 1 to 3 dimensions, got shape {x.shape}")
        if w.ndim != x.ndim:
            raise ValueError(
                f"{self.name}: w: expected as many dimensions as x, {x.ndim}, got shape {w.shape} for x {x.shape}"
            )
        for what, array in (("x", x), ("w", w)):
            if array.size == 0:
                raise ValueError(f"{self.name}: {what}: expected at least one value, got shape {array.shape}")
        steps = extents(strides, x.ndim, f"{self.name}: strides")
        pairs = self._pairs(padding, x.shape, w.shape, steps)
        for n, k, (before, after) in zip(x.shape, w.shape, pairs, strict=True):
            if k > n + before + after:
                padded = f" padded by {pairs}" if any(map(any, pairs)) else ""
                raise ValueError(f"{self.name}: w: expected a window that fits into x {x.shape}{padded}, got {w.shape}")
        outside = number(padding_value, f"{self.name}: padding_value")
        # Zeros outside add nothing to a sum; other values take part, and their gradient is cut off.
        self.inner = tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, pairs, strict=True))
        self.padded = outside != 0
        if self.padded:
            x, pairs = np.pad(x.astype(self.dtype), pairs, constant_values=outside), ((0, 0),) * x.ndim
        self.x = np.ascontiguousarray(x, dtype=self.dtype)[None]
        self.network = Network(self.dtype)
        edge = self.network.add_input(self.name, x.shape)
        edge = self.network.add_aggregate(self.name, edge, KINDS[how], w.shape, steps, pairs)
        self.network.finalize([edge])
        self.network.set(0, w.astype(self.dtype))
        self.output = tuple(self.network.edge_shape(edge))

    def forward(self) -> Floats:
        """y."""
        y: Floats = self.network.predict([Source(self.x)], _ONE)[0][0]
        return y

    def backward(self, delta: ArrayLike) -> tuple[Floats, Floats]:
        """(∂E/∂x, ∂E/∂w)."""
        given = self._numbers(delta, "delta")
        if given.shape != self.output:
            raise ValueError(f"{self.name}: delta: expected the output's shape {self.output}, got {given.shape}")
        given = np.ascontiguousarray(given, dtype=self.dtype)[None]
        _, (dw,), (dx,) = self.network.pull_back([Source(self.x)], [Source(given)], _ONE)
        assert dw is not None
        assert dx is not None
        return (dx[0][self.inner].copy() if self.padded else dx[0]), dw

    def _numbers(self, value: ArrayLike, what: str) -> NDArray[Any]:
        array = as_array(value, f"{self.name}: {what}")
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{self.name}: {what}: expected real numbers, got dtype {array.dtype}")
        return array

    def _pairs(
        self, padding: PaddingLike, shape: tuple[int, ...], window: tuple[int, ...], strides: tuple[int, ...]
    ) -> tuple[tuple[int, int], ...]:
        """(before, after) of each dimension; "same": the odd position behind, as Keras has it."""
        checked = padding_pairs(padding, len(shape), f"{self.name}: padding")
        if not isinstance(checked, str):
            return checked
        if checked == "valid":
            return ((0, 0),) * len(shape)
        totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(shape, window, strides, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)


_ONE = np.zeros(1, dtype=np.int64)  # the only sample
