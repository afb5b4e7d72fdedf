"""RMSprop."""

from __future__ import annotations

from tauten.optimizers import _settings, base


class RMSprop(base.Optimizer):
    """Steps divided by the root of the average square of the gradient (Hinton 2012), as in Keras.

    v ← rho·v + (1 - rho) g², step = learning_rate·g / sqrt(v + epsilon), W ← W - step. With momentum:
    b ← momentum·b + step, W ← W - b. Centered: a ← rho·a + (1 - rho) g, and v - a² stands for v in the root; where
    rounding brings it below 0, it counts as 0.

    Args:
        learning_rate: step size, at least 0, or a schedule; default 0.001.
        rho: share of v that is kept, in [0, 1]; default 0.9.
        momentum: share of the last step that is kept, in [0, 1]; default 0.
        epsilon: positive; default 1e-7.
        centered: divide by the deviation from the mean gradient; default False.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum: as Optimizer has them.
        ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: as Optimizer has them.

    Raises:
        TypeError, ValueError: for numbers out of range, and for more than one way to clip.
    """

    _rule = "rmsprop"
    _slots = ("velocity", "momentum", "average_gradient")
    _fields = ("rho", "momentum", "epsilon", "centered")

    rho = _settings.number(0.0, 1.0)
    momentum = _settings.number(0.0, 1.0)
    epsilon = _settings.positive()
    centered = _settings.flag()

    def __init__(
        self,
        learning_rate: base.Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
