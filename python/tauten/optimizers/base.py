"""What all optimizers have: learning rate, weight decay, clipping, accumulation, averages of the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tauten import _checks, _core
from tauten.optimizers import _settings, schedules

if TYPE_CHECKING:
    from typing_extensions import Self

    from tauten._weights import Variable

Rate = float | schedules.LearningRateSchedule | Callable[[int], float]

# Of every rule, behind its own slots.
AVERAGE, ACCUMULATOR = 3, 4


class Optimizer:
    """Base of the optimizers. All settings may be changed at any time, also from a callback: the next step uses them.

    A step, with g the gradient of the loss, penalties included:

    1. gradient_accumulation_steps=k: g is added to a sum; only every k-th step goes on, with the mean of the k.
    2. g is clipped, by clipvalue, clipnorm or global_clipnorm.
    3. weight_decay: W ← W - learning_rate·weight_decay·W (the chapter's (1 - ηα) W).
    4. The rule changes W.
    5. use_ema: average ← ema_momentum·average + (1 - ema_momentum)·W; after the first step the average is W.

    Every weight gets its part of it, the rows of an Embedding that the batch does not have included. What an optimizer
    keeps a weight (its slots) belongs to the model: compile() starts it anew.

    Args:
        learning_rate: step size, at least 0; or a schedule, or any function of the number of steps so far.
        weight_decay: at least 0; default None, no decay.
        clipnorm: each weight's gradient is made no longer than this, at least 0 (0: no clipping); default None.
        clipvalue: each element of the gradients is brought into [-clipvalue, clipvalue]; default None.
        global_clipnorm: all gradients together are made no longer than this; default None.
        use_ema: keep a moving average of each weight; fit() puts it into the model when it ends. Default False.
        ema_momentum: share of the average that is kept, in [0, 1]; default 0.99.
        ema_overwrite_frequency: put the averages into the weights after every so many updates, too; default None.
        loss_scale_factor: None; Tauten has no reduced precision that would need it.
        gradient_accumulation_steps: update with every so manieth step only, at least 2; default None.
        name: default the class's name in lower case.

    Raises:
        TypeError, ValueError: for numbers out of range, and for more than one way to clip.
    """

    _rule = ""  # the native rule
    _slots: tuple[str, ...] = ()  # what it keeps a weight
    _fields: tuple[str, ...] = ()  # its own settings

    weight_decay = _settings.optional_number()
    clipnorm = _settings.optional_number()
    clipvalue = _settings.optional_number()
    global_clipnorm = _settings.optional_number()
    use_ema = _settings.flag()
    ema_momentum = _settings.number(0.0, 1.0)
    ema_overwrite_frequency = _settings.optional_integer(1)
    gradient_accumulation_steps = _settings.optional_integer(2)

    def __init__(
        self,
        learning_rate: Rate | Mapping[str, Any],
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
    ) -> None:
        own = type(self).__name__
        if not self._rule:
            raise TypeError(f"{own}: Optimizer itself has no rule: make an SGD, Adam, AdamW, RMSprop or Adagrad")
        _checks.keras_only(own, {"loss_scale_factor": loss_scale_factor}, {"loss_scale_factor": None})
        given = [clip for clip in (clipnorm, clipvalue, global_clipnorm) if clip is not None]
        if len(given) > 1:
            raise ValueError(
                f"{own}: only one of clipnorm, clipvalue and global_clipnorm can be set, got clipnorm={clipnorm}, "
                f"clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        self.name = _checks.layer_name(own.lower() if name is None else name, f"{own}: name")
        self._native: _core.Update | None = None
        self._steps = 0
        self._learning_rate: Rate = 0.0
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = None
        self.gradient_accumulation_steps = gradient_accumulation_steps

    # -- learning rate and steps

    @property
    def learning_rate(self) -> float:
        """Step size of the next step; may be set between any two steps, unless it follows a schedule."""
        rate = self._learning_rate
        if not callable(rate):
            return rate
        return _checks.number(rate(self._steps), f"{type(self).__name__}: learning_rate of {rate!r}", 0.0)

    @learning_rate.setter
    def learning_rate(self, value: Rate | Mapping[str, Any]) -> None:
        if isinstance(value, Mapping):
            value = schedules.deserialize(value)
        if callable(value):
            if isinstance(value, type):
                raise TypeError(
                    f"{type(self).__name__}: learning_rate: expected a schedule, got the class {value.__name__}"
                )
            self._learning_rate = value
            self._changed()
            return
        if callable(self._learning_rate):
            raise TypeError(
                f"{type(self).__name__}: learning_rate follows {self._learning_rate!r} and cannot be set to a number; "
                "make the optimizer with a number to set it"
            )
        self._learning_rate = _checks.number(value, f"{type(self).__name__}: learning_rate", 0.0)
        self._changed()

    @property
    def iterations(self) -> int:
        """Updates so far: training steps, or with gradient accumulation every k-th of them."""
        return self._steps // (self.gradient_accumulation_steps or 1)

    @iterations.setter
    def iterations(self, value: int) -> None:
        steps = _checks.integer(value, f"{type(self).__name__}: iterations", 0)
        self._steps = steps * (self.gradient_accumulation_steps or 1)

    # -- averages

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Put the averages of weights into them, if use_ema; fit() does it when it ends.

        Args:
            var_list: weights, such as model.trainable_weights. Those without an average stay as they are.
        """
        if self.use_ema:
            for variable in var_list:
                variable.take_average()

    # -- configuration

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object. Raises ValueError for a schedule without get_config()."""
        rate = self._learning_rate
        return {
            "name": self.name,
            "learning_rate": schedules.serialize(rate) if callable(rate) else rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
            **{name: getattr(self, name) for name in self._fields},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The optimizer whose get_config() this is.

        Args:
            config: of get_config().
            custom_objects: name -> class of a schedule that is not Tauten's.
        """
        rate = config.get("learning_rate")
        if isinstance(rate, Mapping):
            config = {**config, "learning_rate": schedules.deserialize(rate, custom_objects)}
        return cls(**config)

    def __repr__(self) -> str:
        rate = self._learning_rate
        own = "".join(f", {name}={getattr(self, name)}" for name in self._fields)
        return f"{type(self).__name__}(learning_rate={rate!r}{own})"

    # -- what training needs

    @classmethod
    def slot_names(cls) -> tuple[str, ...]:
        """What the optimizer may keep a weight, by name."""
        return (*cls._slots, "average", "gradient_accumulator")

    @classmethod
    def slot_number(cls, name: str) -> int:
        """The native number of a slot. Raises ValueError for a name that is not among slot_names()."""
        if name not in cls.slot_names():
            raise ValueError(f"{cls.__name__} keeps no {name!r}; it keeps {', '.join(cls.slot_names())}")
        return {"average": AVERAGE, "gradient_accumulator": ACCUMULATOR}.get(name) or cls._slots.index(name)

    def _changed(self) -> None:
        self._native = None

    def rule(self) -> _core.Update:
        """The settings of this moment for a native training step."""
        native = self._native
        if native is None:
            native = _core.Update(self._rule)
            for name in self._fields:
                setattr(native, name, getattr(self, name))
            native.weight_decay = self.weight_decay or 0.0
            native.clipnorm = self.clipnorm or 0.0
            native.clipvalue = self.clipvalue or 0.0
            native.global_clipnorm = self.global_clipnorm or 0.0
            native.use_ema = self.use_ema
            native.ema_momentum = self.ema_momentum
            native.ema_overwrite_frequency = self.ema_overwrite_frequency or 0
            native.gradient_accumulation_steps = self.gradient_accumulation_steps or 1
            native.learning_rate = self.learning_rate
            self._native = native
        elif callable(self._learning_rate):
            native.learning_rate = self.learning_rate
        return native

    def count_step(self) -> None:
        """A training step was made."""
        self._steps += 1

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_native": None}  # native objects are made anew in a copy
