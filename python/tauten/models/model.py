"""Model: a graph of layers between inputs and outputs, built into one native network."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten import _data, saving, summary
from tauten import config as settings
from tauten._checks import flag, keras_only
from tauten._graph import Graph, output_shapes
from tauten._naming import auto_name
from tauten._structure import Structure
from tauten._tensors import KerasTensor, Node
from tauten._weights import Variable, assign_all
from tauten._wiring import Flat, Wiring
from tauten.layers.base import Layer, Shape
from tauten.layers.core import InputLayer
from tauten.models import _config
from tauten.training import Trainer


class Model(Trainer, Layer):
    """The layers between inputs and outputs: any graph without loops (Keras' functional API).

    Example::

        inputs = tauten.Input((8, 8, 1))
        x = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
        y = layers.Conv2D(8, 3, padding="same")(x)
        outputs = layers.Dense(10, activation="softmax")(layers.Flatten()(layers.Add()([x, y])))
        model = tauten.Model(inputs, outputs)

    A model is a layer: called on tensors it becomes a part of another model. Layers, and models as layers, may belong
    to several models and be called several times; their weights are the same everywhere, and training one model
    changes them for all.

    Attributes:
        metadata: a dict for whatever belongs to the model, such as names of classes; save() writes it, load_model()
            reads it. Dicts with strings as keys, lists, strings, finite numbers, booleans, None. Default {}.

    Args:
        inputs: a tensor of tauten.Input(), or a list or dict of such. In the place of an Input a tensor in between may
            stand: the model then begins there.
        outputs: a tensor that comes from the inputs, or a list or dict of such. predict() returns what it is.
        name: default "functional", numbered.
        trainable: False freezes all layers; default True.

    Raises:
        TypeError: for what are no tensors, and for a subclass with call(): a model is a graph, and Python code does not
            run within a step.
        ValueError: for outputs that do not come from the inputs, inputs that lead nowhere, equal names of layers, and
            masks that cannot go where they lead.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("call", "train_step", "test_step"):
            if name in vars(cls):
                raise TypeError(
                    f"class {cls.__name__}: a Model with {name}() is not supported: Python code cannot run within a "
                    "native step; make a graph with tauten.Input(), layers and tauten.Model(inputs, outputs)"
                )

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, *, trainable: bool = True
    ) -> None:
        if inputs is None or outputs is None:
            raise TypeError(
                f"{type(self).__name__}: expected inputs and outputs, tensors of tauten.Input() and what layers made "
                "of them"
            )
        self._start(auto_name("Functional" if type(self) is Model else type(self).__name__) if name is None else name)
        self._input_structure, reads = _tensors(inputs, f"model {self.name!r}: inputs")
        self._output_structure, writes = _tensors(outputs, f"model {self.name!r}: outputs")
        reads, writes = _begun(reads, writes, self.name)
        self._wired: Wiring | None = Wiring(reads, writes, self.name)
        self._graph = self._assembled()
        self._own()
        if not flag(trainable, f"{type(self).__name__}: trainable"):
            self.trainable = False

    def _start(self, name: str) -> None:
        """What models of all kinds have, before there is a graph."""
        Trainer.__init__(self)
        Layer.__init__(self, name=name)
        self.dtype = settings.floatx()
        self._winograd = settings.winograd()
        self._graph: Graph | None = None
        self._before: Graph | None = None
        self._input_structure = self._output_structure = Structure()
        self.metadata: dict[str, Any] = {}

    # -- the graph

    @property
    def class_name(self) -> str:
        return "Functional"

    def _inner(self) -> Wiring | None:
        return self._wired

    def _assembled(self) -> Graph:
        """A native network of the graph as it is, not finished."""
        wired = self._inner()
        assert wired is not None
        shapes = [tensor.shape[1:] for tensor in wired.outputs]
        return Graph(Flat.of(wired), shapes, self.name, self.dtype, self._winograd, self._before)

    def _own(self) -> None:
        """Let the layers that belong to no model belong to this one."""
        for layer in self.layers:
            if layer._owner is None or layer._owner() is None:
                layer._owner = weakref.ref(self)

    def _graph_for(self, shape: Callable[[], Shape]) -> Graph:
        graph = self._graph_now()
        assert graph is not None
        return graph

    def _graph_now(self) -> Graph | None:
        if self._graph is None and self._inner() is not None:
            self._graph = self._assembled()
        if self._graph is not None:
            self._graph.finish()
            self._before = None
        return self._graph

    def _self(self) -> Model:
        return self

    __call__ = Trainer.__call__  # type: ignore[assignment]  # which calls Layer's on tensors

    def _call(self, structure: Structure, tensors: Sequence[KerasTensor], initial: Sequence[KerasTensor] = ()) -> Any:
        wired = self._inner()
        assert wired is not None
        what = f"model {self.name!r}"
        if structure.kind is dict and self._input_structure.kind is not dict:
            if set(structure.keys) != set(self.input_names):
                raise ValueError(
                    f"{what}: expected tensors for the inputs {self.input_names}, got {list(structure.keys)}"
                )
            tensors = [tensors[structure.keys.index(name)] for name in self.input_names]
        elif self._input_structure.kind is dict and structure.keys != self._input_structure.keys:
            raise ValueError(f"{what}: expected a dict of tensors with keys {list(self._input_structure.keys)}")
        if len(tensors) != len(wired.inputs):
            raise ValueError(f"{what}: expected {len(wired.inputs)} tensors, {self.input_names}, got {len(tensors)}")
        flat = Flat.of(wired)
        readers = flat.readers()
        for number, (tensor, own) in enumerate(zip(tensors, wired.inputs, strict=True)):
            if not _fits(tensor.shape, own.shape):
                raise ValueError(
                    f"{what}: input {own.name!r}: expected a tensor of shape {own.shape}, got {tensor.shape}"
                )
            first = next((call.layer for call in readers[number] if call.layer.reads_index), None)
            if first is not None and tensor._node.reads:
                raise ValueError(
                    f"{what}: layer {first.name!r} reads integers and must be the first layer, behind an Input"
                )
        same = all(tensor.shape == own.shape for tensor, own in zip(tensors, wired.inputs, strict=True))
        shapes: list[Shape] = [tensor.shape for tensor in wired.outputs] if same else output_shapes(self, tensors)
        node = Node(self, tuple(tensors), self._input_structure, self._called)
        written = [node.write(shape, settings.floatx()) for shape in shapes]
        self._remember(node, None, None)
        return self._output_structure.pack(written, unpack=True)

    # -- structure

    @property
    def layers(self) -> list[Layer]:
        """The layers in Keras' order, by depth; Inputs included."""
        wired = self._inner()
        return [] if wired is None else list(wired.layers)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The tensors of the Inputs. Raises AttributeError before the model is built."""
        return list(self._built_wiring().inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The tensors of the outputs. Raises AttributeError before the model is built."""
        return list(self._built_wiring().outputs)

    @property
    def input(self) -> Any:
        """The Inputs' tensors as they were given."""
        return self._input_structure.pack(self.inputs)

    @property
    def output(self) -> Any:
        """The outputs' tensors as they were given."""
        return self._output_structure.pack(self.outputs)

    @property
    def input_names(self) -> list[str]:
        """What the inputs are called in dicts of data: the keys that they were given with, or the Inputs' names."""
        return list(self._input_structure.keys) or [tensor.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """What the outputs are called in logs and dicts of data: their keys, or the names of their layers.

        The second output of a layer is called "name_1".
        """
        if self._output_structure.keys:
            return list(self._output_structure.keys)
        names: list[str] = []
        for tensor in self.outputs:
            base = name = tensor._node.layer.name
            count = 0
            while name in names:
                count += 1
                name = f"{base}_{count}"
            names.append(name)
        return names

    def _built_wiring(self) -> Wiring:
        wired = self._inner()
        if wired is None:
            raise AttributeError(f"model {self.name!r} has no input shape yet: it is not built")
        return wired

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

    def _leaves(self) -> list[Layer]:
        """All layers, those of models within, and no models; in the order of their first calls."""
        wired = self._inner()
        return [] if wired is None else list(dict.fromkeys(call.layer for call in Flat.of(wired).calls))

    # -- shapes and weights

    @property
    def built(self) -> bool:
        """Is the input's shape known, so that there are weights?"""
        return self._inner() is not None

    @property
    def input_shape(self) -> Any:
        """Shape of the input, None for the batch and what is known only at run time; of several held as they are."""
        return self._input_structure.pack([tensor.shape for tensor in self.inputs], unpack=True)

    @property
    def output_shape(self) -> Any:
        """Shape of the output, None for the batch and what is known only at run time; of several held as they are."""
        if not self.built:
            raise AttributeError(f"model {self.name!r} has no output shape yet: it is not built")
        return self._output_structure.pack([tensor.shape for tensor in self.outputs], unpack=True)

    @property
    def weights(self) -> list[Variable]:
        """The weights of all layers, each once, in the order of get_weights(); empty before the model is built."""
        if self.built:
            self._graph_now()
        found = {id(variable): variable for layer in self.layers for variable in layer.weights}
        return list(found.values())

    @property
    def trainable(self) -> bool:
        """False if all layers are frozen. Setting it sets it for all layers, at once."""
        layers = [layer for layer in self.layers if not isinstance(layer, InputLayer)]
        return any(layer.trainable for layer in layers) or not layers

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = flag(value, f"model {self.name!r}: trainable")
        for layer in self.layers:
            layer.trainable = value

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

    def get_weights(self) -> list[NDArray[np.floating[Any]]]:
        """Copies of all weights, in Keras' order and shapes."""
        return [variable.numpy() for variable in self.weights]

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
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers with their output shapes and numbers of weights; in graphs also what each reads.

        Args:
            line_length: characters a line; default 76, or 100 with the column "Connected to".
            positions, expand_nested, layer_range: Keras'; at their defaults only.
            print_fn: called with each line instead of print.
            show_trainable: a column that says which layers are trainable; default False.
        """
        given = {"positions": positions, "expand_nested": expand_nested, "layer_range": layer_range}
        keras_only("summary", given, {"positions": None, "expand_nested": False, "layer_range": None})
        for line in summary.lines(self, line_length, show_trainable):
            (print_fn or print)(line)

    # -- configuration and files

    def get_config(self) -> dict[str, Any]:
        """Name, float type, the layers' configurations and who reads whom; without weights."""
        return _config.written(self, seeded=False)

    def seeded_config(self) -> dict[str, Any]:
        """get_config() with the seeds that dropout drew: a model of it makes the same masks."""
        return _config.written(self, seeded=True)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Model:
        """A model of the same architecture with new weights, not compiled. custom_objects: None; layers are native.

        Raises:
            ValueError: for what is no configuration of a model, or of layers that Tauten does not have.
        """
        return _config.read(config, "Functional", custom_objects)

    def to_json(self, **kwargs: Any) -> str:
        """get_config() as text, for tauten.models.model_from_json(); kwargs go to json.dumps()."""
        return json.dumps({"class_name": self.class_name, "config": self.get_config()}, **kwargs)

    def save(
        self,
        filepath: saving.Path,
        overwrite: bool = True,
        zipped: bool | None = None,
        *,
        include_optimizer: bool = True,
    ) -> None:
        """Write architecture, weights, metadata, compile()'s choice and optimizer state to one .safetensors file.

        The file appears whole or not at all: it is written beside the target, synced and renamed.

        Args:
            filepath: ends in ".safetensors".
            overwrite: False raises FileExistsError if the file exists; default True.
            zipped: None; the file is no archive.
            include_optimizer: momentum and step counter too, so that training can go on; default True.

        Raises:
            ValueError: for another ending, a model without weights, or initializers that are Python functions.
            TypeError, ValueError: for metadata that JSON cannot hold.
            OSError: when writing fails; a file that was there before is then as it was.
        """
        keras_only("save", {"zipped": zipped}, {"zipped": None})
        self._need_weights("save")
        saving.write_model(self, filepath, overwrite, include_optimizer)

    def save_weights(self, filepath: saving.Path, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Write the weights alone to one .safetensors file; arguments and errors as save(). max_shard_size: None."""
        keras_only("save_weights", {"max_shard_size": max_shard_size}, {"max_shard_size": None})
        self._need_weights("save_weights")
        saving.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: saving.Path, skip_mismatch: bool = False) -> None:
        """Set the weights from a file of save() or save_weights(), in order; names of layers need not agree.

        skip_mismatch: False; all weights have to fit.

        Raises:
            ValueError: if the file is not Tauten's or its weights do not fit. The model is then as it was.
            OSError: if it cannot be read.
        """
        keras_only("load_weights", {"skip_mismatch": skip_mismatch}, {"skip_mismatch": False})
        self._need_weights("load_weights")
        saving.load_weights(self, filepath)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"model {self.name!r} cannot be copied or pickled: use save() and tauten.models.load_model(), or "
            "tauten.models.clone_model() and set_weights()"
        )

    def _repr_html_(self) -> str:
        """What notebooks show: the summary as a table."""
        from tauten import _html

        return _html.model(self)

    def __repr__(self) -> str:
        return f"<{self.class_name} name={self.name}, built={self.built}>"


def _tensors(value: Any, what: str) -> tuple[Structure, list[KerasTensor]]:
    structure, leaves = Structure.split(value, what)
    for leaf in leaves:
        if not isinstance(leaf, KerasTensor):
            hint = f"; layer {leaf.name!r} has its own as .input and .output" if isinstance(leaf, Layer) else ""
            raise TypeError(f"{what}: expected symbolic tensors, got {type(leaf).__name__}{hint}")
    return structure, leaves


def _begun(
    inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor], model: str
) -> tuple[list[KerasTensor], list[KerasTensor]]:
    """Inputs and outputs of a graph that begins with Inputs: those between are made anew, what follows called again."""
    if not any(tensor._node.reads for tensor in inputs):
        return list(inputs), list(outputs)
    made = {id(tensor): InputLayer(tensor.shape[1:]).output if tensor._node.reads else tensor for tensor in inputs}
    stack = [(tensor, False) for tensor in outputs]
    while stack:
        tensor, ready = stack.pop()
        node = tensor._node
        if id(tensor) in made:
            continue
        if ready:
            data, initial = ([made[id(read)] for read in reads] for reads in (node.data, node.initial))
            written = node.layer._call(node.structure, data, initial)
            found = (
                written
                if isinstance(written, (list, tuple))
                else list(written.values() if isinstance(written, dict) else [written])
            )
            for old in node.writes():
                made[id(old)] = found[old._index]
            continue
        if not node.reads:
            raise ValueError(
                f"model {model!r}: the graph is disconnected: an output needs the input {node.layer.name!r}, which "
                f"does not come through the inputs {[each.name for each in inputs]}"
            )
        stack.append((tensor, True))
        stack.extend((read, False) for read in node.reads)
    return [made[id(tensor)] for tensor in inputs], [made[id(tensor)] for tensor in outputs]


def _fits(shape: Shape, own: Shape) -> bool:
    """May a tensor of that shape stand for an input: with any extent where the input has None?"""
    return shape == own or (None not in shape[1:] and _data.fits(shape[1:], own[1:]))  # type: ignore[arg-type]
