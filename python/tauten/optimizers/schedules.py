"""Learning rates that follow the number of training steps: Keras' schedules, and the base of one's own."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tauten import _registry
from tauten._checks import flag, integer, number, unpacked

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule:
    """Base of the schedules. One's own has __call__(step), and get_config() if models with it are to be saved.

    An optimizer calls it before every training step with the number of steps so far.
    """

    def __call__(self, step: int) -> float:
        """The learning rate of step number `step`, from 0."""
        raise NotImplementedError(f"{type(self).__name__}: a schedule needs a method __call__(self, step)")

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object."""
        raise NotImplementedError(f"{type(self).__name__}: to be saved, a schedule needs a method get_config(self)")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The schedule whose get_config() this is."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<schedule {type(self).__name__}>"


class _Decay(LearningRateSchedule):
    """A schedule whose get_config() is its attributes, named as its arguments."""

    _arguments: tuple[str, ...] = ()

    def _set(self, name: Any, **arguments: Any) -> None:
        own = type(self).__name__
        for key, value in arguments.items():
            setattr(self, key, value)
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{own}: name: expected a string, got {name!r}")
        self.name = name
        self._arguments = (*arguments, "name")

    def get_config(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self._arguments}

    def __repr__(self) -> str:
        given = ", ".join(f"{key}={getattr(self, key)!r}" for key in self._arguments if key != "name")
        return f"{type(self).__name__}({given})"


def _steps(value: Any, what: str) -> float:
    """A positive number of steps; whole ones stay integers."""
    steps = number(value, what, 0.0)
    if steps == 0.0:
        raise ValueError(f"{what}: expected a positive number, got {value!r}")
    return int(steps) if steps.is_integer() else steps


