"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from tauten.optimizers import _settings, base


class SGD(base.Optimizer):
    """Gradient descent with momentum, as in Keras: v ← momentum·v - learning_rate·g, W ← W + v.

    With nesterov: W ← W + momentum·v - learning_rate·g (the new v). Without momentum: W ← W - learning_rate·g
    (chapter §26.1.3).

    Args:
        learning_rate: step size, at least 0, or a schedule; default 0.01.
        momentum: share of the last step that is kept, in [0, 1]; default 0.
        nesterov: look ahead along the momentum; default False.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum: as Optimizer has them.
        ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: as Optimizer has them.

    Raises:
        TypeError, ValueError: for numbers out of range, and for more than one way to clip.
    """

    _rule = "sgd"
    _slots = ("velocity",)
    _fields = ("momentum", "nesterov")

    momentum = _settings.number(0.0, 1.0)
    nesterov = _settings.flag()

    def __init__(
        self,
        learning_rate: base.Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum = momentum
        self.nesterov = nesterov
