"""Sequential: layers in a row, built into one native network; and load_model()."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten import _masking, saving, summary
from tauten import config as settings
from tauten import layers as layer_module
from tauten._checks import flag, layer_name, sample_shape
from tauten._graph import Graph
from tauten._naming import auto_name
from tauten._weights import Variable, assign_all
from tauten.layers.base import Layer, Shape
from tauten.layers.core import InputLayer
from tauten.saving import load_model
from tauten.training import Trainer

__all__ = ["Sequential", "load_model"]


class Sequential(Trainer):
    """A model of layers in a row, each reading what the one before writes.

    With an Input first the model is built layer by layer, so that shapes are checked as layers are added; without
    one it is built for the first data that it sees, or by build().

    Args:
        layers: Input and layers; more can be added; default none.
        trainable: False freezes all layers; default True.
        name: default "sequential", numbered.

    Raises:
        TypeError, ValueError: for what is no layer, equal names and shapes that do not fit.
    """

    def __init__(self, layers: Iterable[Layer] | None = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__()
        self.name = auto_name("Sequential") if name is None else layer_name(name, "Sequential: name")
        self.dtype = settings.floatx()
        self._layers: list[Layer] = []
        self._graph: Graph | None = None
        if isinstance(layers, Layer) or (layers is not None and not isinstance(layers, Iterable)):
            raise TypeError(f"Sequential: expected a list of layers, got {layers!r}")
        for layer in layers or ():
            self.add(layer)
        if not flag(trainable, "Sequential: trainable"):
            self.trainable = False

    # -- structure

    def add(self, layer: Layer) -> None:
        """Add a layer on top; weights that exist stay.

        Raises:
            TypeError, ValueError: for what is no layer, a name that is taken, a layer of another model, an Input that
                is not first, and shapes that do not fit. The model is then as it was.
        """
        if not isinstance(layer, Layer):
            raise TypeError(f"model {self.name!r}: expected a layer of tauten.layers, got {layer!r}")
        self._check_new(layer)
        if not self._layers and layer.input_shape_argument is not None and not isinstance(layer, InputLayer):
            self._layers.append(InputLayer(layer.input_shape_argument))
            try:
                self._append(layer)
            except Exception:
                self._layers.clear()
                raise
        else:
            self._append(layer)

    def _check_new(self, layer: Layer) -> None:
        if any(other.name == layer.name for other in self._layers):
            raise ValueError(f"model {self.name!r}: the name {layer.name!r} is taken; names of layers must be unique")
        owner = layer._owner() if layer._owner is not None else None
        if owner is not None:
            raise ValueError(
                f"model {self.name!r}: layer {layer.name!r} belongs to model {owner.name!r} and cannot be shared; "
                "make a new one with from_config(layer.get_config())"
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(f"model {self.name!r}: an Input must come first, got {layer.name!r} after other layers")
        if layer.reads_index and self.layers:
            raise ValueError(f"model {self.name!r}: layer {layer.name!r} reads integers and must be the first layer")

    def _append(self, layer: Layer) -> None:
        layers = [*self._layers, layer]
        plan = _masking.plan([each for each in layers if not isinstance(each, InputLayer)], self.name)
        masked = plan is not None and plan.takes_out
        graph = self._graph
        if graph is not None and not graph.closed and graph.masked == masked:
            try:
                graph.add(layer)
            except Exception:
                self._adopt(self._layers, self._assemble(self._layers))  # a fresh one: the layer may be half added
                raise
        elif isinstance(layers[0], InputLayer) and len(layers) > 1:
            graph = self._assemble(layers)
        self._adopt(layers, graph)

    def _assemble(self, layers: Sequence[Layer]) -> Graph:
        """A network of these layers, the first of which is the input; it counts calls on where the old one is."""
        first = layers[0]
        assert isinstance(first, InputLayer)
        plan = _masking.plan(layers[1:], self.name)
        if plan is not None:
            plan.check(first.shape)
        masked = plan is not None and plan.takes_out
        graph = Graph(self.dtype, first.name, first.shape, layers[1].reads_index, masked)
        for layer in layers[1:]:
            graph.add(layer)
        if self._graph is not None:
            graph.network.calls = self._graph.network.calls
            graph.network.steps = self._graph.network.steps
        return graph

    def _adopt(self, layers: list[Layer], graph: Graph | None) -> None:
        """Take layers and their network, all of which is checked."""
        self._layers = layers
        self._graph = graph
        for layer in layers:
            layer._owner = weakref.ref(self)
        if graph is not None:
            graph.attach()

    def pop(self) -> Layer:
        """Remove the last layer and return it, with its weights.

        Raises:
            ValueError: if there is none.
        """
        if not self.layers:
            raise ValueError(f"model {self.name!r}: there is no layer to remove")
        layer = self._layers[-1]
        layers = self._layers[:-1]
        built = self._graph is not None and len(layers) > 1
        graph = self._assemble(layers) if built else None
        if self._graph is not None and self._graph.finished:
            layer._graph = None  # its weights stay in the old network, which only it holds now
        else:
            layer._graph = layer._shapes = None
        layer._owner = None
        self._adopt(layers, graph)
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
        elif self._graph is None:
            raise ValueError(f"model {self.name!r}: build needs an input_shape, since the model has no Input")
        self._graph_now()

    def _graph_for(self, shape: Callable[[], Shape]) -> Graph:
        if not self.layers:
            raise ValueError(f"model {self.name!r} has no layers: add some first")
        if self._graph is None:
            layers = [InputLayer(shape()), *self._layers]
            self._adopt(layers, self._assemble(layers))
        graph = self._graph_now()
        assert graph is not None
        return graph

    def _graph_now(self) -> Graph | None:
        if self._graph is not None:
            self._graph.finish()
        return self._graph

    def _self(self) -> Sequential:
        return self

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

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by its position in `layers`.

        Raises:
            ValueError: if there is none, and unless exactly one of name and index is given.
        """
        if (name is None) == (index is None):
            raise ValueError("get_layer: expected either a name or an index")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"get_layer: expected an index below {len(self.layers)}, got {index}")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"get_layer: no layer {name!r}; there are {[layer.name for layer in self.layers]}")

    # -- shapes and weights

    @property
    def built(self) -> bool:
        """Is the input's shape known, so that there are weights?"""
        return self._graph is not None

    @property
    def input_shape(self) -> Shape:
        """Shape of the input, None for the batch and for what is known only at run time."""
        return (None, *self.input_layer.shape)

    @property
    def output_shape(self) -> Shape:
        """Shape of the output, None for the batch and for what is known only at run time."""
        if self._graph is None:
            raise AttributeError(f"model {self.name!r} has no output shape yet: it is not built")
        return (None, *self._graph.output_shape)

    @property
    def weights(self) -> list[Variable]:
        """The weights of all layers, in the order of get_weights(); empty before the model is built."""
        return [variable for layer in self.layers for variable in layer.weights]

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
        """False if all layers are frozen. Setting it sets it for all layers, at once."""
        return any(layer.trainable for layer in self.layers) or not self.layers

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.layers:
            layer.trainable = value

    def get_weights(self) -> list[NDArray[np.floating[Any]]]:
        """Copies of all weights, in Keras' order and shapes."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Set all weights; nothing changes if one of them does not fit.

        Args:
            weights: arrays as get_weights() gives them, or a Keras model's.

        Raises:
            ValueError, TypeError: for a wrong number of arrays, wrong shapes or dtypes, numbers that are not finite,
                or before the model is built.
        """
        self._need_weights("set_weights")
        assign_all(self.weights, weights, f"model {self.name!r}: set_weights")

    def count_params(self) -> int:
        """How many numbers the weights have. Raises ValueError before the model is built."""
        self._need_weights("count_params")
        return sum(variable.size for variable in self.weights)

    def _need_weights(self, what: str) -> None:
        if not self.built:
            raise ValueError(
                f"model {self.name!r}: {what} needs the weights, which there are none of yet: begin the model with an "
                "Input, call build(), or train it"
            )

    def summary(
        self,
        line_length: int | None = None,
        *,
        print_fn: Callable[[str], Any] | None = None,
        show_trainable: bool = False,
    ) -> None:
        """Print the layers with their output shapes and numbers of weights.

        Args:
            line_length: characters a line; default 76.
            print_fn: called with each line instead of print.
            show_trainable: a column that says which layers are trainable; default False.
        """
        for line in summary.lines(self, line_length, show_trainable):
            (print_fn or print)(line)

    # -- configuration and files

    def get_config(self) -> dict[str, Any]:
        """Name, float type and the layers' configurations; without weights."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "layers": [layer_module.serialize(layer) for layer in self._layers],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Sequential:
        """A model of the same architecture with new weights, not compiled.

        Raises:
            ValueError: for what is no configuration of a model, or of layers that Tauten does not have.
        """
        if not isinstance(config, Mapping) or not isinstance(config.get("layers"), (list, tuple)):
            raise ValueError(f"Sequential: expected a configuration with 'name' and 'layers', got {config!r}")
        model = cls(name=config.get("name"))
        dtype = config.get("dtype", model.dtype)
        if dtype not in settings.FLOAT_TYPES:
            raise ValueError(f"Sequential: dtype: expected one of {settings.FLOAT_TYPES}, got {dtype!r}")
        model.dtype = str(dtype)
        for layer in config["layers"]:
            model.add(layer_module.deserialize(layer))
        return model

    def save(self, filepath: saving.Path, overwrite: bool = True, *, include_optimizer: bool = True) -> None:
        """Write architecture, weights, compile()'s choice and the optimizer's state to one .safetensors file.

        The file appears whole or not at all: it is written beside the target, synced and renamed.

        Args:
            filepath: ends in ".safetensors".
            overwrite: False raises FileExistsError if the file exists; default True.
            include_optimizer: what the optimizer keeps and its step counter too, so that training can go on; default
                True.

        Raises:
            ValueError: for another ending, a model without weights, or initializers that are Python functions.
            OSError: when writing fails; a file that was there before is then as it was.
        """
        self._need_weights("save")
        saving.save_model(self, filepath, overwrite, include_optimizer)

    def save_weights(self, filepath: saving.Path, overwrite: bool = True) -> None:
        """Write the weights alone to one .safetensors file; arguments and errors as save()."""
        self._need_weights("save_weights")
        saving.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: saving.Path) -> None:
        """Set the weights from a file of save() or save_weights(), in order; names of layers need not agree.

        Raises:
            ValueError: if the file is not Tauten's or its weights do not fit. The model is then as it was.
            OSError: if it cannot be read.
        """
        self._need_weights("load_weights")
        saving.load_weights(self, filepath)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"model {self.name!r} cannot be copied or pickled: use save() and tauten.models.load_model(), or "
            "Sequential.from_config(model.get_config()) and set_weights()"
        )

    def __repr__(self) -> str:
        return f"<Sequential name={self.name}, built={self.built}>"
