"""Adam, and Adam with weight decay of its own."""

from __future__ import annotations

from tauten.optimizers import _settings, base


class Adam(base.Optimizer):
    """Steps scaled by averages of the gradient and of its square (Kingma and Ba 2015), as in Keras.

    m ← m + (1 - beta_1)(g - m), v ← v + (1 - beta_2)(g² - v), W ← W - η m / (sqrt(v) + epsilon), where η is
    learning_rate·sqrt(1 - beta_2^t) / (1 - beta_1^t) at update t. With amsgrad the largest v so far stands for v
    (Reddi, Kale and Kumar 2018).

    Args:
        learning_rate: step size, at least 0, or a schedule; default 0.001.
        beta_1: share of m that is kept, in [0, 1); default 0.9.
        beta_2: share of v that is kept, in [0, 1); default 0.999.
        epsilon: positive; default 1e-7.
        amsgrad: divide by the largest v; default False.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum: as Optimizer has them.
        ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: as Optimizer has them.

    Raises:
        TypeError, ValueError: for numbers out of range, and for more than one way to clip.
    """

    _rule = "adam"
    _slots = ("momentum", "velocity", "velocity_hat")
    _fields = ("beta_1", "beta_2", "epsilon", "amsgrad")

    beta_1 = _settings.below_one()
    beta_2 = _settings.below_one()
    epsilon = _settings.positive()
    amsgrad = _settings.flag()

    def __init__(
        self,
        learning_rate: base.Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad


class AdamW(Adam):
    """Adam with weight decay of its own: W ← W - learning_rate·weight_decay·W (Loshchilov and Hutter 2019).

    Args:
        learning_rate: step size, at least 0, or a schedule; default 0.001.
        weight_decay: at least 0; default 0.004.
        beta_1, beta_2, epsilon, amsgrad: as Adam has them.
        clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency: as Optimizer has them.
        loss_scale_factor, gradient_accumulation_steps, name: as Optimizer has them.

    Raises:
        TypeError, ValueError: for numbers out of range, weight_decay=None, and for more than one way to clip.
    """

    def __init__(
        self,
        learning_rate: base.Rate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ValueError("AdamW: weight_decay: expected a number, got None; Adam has no decay")
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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
