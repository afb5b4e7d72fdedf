"""Whether a loss' gradient is the one of its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tauten.losses.base import FunctionLoss, Loss, checked_pair


def check_gradient(
    loss: Loss | Callable[[Any, Any], Any],
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    step: float = 1e-5,
    tolerance: float = 1e-5,
) -> float:
    """Compare a Python loss' gradient with central differences of Σ values, in float64.

    Args:
        loss: a function (y_true, y_pred) -> (values, gradient), or a Loss with call().
        y_true: as the loss wants it.
        y_pred: where to look, a few rows; away from kinks, such as that of |x| at 0.
        step: of the differences; default 1e-5.
        tolerance: of the difference between the two, over 1 + the larger of them; default 1e-5.

    Returns:
        The largest such difference.

    Raises:
        AssertionError: if it is above the tolerance; says where.
        TypeError, ValueError: if the loss does not return such a pair, of such shapes.
    """
    one = loss if isinstance(loss, Loss) else FunctionLoss(loss)
    targets, at = np.asarray(y_true), np.array(y_pred, dtype=np.float64)
    _, gradient = checked_pair(one.call(targets, at.copy()), one.name)
    gradient = np.asarray(gradient, dtype=np.float64)
    if gradient.shape != at.shape:
        raise ValueError(f"loss {one.name!r}: expected a gradient of y_pred's shape {at.shape}, got {gradient.shape}")

    def total(moved: Any) -> float:
        return float(np.sum(checked_pair(one.call(targets, moved), one.name)[0], dtype=np.float64))

    worst, place = 0.0, (0,) * at.ndim
    for index in np.ndindex(*at.shape):
        up, down = at.copy(), at.copy()
        up[index] += step
        down[index] -= step
        numeric = (total(up) - total(down)) / (2 * step)
        own = float(gradient[index])
        difference = abs(own - numeric) / (1 + max(abs(own), abs(numeric)))
        if not difference <= worst:
            worst, place = difference, index
            if not difference <= tolerance:
                found = f"{own:.6g}, differences give {numeric:.6g}"
    if not worst <= tolerance:
        raise AssertionError(f"loss {one.name!r}: the gradient at y_pred{list(map(int, place))} is {found}")
    return worst
