"""TimeDistributed: one layer, the same weights, at every step."""

from __future__ import annotations

import copy
import weakref
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from tauten.layers.activation import ELU, LeakyReLU, ReLU, Softmax
from tauten.layers.base import Layer, WeightSpec
from tauten.layers.core import Activation, Dense, Dropout

if TYPE_CHECKING:
    from tauten._core import Network
    from tauten.constraints import Constraint

ALLOWED = (Dense, Dropout, Activation, ReLU, LeakyReLU, ELU, Softmax)


class TimeDistributed(Layer):
    """A layer at every step of a sequence: (batch, steps, ...) -> (batch, steps, ...). A mask passes through.

    Weights: the layer's. The layers that it takes do the same without the wrapper.

    Args:
        layer: a Dense, Dropout, Activation, ReLU, LeakyReLU, ELU or Softmax; a copy of it is used.
        name, trainable: as in Layer. The layer is frozen if its own `trainable` is False, too.

    Raises:
        TypeError, ValueError: for anything else.
    """

    supports_masking = True

    def __init__(self, layer: Layer, *, name: str | None = None, trainable: bool = True, **kwargs: Any) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        if not isinstance(layer, Layer):
            raise TypeError(f"TimeDistributed: layer must be a layer, got {layer!r}")
        if not isinstance(layer, ALLOWED):
            raise ValueError(
                f"TimeDistributed: expected a Dense, Dropout, Activation, ReLU, LeakyReLU, ELU or Softmax, got layer "
                f"{layer.name!r} ({type(layer).__name__})"
            )
        self.layer = copy.copy(layer)
        self.layer._forget()
        self.layer.input_shape_argument = None
        self.layer._wrapper = weakref.ref(self)

    @property
    def activation(self) -> str:
        """The layer's."""
        return str(getattr(self.layer, "activation", "linear"))

    def add_to(self, network: Network, edge: int) -> int:
        shape = tuple(network.edge_shape(edge))
        if len(shape) < 2:
            raise ValueError(f"{self.name}: expected a sequence (steps, ...), got shape {shape}")
        inner = copy.copy(self.layer)
        inner.name = self.name  # its node and weights are this layer's
        return inner.add_to(network, edge)

    def weight_specs(self) -> dict[str, WeightSpec]:
        return self.layer.weight_specs()

    def initial_value(self, weight: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        return self.layer.initial_value(weight, shape, dtype)

    def constraint_of(self, weight: str) -> Constraint | None:
        return self.layer.constraint_of(weight)

    def trains(self, weight: str) -> bool:
        return self.trainable and self.layer.trainable

    def get_config(self) -> dict[str, Any]:
        layer = {"class_name": type(self.layer).__name__, "config": self.layer.get_config()}
        return {**super().get_config(), "layer": layer}

    def seeded_config(self) -> dict[str, Any]:
        config = self.get_config()
        config["layer"]["config"] = self.layer.seeded_config()
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TimeDistributed:
        from tauten.layers import deserialize

        return cls(**{**config, "layer": deserialize(config["layer"])})