class ExponentialDecay(_Decay):
    """initial_learning_rate · decay_rate^(step / decay_steps).

    Args:
        initial_learning_rate: at least 0.
        decay_steps: positive.
        decay_rate: at least 0.
        staircase: round step / decay_steps down; default False.
        name: kept for the configuration alone, as in Keras.

    Raises:
        TypeError, ValueError: for numbers out of range.
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "ExponentialDecay",
    ) -> None:
        self._set(
            name,
            initial_learning_rate=number(initial_learning_rate, "ExponentialDecay: initial_learning_rate", 0.0),
            decay_steps=_steps(decay_steps, "ExponentialDecay: decay_steps"),
            decay_rate=number(decay_rate, "ExponentialDecay: decay_rate", 0.0),
            staircase=flag(staircase, "ExponentialDecay: staircase"),
        )

    def __call__(self, step: int) -> float:
        share = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (math.floor(share) if self.staircase else share)


class InverseTimeDecay(_Decay):
    """initial_learning_rate / (1 + decay_rate · step / decay_steps). Arguments as ExponentialDecay has them."""

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "InverseTimeDecay",
    ) -> None:
        self._set(
            name,
            initial_learning_rate=number(initial_learning_rate, "InverseTimeDecay: initial_learning_rate", 0.0),
            decay_steps=_steps(decay_steps, "InverseTimeDecay: decay_steps"),
            decay_rate=number(decay_rate, "InverseTimeDecay: decay_rate", 0.0),
            staircase=flag(staircase, "InverseTimeDecay: staircase"),
        )

    def __call__(self, step: int) -> float:
        share = step / self.decay_steps
        return self.initial_learning_rate / (1.0 + self.decay_rate * (math.floor(share) if self.staircase else share))


class PolynomialDecay(_Decay):
    """(initial_learning_rate - end_learning_rate) · (1 - step / decay_steps)^power + end_learning_rate.

    Args:
        initial_learning_rate: at least 0.
        decay_steps: positive; from there on the rate is end_learning_rate.
        end_learning_rate: at least 0; default 0.0001.
        power: at least 0; default 1.
        cycle: begin again after decay_steps, over twice, three times, ... as many steps; default False.
        name: kept for the configuration alone, as in Keras.

    Raises:
        TypeError, ValueError: for numbers out of range.
    """

    initial_learning_rate: float
    decay_steps: float
    end_learning_rate: float
    power: float
    cycle: bool

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ) -> None:
        self._set(
            name,
            initial_learning_rate=number(initial_learning_rate, "PolynomialDecay: initial_learning_rate", 0.0),
            decay_steps=_steps(decay_steps, "PolynomialDecay: decay_steps"),
            end_learning_rate=number(end_learning_rate, "PolynomialDecay: end_learning_rate", 0.0),
            power=number(power, "PolynomialDecay: power", 0.0),
            cycle=flag(cycle, "PolynomialDecay: cycle"),
        )

    def __call__(self, step: int) -> float:
        steps = self.decay_steps
        if self.cycle:
            steps *= max(1, math.ceil(step / steps))
        left: float = (1.0 - min(step, steps) / steps) ** self.power
        return (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate


class PiecewiseConstantDecay(_Decay):
    """values[0] up to and with step boundaries[0], then values[1] up to boundaries[1], ..., in the end values[-1].

    Args:
        boundaries: numbers of steps, each above the one before.
        values: learning rates of at least 0, one more than boundaries.
        name: kept for the configuration alone, as in Keras.

    Raises:
        TypeError, ValueError: for numbers out of range or order, and counts that do not fit.
    """

    boundaries: list[float]
    values: list[float]

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str | None = "PiecewiseConstant"
    ) -> None:
        lists = []
        for key, given in (("boundaries", unpacked(boundaries)), ("values", unpacked(values))):
            what = f"PiecewiseConstantDecay: {key}"
            if isinstance(given, str) or not isinstance(given, Sequence):
                raise TypeError(f"{what}: expected a list of numbers, got {given!r}")
            lists.append([number(value, what, 0.0) for value in given])
        if len(lists[0]) != len(lists[1]) - 1:
            raise ValueError(
                f"PiecewiseConstantDecay: expected one more of values than of boundaries, got {len(lists[1])} values "
                f"and {len(lists[0])} boundaries"
            )
        if any(after <= before for before, after in zip(lists[0], lists[0][1:], strict=False)):
            raise ValueError(f"PiecewiseConstantDecay: boundaries: expected growing numbers, got {lists[0]}")
        self._set(name, boundaries=lists[0], values=lists[1])

    def __call__(self, step: int) -> float:
        return self.values[bisect_left(self.boundaries, step)]


class CosineDecay(_Decay):
    """A linear warm-up, if wanted, then half a cosine down (Loshchilov and Hutter 2017; warm-up: Goyal et al. 2017).

    In the warm-up the rate goes from initial_learning_rate to warmup_target; then from there, or without a warm-up from
    initial_learning_rate, to alpha times as much: rate · ((1 - alpha)(1 + cos(π step / decay_steps)) / 2 + alpha).

    Args:
        initial_learning_rate: at least 0.
        decay_steps: positive, of the part behind the warm-up.
        alpha: share of the rate that is left at the end, at least 0; default 0.
        name: kept for the configuration alone, as in Keras.
        warmup_target: at least 0; default None, no warm-up.
        warmup_steps: at least 0; default 0.

    Raises:
        TypeError, ValueError: for numbers out of range.
    """

    initial_learning_rate: float
    decay_steps: float
    alpha: float
    warmup_target: float | None
    warmup_steps: int

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        target = None if warmup_target is None else number(warmup_target, "CosineDecay: warmup_target", 0.0)
        self._set(
            name,
            initial_learning_rate=number(initial_learning_rate, "CosineDecay: initial_learning_rate", 0.0),
            decay_steps=_steps(decay_steps, "CosineDecay: decay_steps"),
            alpha=number(alpha, "CosineDecay: alpha", 0.0),
            warmup_target=target,
            warmup_steps=integer(warmup_steps, "CosineDecay: warmup_steps", 0),
        )

    def __call__(self, step: int) -> float:
        rate = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return rate + (self.warmup_target - rate) * step / self.warmup_steps
            rate = self.warmup_target
            step -= self.warmup_steps
        return rate * _cosine(min(step, self.decay_steps) / self.decay_steps, self.alpha)


class CosineDecayRestarts(_Decay):
    """Half cosines down, each t_mul times as long as the one before and beginning m_mul times as high.

    The rate is initial_learning_rate · ((1 - alpha) · height · (1 + cos(π share)) / 2 + alpha), where `share` of the
    period is over (SGDR, Loshchilov and Hutter 2017).

    Args:
        initial_learning_rate: at least 0.
        first_decay_steps: of the first period, positive.
        t_mul: at least 1; default 2.
        m_mul: at least 0; default 1.
        alpha: share of the rate that is left at a period's end, at least 0; default 0.
        name: kept for the configuration alone, as in Keras.

    Raises:
        TypeError, ValueError: for numbers out of range.
    """

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float
    m_mul: float
    alpha: float

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = "SGDRDecay",
    ) -> None:
        self._set(
            name,
            initial_learning_rate=number(initial_learning_rate, "CosineDecayRestarts: initial_learning_rate", 0.0),
            first_decay_steps=_steps(first_decay_steps, "CosineDecayRestarts: first_decay_steps"),
            t_mul=number(t_mul, "CosineDecayRestarts: t_mul", 1.0),
            m_mul=number(m_mul, "CosineDecayRestarts: m_mul", 0.0),
            alpha=number(alpha, "CosineDecayRestarts: alpha", 0.0),
        )

    def __call__(self, step: int) -> float:
        share = step / self.first_decay_steps  # of the first period's length; then of the current one's
        length, restarts = 1.0, 0
        if self.t_mul == 1.0:
            restarts = math.floor(share)
            share -= restarts
        while share >= length:
            share -= length
            length *= self.t_mul
            restarts += 1
        return self.initial_learning_rate * _cosine(share / length, self.alpha, self.m_mul**restarts)


def _cosine(share: float, alpha: float, height: float = 1.0) -> float:
    return (1.0 - alpha) * 0.5 * height * (1.0 + math.cos(math.pi * share)) + alpha


_names: dict[str, type[LearningRateSchedule]] = {
    c.__name__: c
    for c in (
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    )
}


def serialize(learning_rate_schedule: Any) -> dict[str, Any]:
    """{"class_name": ..., "config": {...}}. Raises ValueError for what has no get_config()."""
    if not hasattr(learning_rate_schedule, "get_config"):
        raise ValueError(
            f"learning_rate: {learning_rate_schedule!r} cannot be written to a configuration: it has no get_config(); "
            "derive it from tauten.optimizers.schedules.LearningRateSchedule"
        )
    return {
        "class_name": type(learning_rate_schedule).__name__,
        "config": learning_rate_schedule.get_config(),
    }


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> LearningRateSchedule:
    """The schedule that serialize() wrote down.

    Args:
        config: of serialize().
        custom_objects: name -> class of a schedule that is not Tauten's.

    Raises:
        ValueError, TypeError: for what is none.
    """
    own = dict(custom_objects or {}).get(str(config.get("class_name")))
    if own is not None:
        made: LearningRateSchedule = own.from_config(dict(config.get("config") or {}))
        return made
    return _registry.resolve(dict(config), LearningRateSchedule, _names, "learning_rate")
