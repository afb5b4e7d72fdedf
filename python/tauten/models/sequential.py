"""Sequential: layers in a row, the special case of a graph that is a chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tauten import _masking
from tauten._checks import flag, keras_only, layer_name, sample_shape
from tauten._graph import Graph
from tauten._naming import auto_name
from tauten._tensors import KerasTensor
from tauten._wiring import Flat, Wiring
from tauten.layers.base import Layer, Shape
from tauten.layers.core import InputLayer
from tauten.models import _config
from tauten.models.model import Model


class Sequential(Model):
    """A Model whose layers stand in a row, each reading what the one before writes.

    With an Input first the model is built layer by layer, so that shapes are checked as layers are added; without
    one it is built for the first data that it sees, or by build(). Models may stand among the layers.

    Args:
        layers: Input and layers; more can be added; default none.
        trainable: False freezes all layers; default True.
        name: default "sequential", numbered.

    Raises:
        TypeError, ValueError: for what is no layer, equal names and shapes that do not fit.
    """

    def __init__(
        self, layers: Iterable[Layer | KerasTensor] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        self._layers: list[Layer] = []
        self._tensors: list[KerasTensor] = []  # the Input's, and what each layer writes; empty before there is an Input
        self._wired = None
        self._start(auto_name("Sequential") if name is None else layer_name(name, "Sequential: name"))
        if isinstance(layers, (Layer, KerasTensor)) or (layers is not None and not isinstance(layers, Iterable)):
            raise TypeError(f"Sequential: expected a list of layers, got {layers!r}")
        for layer in layers or ():
            self.add(layer)
        if not flag(trainable, "Sequential: trainable"):
            self.trainable = False

    # -- structure

    def add(self, layer: Layer | KerasTensor, rebuild: bool = True) -> None:
        """Add a layer on top; weights that exist stay. rebuild: True; the model is checked as it grows.

        Raises:
            TypeError, ValueError: for what is no layer, a name that is taken, an Input that is not first, shapes that
                do not fit, and where the model is a part of another one. The model is then as it was.
        """
        keras_only("add", {"rebuild": rebuild}, {"rebuild": True})
        if isinstance(layer, KerasTensor):
            if layer._node.reads:
                raise TypeError(
                    f"model {self.name!r}: expected an Input or a layer, got {layer!r}, which a layer wrote"
                )
            layer = layer._node.layer
        if not isinstance(layer, Layer):
            raise TypeError(f"model {self.name!r}: expected a layer of tauten.layers, got {layer!r}")
        self._check_alone("add")
        self._check_new(layer)
        layers, tensors = list(self._layers), list(self._tensors)
        if not layers and not isinstance(layer, InputLayer):
            shape = _begins_with(layer)
            if shape is not None:
                first = InputLayer(shape)
                layers, tensors = [first], [first.output]
        if isinstance(layer, InputLayer):
            tensors = [layer.output]
        elif tensors:
            tensors.append(self._called_on(layer, tensors[-1]))
        self._take([*layers, layer], tensors)

    def _check_new(self, layer: Layer) -> None:
        if any(other.name == layer.name for other in self._layers):
            raise ValueError(f"model {self.name!r}: the name {layer.name!r} is taken; names of layers must be unique")
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(f"model {self.name!r}: an Input must come first, got {layer.name!r} after other layers")
        if layer.reads_index and self.layers:
            raise ValueError(f"model {self.name!r}: layer {layer.name!r} reads integers and must be the first layer")
        if layer.merges:
            raise ValueError(
                f"model {self.name!r}: layer {layer.name!r} ({type(layer).__name__}) merges several tensors; a "
                "Sequential has one: use tauten.Model"
            )

        if layer.output_count > 1:
            raise ValueError(
                f"model {self.name!r}: layer {layer.name!r} ({type(layer).__name__}) has {layer.output_count} outputs, "
                "a Sequential takes one: use tauten.Model, or return_state=False and a merge_mode"
            )

    def _check_alone(self, what: str) -> None:
        if self._live():
            raise ValueError(f"model {self.name!r}: {what}: it is a part of another model, which would change")

    def _called_on(self, layer: Layer, tensor: KerasTensor) -> KerasTensor:
        written = layer(tensor)
        if not isinstance(written, KerasTensor):
            raise ValueError(
                f"model {self.name!r}: {layer.name!r} has several outputs, a Sequential takes one: use tauten.Model"
            )
        return written

    def _take(self, layers: list[Layer], tensors: list[KerasTensor]) -> None:
        """Have these layers and tensors, if the graph that they make can be; else stay as it was."""
        old = self._layers, self._tensors, self._wired, self._graph, self._before
        self._layers, self._tensors = layers, tensors
        self._wired = Wiring(tensors[:1], tensors[-1:], self.name) if len(tensors) > 1 else None
        if self._graph is not None and self._graph.finished:
            self._before = self._graph
        self._graph = None
        try:
            leaves = self._leaves()
            if any(getattr(layer, "makes_mask", False) for layer in leaves):
                if self._wired is None:
                    _masking.plan(Flat.chain(leaves), self.name)
                else:
                    self._graph = self._assembled()
        except Exception:
            self._layers, self._tensors, self._wired, self._graph, self._before = old
            raise
        self._own()

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer and return it, with its weights. rebuild: True, as in add().

        Raises:
            ValueError: if there is none, and where the model is a part of another one.
        """
        keras_only("pop", {"rebuild": rebuild}, {"rebuild": True})
        if not self.layers:
            raise ValueError(f"model {self.name!r}: there is no layer to remove")
        self._check_alone("pop")
        layer = self._layers[-1]
        self._take(self._layers[:-1], self._tensors[:-1])
        if layer._owner is not None and layer._owner() is self:
            layer._owner = None
            if not layer._variables and not layer._live():
                layer._shapes = None  # it may yet be built for any input
        return layer

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the weights.

        Args:
            input_shape: with the batch in front, such as (None, 28, 28, 1); not needed after an Input.

        Raises:
            ValueError: without layers, for another shape than the model's Input, and for shapes that do not fit.
        """
        if input_shape is not None:
            shape = sample_shape(input_shape, f"model {self.name!r}: build: input_shape")
            if not shape:
                raise ValueError(f"model {self.name!r}: build: the shape must begin with the batch, got {input_shape}")
            self._graph_for(lambda: shape[1:])
            if self.input_layer.shape != shape[1:]:
                raise ValueError(f"model {self.name!r} has input shape {self.input_shape}, got {tuple(input_shape)}")
        elif self._inner() is None:
            raise ValueError(f"model {self.name!r}: build needs an input_shape, since the model has no Input")
        self._graph_now()

    def _graph_for(self, shape: Callable[[], Shape]) -> Graph:
        if not self.layers:
            raise ValueError(f"model {self.name!r} has no layers: add some first")
        if not self._tensors:
            self._begin(InputLayer(shape()))
        return super()._graph_for(shape)

    def _begin(self, first: InputLayer) -> None:
        """Put an Input in front of the layers."""
        tensors = [first.output]
        for layer in self._layers:
            tensors.append(self._called_on(layer, tensors[-1]))
        self._take([first, *self._layers], tensors)

    def _call(self, structure: Any, tensors: Sequence[KerasTensor], initial: Sequence[KerasTensor] = ()) -> Any:
        if not self.layers:
            raise ValueError(f"model {self.name!r} has no layers: add some first")
        if not self._tensors:
            self._begin(InputLayer(tensors[0].shape[1:], dtype=tensors[0].dtype))
        return super()._call(structure, tensors)

    @property
    def class_name(self) -> str:
        return "Sequential"

    def _leaves(self) -> list[Layer]:
        if self._inner() is not None:
            return super()._leaves()
        found: list[Layer] = []
        for layer in self.layers:
            found.extend(layer._leaves() if isinstance(layer, Model) else [layer])
        return found

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the Input."""
        return self._layers[1:] if self._layers and isinstance(self._layers[0], InputLayer) else self._layers[:]

    @property
    def input_layer(self) -> InputLayer:
        """The Input, which build() adds if there is none. Raises AttributeError before."""
        if not self._layers or not isinstance(self._layers[0], InputLayer):
            raise AttributeError(f"model {self.name!r} has no input shape yet: it is not built")
        return self._layers[0]

    @property
    def inputs(self) -> list[KerasTensor]:
        if not self._tensors:
            raise AttributeError(f"model {self.name!r} has no input shape yet: it is not built")
        return self._tensors[:1]

    @property
    def outputs(self) -> list[KerasTensor]:
        if not self._tensors:
            raise AttributeError(f"model {self.name!r} has no output shape yet: it is not built")
        return self._tensors[-1:]

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Model:
        return _config.read(config, "Sequential", custom_objects)


def _begins_with(layer: Layer) -> Shape | None:
    """The shape of a sample, if the layer, or a model of one input, knows it."""
    if isinstance(layer, Model):
        return layer.inputs[0].shape[1:] if layer.built and len(layer.inputs) == 1 else None
    return layer.input_shape_argument
