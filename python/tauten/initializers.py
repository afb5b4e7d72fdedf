"""Initial weights, by Keras' rules and names. (Values differ from Keras' for the same seed: other generators.)

A random initializer draws its own seed when it is made, from the generator that tauten.utils.set_random_seed()
restarts; like Keras', the same object gives the same values for the same shape each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tauten import _random
from tauten._checks import MOST_SEED, integer, number
from tauten._naming import snake_case
from tauten._registry import resolve, serialize, with_custom
from tauten.config import floatx

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

Array = NDArray[Any]


class Initializer:
    """Base of the initializers: called with a shape, gives the initial weights."""

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
        """Initial weights.

        Args:
            shape: of the weight, in Keras' layout.
            dtype: of the result; default tauten.config.floatx().
        """
        values = self._values(tuple(integer(extent, type(self).__name__, least=0) for extent in shape))
        return _cast(values, dtype)

    def _values(self, shape: tuple[int, ...]) -> Array:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initializer whose get_config() this is."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class Zeros(Initializer):
    """W = 0."""

    def _values(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)


class Ones(Initializer):
    """W = 1."""

    def _values(self, shape: tuple[int, ...]) -> Array:
        return np.ones(shape)


class Constant(Initializer):
    """W = value.

    Args:
        value: finite number; default 0.
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = number(value, "Constant: value")

    def _values(self, shape: tuple[int, ...]) -> Array:
        return np.full(shape, self.value)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


class Identity(Initializer):
    """W = gain·I, for weights of two dimensions.

    Args:
        gain: default 1.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = number(gain, "Identity: gain")

    def _values(self, shape: tuple[int, ...]) -> Array:
        if len(shape) != 2:
            raise ValueError(f"Identity: expected a weight of 2 dimensions, got shape {shape}")
        return self.gain * np.eye(*shape)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


class RandomInitializer(Initializer):
    """Base of the random ones: `seed` is what was given, None for a seed drawn when the object is made."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = None if seed is None else integer(seed, f"{type(self).__name__}: seed", 0, MOST_SEED)
        self._seed = _random.draw_seed() if self.seed is None else self.seed

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng(self._seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class RandomNormal(RandomInitializer):
    """W ~ N(mean, stddev²).

    Args:
        mean: default 0.
        stddev: standard deviation, at least 0; default 0.05.
        seed: default None, a new one.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = number(mean, f"{type(self).__name__}: mean")
        self.stddev = number(stddev, f"{type(self).__name__}: stddev", 0.0)
        super().__init__(seed)

    def _values(self, shape: tuple[int, ...]) -> Array:
        return self._generator().normal(self.mean, self.stddev, shape)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class TruncatedNormal(RandomNormal):
    """W ~ N(mean, stddev²), drawn again until within two standard deviations of the mean.

    Args:
        mean: default 0.
        stddev: standard deviation before cutting, at least 0; default 0.05.
        seed: default None, a new one.
    """

    def _values(self, shape: tuple[int, ...]) -> Array:
        return self.mean + self.stddev * _truncated_normal(self._generator(), shape)


class RandomUniform(RandomInitializer):
    """W ~ U[minval, maxval).

    Args:
        minval: default -0.05.
        maxval: at least minval; default 0.05.
        seed: default None, a new one.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval = number(minval, "RandomUniform: minval")
        self.maxval = number(maxval, "RandomUniform: maxval", self.minval)
        super().__init__(seed)

    def _values(self, shape: tuple[int, ...]) -> Array:
        return self._generator().uniform(self.minval, self.maxval, shape)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


class VarianceScaling(RandomInitializer):
    """W of variance scale / n, where n is the fan in, the fan out or their mean.

    Fans of a kernel (..., inputs, outputs): inputs and outputs times the product of the leading (kernel) extents.

    Args:
        scale: positive; default 1.
        mode: "fan_in" (default), "fan_out" or "fan_avg".
        distribution: "truncated_normal" (default), "untruncated_normal" or "uniform".
        seed: default None, a new one.

    Source: Glorot & Bengio 2010; He et al. 2015; LeCun et al. 1998.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        self.scale = number(scale, "VarianceScaling: scale", 0.0)
        if self.scale == 0.0:
            raise ValueError("VarianceScaling: scale: expected a positive number, got 0")
        self.mode = _one_of(mode, ("fan_in", "fan_out", "fan_avg"), "VarianceScaling: mode")
        names = ("truncated_normal", "untruncated_normal", "uniform")
        distribution = "truncated_normal" if distribution == "normal" else distribution
        self.distribution = _one_of(distribution, names, "VarianceScaling: distribution")
        super().__init__(seed)

    def _values(self, shape: tuple[int, ...]) -> Array:
        fan_in, fan_out = _fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        generator = self._generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return generator.normal(0.0, math.sqrt(variance), shape)
        # Cutting at two sigma leaves this share of the standard deviation.
        return math.sqrt(variance) / 0.87962566103423978 * _truncated_normal(generator, shape)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed}


class _Scaled(VarianceScaling):
    """A VarianceScaling with everything but the seed fixed."""

    _arguments: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self._arguments, seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class GlorotUniform(_Scaled):
    """W ~ U[-a, a], a = √(6 / (fan_in + fan_out)). Args: seed. Source: Glorot & Bengio 2010."""

    _arguments = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """W ~ truncated N(0, 2 / (fan_in + fan_out)). Args: seed. Source: Glorot & Bengio 2010."""

    _arguments = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """W ~ U[-a, a], a = √(6 / fan_in). Args: seed. Source: He et al. 2015."""

    _arguments = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """W ~ truncated N(0, 2 / fan_in). Args: seed. Source: He et al. 2015."""

    _arguments = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """W ~ U[-a, a], a = √(3 / fan_in). Args: seed. Source: LeCun et al. 1998."""

    _arguments = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """W ~ truncated N(0, 1 / fan_in). Args: seed. Source: LeCun et al. 1998."""

    _arguments = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """gain·Q with orthonormal rows or columns, whichever are fewer; leading extents count as rows.

    Q comes from the QR decomposition of a normal matrix, its signs made unique by a positive diagonal of R.

    Args:
        gain: default 1.
        seed: default None, a new one.

    Source: Saxe et al. 2014.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = number(gain, "Orthogonal: gain")
        super().__init__(seed)

    def _values(self, shape: tuple[int, ...]) -> Array:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: expected a weight of at least 2 dimensions, got shape {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self._generator().normal(size=(max(rows, columns), min(rows, columns))))
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)
        return self.gain * (q.T if rows < columns else q).reshape(shape)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed}


