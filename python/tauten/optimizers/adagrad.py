"""Adagrad."""

from __future__ import annotations

from tauten.optimizers import _settings, base


class Adagrad(base.Optimizer):
    """Steps divided by the root of the sum of all squares (Duchi, Hazan and Singer 2011), as in Keras.

    a ← a + g², W ← W - learning_rate·g / sqrt(a + epsilon).

    Args:
        learning_rate: step size, at least 0, or a schedule; default 0.001.
        initial_accumulator_value: what the sums begin with, at least 0; default 0.1.
        epsilon: positive; default 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum: as Optimizer has them.
        ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: as Optimizer has them.

    Raises:
        TypeError, ValueError: for numbers out of range, and for more than one way to clip.
    """

    _rule = "adagrad"
    _slots = ("accumulator",)
    _fields = ("initial_accumulator_value", "epsilon")

    initial_accumulator_value = _settings.number()
    epsilon = _settings.positive()

    def __init__(
        self,
        learning_rate: base.Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
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
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
        )
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon
