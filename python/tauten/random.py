"""Random arrays under Keras' names. Values for a seed are NumPy's, not the backend's.

seed: an integer for the same values each time, a SeedGenerator for others at every call, or None, the default, for the
generator that tauten.utils.set_random_seed() restarts. dtype: default tauten.config.floatx().
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tauten import _random
from tauten._checks import MOST_SEED, integer, number
from tauten.config import floatx
from tauten.initializers import TruncatedNormal

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip

Array = NDArray[Any]


class SeedGenerator:
    """Seeds that are others at every call, and the same ones for the same seed.

    Args:
        seed: default None, one drawn from the global generator.
        name: any; default None.
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.seed = _random.draw_seed() if seed is None else integer(seed, "SeedGenerator: seed", 0, MOST_SEED)
        self.name = name
        self._calls = 0

    def next(self) -> int:
        """The next seed."""
        self._calls += 1
        return int(np.random.default_rng([self.seed, self._calls]).integers(0, 2**31))


Seed = int | SeedGenerator | None


def _generator(seed: Seed) -> np.random.Generator:
    if seed is None:
        return _random.generator()
    chosen = seed.next() if isinstance(seed, SeedGenerator) else integer(seed, "random: seed", 0, MOST_SEED)
    return np.random.default_rng(chosen)


def _cast(values: ArrayLike, dtype: DTypeLike | None) -> Array:
    return np.asarray(values, floatx() if dtype is None else dtype)


def normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: DTypeLike | None = None, seed: Seed = None
) -> Array:
    """N(mean, stddev²)."""
    return _cast(_generator(seed).normal(mean, stddev, tuple(shape)), dtype)


def truncated_normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: DTypeLike | None = None, seed: Seed = None
) -> Array:
    """N(mean, stddev²), drawn again until within two standard deviations."""
    drawn = int(_generator(seed).integers(0, 2**31))
    return _cast(TruncatedNormal(mean, stddev, drawn)(shape, "float64"), dtype)


def uniform(
    shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: DTypeLike | None = None, seed: Seed = None
) -> Array:
    """U[minval, maxval)."""
    return _cast(_generator(seed).uniform(minval, maxval, tuple(shape)), dtype)


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: DTypeLike = "int32", seed: Seed = None) -> Array:
    """Whole numbers from minval to maxval - 1."""
    return _cast(_generator(seed).integers(minval, maxval, tuple(shape)), dtype)


def binomial(
    shape: Sequence[int], counts: ArrayLike, probabilities: Any, dtype: DTypeLike | None = None, seed: Seed = None
) -> Array:
    """Successes in `counts` trials, each of that probability."""
    drawn = _generator(seed).binomial(np.asarray(counts, np.int64), probabilities, tuple(shape))
    return _cast(drawn, dtype)


def beta(shape: Sequence[int], alpha: Any, beta: Any, dtype: DTypeLike | None = None, seed: Seed = None) -> Array:
    """Beta(alpha, beta), in [0, 1]."""
    return _cast(_generator(seed).beta(alpha, beta, tuple(shape)), dtype)


def gamma(shape: Sequence[int], alpha: Any, dtype: DTypeLike | None = None, seed: Seed = None) -> Array:
    """Gamma(alpha), of scale 1."""
    return _cast(_generator(seed).standard_gamma(alpha, tuple(shape)), dtype)


def categorical(logits: ArrayLike, num_samples: int, dtype: DTypeLike = "int32", seed: Seed = None) -> Array:
    """Classes drawn with the probabilities softmax(logits): (batch, classes) -> (batch, num_samples)."""
    values = np.asarray(logits, np.float64)
    if values.ndim != 2:
        raise ValueError(f"random.categorical: expected logits (batch, classes), got shape {values.shape}")
    noise = _generator(seed).gumbel(size=(values.shape[0], integer(num_samples, "num_samples", 0), values.shape[1]))
    return _cast((values[:, None] + noise).argmax(axis=-1), dtype)


def shuffle(x: ArrayLike, axis: int = 0, seed: Seed = None) -> Array:
    """A copy in another order along one axis."""
    return _generator(seed).permutation(np.asarray(x), axis=axis)


def dropout(inputs: ArrayLike, rate: float, noise_shape: Sequence[int] | None = None, seed: Seed = None) -> Array:
    """0 with the probability `rate`, else x / (1 - rate). noise_shape: 1 where values share their fate."""
    x = np.asarray(inputs)
    share = number(rate, "random.dropout: rate", 0.0, np.nextafter(1.0, 0.0))
    kept = _generator(seed).random(x.shape if noise_shape is None else tuple(noise_shape)) >= share
    return np.where(kept, x / (1 - share), 0).astype(x.dtype if x.dtype.kind == "f" else floatx())
