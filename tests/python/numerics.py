"""Numerical differentiation and the tolerances that the tests hold everything to. They are not to be loosened."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# Fourth order, so that the step can be large enough for 1e-6 and small enough for kinks.
STEP = 2.0**-13
MARGIN = 5e-3  # nets this far from a kink (and maxima from a tie) stay on their side within +-2 STEP
GRADIENT_TOLERANCE = 1e-6  # |a - n| / max(1e-3, |a|, |n|)

# Native against reference: largest difference over the largest value: of an array in float64; in float32, where small
# gradients are differences of large values, of all arrays of a kind (gradients, weights, velocities).
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}


def numerical_gradient(loss: Callable[[], float], array: np.ndarray) -> np.ndarray:
    """(8 (E(+h) - E(-h)) - (E(+2h) - E(-2h))) / 12h for every element, which is moved in place."""
    gradient = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        old = array[index]
        values = []
        for h in (STEP, -STEP, 2 * STEP, -2 * STEP):
            array[index] = old + h
            values.append(loss())
        array[index] = old
        gradient[index] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * STEP)
    return gradient


def assert_gradient(analytic: np.ndarray, numerical: np.ndarray, what: str) -> None:
    analytic = np.asarray(analytic)
    assert analytic.shape == numerical.shape, f"{what}: shape {analytic.shape}, expected {numerical.shape}"
    error = np.abs(analytic - numerical) / np.maximum(1e-3, np.maximum(np.abs(analytic), np.abs(numerical)))
    assert error.max(initial=0) <= GRADIENT_TOLERANCE, (
        f"{what}: error {error.max():.2e} at {np.unravel_index(error.argmax(), error.shape)}\n"
        f"analytic {analytic}\nnumerical {numerical}"
    )


def assert_close(actual, expected, tolerance: float, what: str = "", scale: float | None = None) -> None:
    """Largest difference at most `tolerance` times `scale`, by default the largest expected value."""
    actual, expected = np.asarray(actual, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    if scale is None:
        scale = np.abs(expected).max(initial=0)
    error = np.abs(actual - expected).max(initial=0)
    assert error <= tolerance * scale, (
        f"{what}: difference {error:.3e} over {scale:.3e} is {error / scale if scale else np.inf:.2e}"
    )


def assert_all_close(actual, expected, dtype: str, what: str = "") -> None:
    """Each array within the tolerance of its dtype."""
    together = max((np.abs(array).max(initial=0) for array in expected), default=0)
    scale = together if dtype == "float32" else None
    for number, (found, wanted) in enumerate(zip(actual, expected, strict=True)):
        assert_close(found, wanted, TOLERANCE[dtype], f"{what} {number}", scale)
