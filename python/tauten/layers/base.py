"""What every layer has: a name, weights once it is in a built model, and a way to add itself to the network."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten import activations, initializers, regularizers
from tauten._checks import flag, integer, keras_only, layer_name, sample_shape
from tauten._naming import auto_name
from tauten._weights import Variable, assign_all

if TYPE_CHECKING:
    from tauten._core import Network
    from tauten._graph import Graph
    from tauten.layers.recurrent import Recurrent
    from tauten.models import Sequential

Shape = tuple[int | None, ...]
InitializerLike = initializers.Initializer | str | dict[str, Any] | Callable[..., Any]
RegularizerLike = regularizers.Regularizer | str | dict[str, Any] | None
ActivationLike = str | activations.Function | None

# Keras arguments that every layer takes there; here only at the value that changes nothing.
KERAS_DEFAULTS: dict[str, Any] = {"dtype": None, "autocast": True, "activity_regularizer": None}


@dataclass(frozen=True)
class WeightSpec:
    """How one weight begins and what it costs."""

    initializer: initializers.Initializer
    regularizer: regularizers.Regularizer | None = None


class Layer:
    """A layer: configuration, weights, and no mathematics, which is the native network's.

    Args:
        name: unique in its model; default the class in snake case, numbered: "dense", "dense_1", ...
        trainable: False freezes the weights: no updates and no penalty; default True.
        input_shape: of one sample; only for the first layer, instead of an Input.
        input_dim: the same for samples of one dimension: n stands for the shape (n,).

    Raises:
        TypeError, ValueError: for wrong arguments, Keras arguments that Tauten does not have included.
    """

    keras_defaults: ClassVar[dict[str, Any]] = {}
    reads_index: ClassVar[bool] = False
    supports_masking: bool = False  # reads masked sequences step by step, and passes the mask on
    ends_mask: ClassVar[bool] = False  # or reads the valid steps alone, and makes one value of them

    def __init__(self, *, name: str | None = None, trainable: bool = True, **kwargs: Any) -> None:
        cls = type(self).__name__
        shape = kwargs.pop("input_shape", None)
        features = kwargs.pop("input_dim", None)
        if features is not None:
            shape = (integer(features, f"{cls}: input_dim"),)
        keras_only(cls, kwargs, {**KERAS_DEFAULTS, **self.keras_defaults})
        self.name = auto_name(cls) if name is None else layer_name(name, f"{cls}: name")
        self._trainable = flag(trainable, f"{cls}: trainable")
        self.input_shape_argument = None if shape is None else sample_shape(shape, f"{cls}: input_shape")
        self._variables: list[Variable] = []
        self._graph: Graph | None = None
        self._owner: weakref.ref[Sequential] | None = None
        self._wrapper: weakref.ref[Layer] | None = None
        self._shapes: tuple[Shape, Shape] | None = None

    # -- what a subclass says of itself

    def add_to(self, network: Network, edge: int) -> int:
        """Add this layer to a native network, reading `edge`; returns the edge that it writes."""
        raise NotImplementedError

    def weight_specs(self) -> dict[str, WeightSpec]:
        """Weight name -> how it begins; the names are the native network's and Keras'."""
        return {}

    def initial_value(self, weight: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        """The initial value of one weight."""
        return self.weight_specs()[weight].initializer(shape, dtype)

    def directions(self) -> dict[str, Recurrent]:
        """The recurrent layers in it, by the prefix of their weights' names: none, itself ("") or a pair."""
        return {}

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal layer, with other weights."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if self.input_shape_argument is not None:
            config["input_shape"] = list(self.input_shape_argument)
        return config

    def seeded_config(self) -> dict[str, Any]:
        """get_config() with the seeds that were drawn where none was given: the copy makes the same masks."""
        return self.get_config()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """The layer whose get_config() this is."""
        return cls(**config)

    # -- shapes

    @property
    def built(self) -> bool:
        """Is the layer part of a model with known input shape?"""
        return self._shapes is not None

    @property
    def input_shape(self) -> Shape:
        """Shape of the input, None for the batch and for what is known only at run time."""
        return self._known_shapes()[0]

    @property
    def output_shape(self) -> Shape:
        """Shape of the output, None for the batch and for what is known only at run time."""
        return self._known_shapes()[1]

    def _known_shapes(self) -> tuple[Shape, Shape]:
        if self._shapes is None:
            raise AttributeError(f"layer {self.name!r} has no shape yet: it is not part of a built model")
        return self._shapes

    # -- weights

    @property
    def weights(self) -> list[Variable]:
        """The weights, in the order of get_weights(); empty before the model is built."""
        if self._graph is not None:
            self._graph.finish()
        return list(self._variables)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [variable for variable in self.weights if variable.trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [variable for variable in self.weights if not variable.trainable]

    @property
    def trainable(self) -> bool:
        """False for a frozen layer: its weights get no updates and no penalty. Setting it takes effect at once."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = flag(value, f"layer {self.name!r}: trainable")
        wrapper = self._wrapper() if self._wrapper is not None else None
        holder = self if wrapper is None else wrapper  # of the weights
        for variable in holder._variables:
            holder.configure(variable)

    def configure(self, variable: Variable) -> None:
        """Tell the network whether a weight is trainable and what it costs."""
        regularizer = self.weight_specs()[variable.name].regularizer
        trainable = self.trains(variable.name)
        penalty = regularizer.penalty if regularizer is not None and trainable else (0.0, 0.0)
        variable.configure(trainable, penalty)

    def trains(self, weight: str) -> bool:
        """Whether training changes a weight."""
        return self._trainable

    def get_weights(self) -> list[NDArray[np.floating[Any]]]:
        """Copies of the weights, in Keras' order and shapes."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: list[ArrayLike]) -> None:
        """Set all weights; nothing changes if one of them does not fit.

        Args:
            weights: arrays as get_weights() gives them.

        Raises:
            ValueError, TypeError: for a wrong number of arrays, wrong shapes or dtypes.
        """
        assign_all(self.weights, weights, f"layer {self.name!r}: set_weights")

    def count_params(self) -> int:
        """How many numbers the weights have.

        Raises:
            ValueError: before the model is built.
        """
        if not self.built:
            raise ValueError(f"layer {self.name!r} has no weights to count yet: build the model first")
        return sum(variable.size for variable in self.weights)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"