class Function(Initializer):
    """A Python function f(shape, dtype=...) as initializer; such a layer cannot be saved."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
        values = np.asarray(self.function(tuple(shape), dtype=dtype))
        if values.shape != tuple(shape):
            raise ValueError(f"initializer {self.function!r}: expected shape {tuple(shape)}, got {values.shape}")
        return _cast(values, dtype)

    def get_config(self) -> dict[str, Any]:
        raise ValueError(f"the Python function {self.function!r} as initializer cannot be written to a configuration")

    def __repr__(self) -> str:
        return repr(self.function)


_classes: tuple[type[Initializer], ...] = (
    Zeros, Ones, Constant, Identity, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling, GlorotUniform,
    GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal,
)  # fmt: skip
_names: dict[str, type[Initializer]] = {
    **{cls.__name__: cls for cls in _classes},
    **{snake_case(cls.__name__): cls for cls in _classes},
    "zero": Zeros,
    "one": Ones,
    "normal": RandomNormal,
    "uniform": RandomUniform,
}

# Keras' other names of the classes
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling = VarianceScaling
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Initializer:
    """The initializer that serialize() wrote; or one of your own, by its name in `custom_objects`."""
    return get(with_custom(config, custom_objects))


def get(identifier: Initializer | str | dict[str, Any] | Callable[..., Any]) -> Initializer:
    """An initializer from an object, a name ("glorot_uniform"), a config or a Python function f(shape, dtype).

    Raises:
        ValueError, TypeError: for what names none.
    """
    if callable(identifier) and not isinstance(identifier, (Initializer, type)):
        return Function(identifier)
    return resolve(identifier, Initializer, _names, "initializer")


def _cast(values: Array, dtype: DTypeLike | None) -> Array:
    """What is too large becomes infinity, which a weight refuses by its name."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=floatx() if dtype is None else dtype)


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    if not shape:
        return 1.0, 1.0
    if len(shape) == 1:
        return float(shape[0]), float(shape[0])
    receptive = math.prod(shape[:-2])
    return float(shape[-2] * receptive), float(shape[-1] * receptive)


def _truncated_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    values = generator.normal(size=shape)
    outside = np.abs(values) > 2.0
    while outside.any():
        values[outside] = generator.normal(size=int(outside.sum()))
        outside = np.abs(values) > 2.0
    return values


def _one_of(value: str, names: tuple[str, ...], what: str) -> str:
    if value not in names:
        raise ValueError(f"{what}: expected one of {names}, got {value!r}")
    return value
