"""Optimizers: how a step changes the weights (chapter §26.1.3; minibatch stochastic gradient descent)."""

from __future__ import annotations

from typing import Any

from tauten._checks import flag, keras_only, layer_name, number
from tauten._registry import resolve

__all__ = ["SGD", "Optimizer", "get"]


class Optimizer:
    """Base of the optimizers.

    Attributes:
        iterations: training steps so far.
    """

    iterations: int = 0

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """The optimizer whose get_config() this is."""
        return cls(**config)


class SGD(Optimizer):
    """Gradient descent with momentum, as in Keras: v ← momentum·v - learning_rate·g, W ← W + v.

    With nesterov: W ← W + momentum·v - learning_rate·g (the new v). Without momentum: W ← W - learning_rate·g.
    `learning_rate` and `momentum` may be set at any time, also from a callback: the next step uses them.

    Args:
        learning_rate: step size, at least 0; default 0.01.
        momentum: share of the last step that is kept, in [0, 1]; default 0.
        nesterov: look ahead along the momentum; default False.
        name: default "SGD".

    Raises:
        TypeError, ValueError: for numbers out of range and for Keras arguments that Tauten does not have.
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        *,
        name: str = "SGD",
        **kwargs: Any,
    ) -> None:
        keras_only("SGD", kwargs, _KERAS_DEFAULTS)
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = flag(nesterov, "SGD: nesterov")
        self.name = layer_name(name, "SGD: name")
        self.iterations = 0

    @property
    def learning_rate(self) -> float:
        """Step size, at least 0; may be set between any two steps."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if callable(value):
            raise TypeError("SGD: learning_rate: schedules are not supported yet; set it from a callback instead")
        self._learning_rate = number(value, "SGD: learning_rate", 0.0)

    @property
    def momentum(self) -> float:
        """Share of the last step that is kept, in [0, 1]."""
        return self._momentum

    @momentum.setter
    def momentum(self, value: float) -> None:
        self._momentum = number(value, "SGD: momentum", 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "learning_rate": self.learning_rate,
            "momentum": self.momentum,
            "nesterov": self.nesterov,
        }

    def __repr__(self) -> str:
        return f"SGD(learning_rate={self.learning_rate}, momentum={self.momentum}, nesterov={self.nesterov})"


_KERAS_DEFAULTS: dict[str, Any] = {
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}

_names: dict[str, type[SGD]] = {"SGD": SGD, "sgd": SGD}


def get(identifier: SGD | str | dict[str, Any]) -> SGD:
    """An optimizer from an object, a name ("sgd") or a config.

    Raises:
        ValueError, TypeError: for what names none.
    """
    return resolve(identifier, SGD, _names, "optimizer")
