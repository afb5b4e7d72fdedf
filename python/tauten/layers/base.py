"""What every layer has: a name, weights once it is in a built model, and a way to add itself to the network."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten import activations, config, constraints, initializers, regularizers
from tauten._checks import flag, integer, keras_only, layer_name, sample_shape, unexpected
from tauten._naming import auto_name
from tauten._registry import serialize
from tauten._structure import Structure
from tauten._tensors import KerasTensor, Node
from tauten._weights import Variable, assign_all

if TYPE_CHECKING:
    from tauten._core import Network
    from tauten._wiring import Wiring
    from tauten.layers.recurrent import Recurrent
    from tauten.models import Model

Shape = tuple[int | None, ...]

# Weights that are attributes of their layers, as in Keras.
_WEIGHTS = {
    "alpha", "beta", "bias", "depthwise_kernel", "embeddings", "gamma", "kernel", "moving_mean", "moving_variance",
    "pointwise_kernel", "recurrent_kernel",
}  # fmt: skip
InitializerLike = initializers.Initializer | str | dict[str, Any] | Callable[..., Any]
RegularizerLike = regularizers.Regularizer | str | dict[str, Any] | None
ConstraintLike = constraints.Constraint | str | dict[str, Any] | None
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
    constraint_names: ClassVar[dict[str, str]] = {}  # argument -> weight
    reads_index: ClassVar[bool] = False
    merges: ClassVar[bool] = False  # reads a list of tensors
    supports_masking: bool = False  # reads masked sequences step by step, and passes the mask on
    ends_mask: ClassVar[bool] = False  # or reads the valid steps alone, and makes one value of them

    def __init__(self, *, name: str | None = None, trainable: bool = True, **kwargs: Any) -> None:
        cls = type(self).__name__
        shape = kwargs.pop("input_shape", None)
        features = kwargs.pop("input_dim", None)
        if features is not None:
            shape = (integer(features, f"{cls}: input_dim"),)
        self._constraints: dict[str, constraints.Constraint | None] = {
            key: constraints.checked(kwargs.pop(key, None), f"{cls}: {key}") for key in self.constraint_names
        }
        keras_only(cls, kwargs, {**KERAS_DEFAULTS, **self.keras_defaults})
        self.name = auto_name(cls) if name is None else layer_name(name, f"{cls}: name")
        self._trainable = flag(trainable, f"{cls}: trainable")
        self.input_shape_argument = None if shape is None else sample_shape(shape, f"{cls}: input_shape")
        self._wrapper: weakref.ref[Layer] | None = None
        self._forget()

    def _forget(self) -> None:
        """Be a layer that no model has seen."""
        self._variables: list[Variable] = []
        self._owner: weakref.ref[Model] | None = None  # the first model that it became a part of
        self._calls: list[weakref.ref[Node]] = []
        self._called = 0
        self._shapes: tuple[Any, Any] | None = None

    # -- what a subclass says of itself

    def add_to(self, network: Network, edge: int) -> int:
        """Add this layer to a native network, reading `edge`; returns the edge that it writes."""
        raise NotImplementedError

    def add_merged(self, network: Network, edges: Sequence[int]) -> int:
        """add_to() for several edges, where the layer `merges`."""
        return self.add_to(network, edges[0])

    def add_call(
        self, network: Network, edges: Sequence[int], initial: Sequence[int], wanted: Collection[int]
    ) -> Sequence[int]:
        """Add this layer with all that a call of it reads; returns the edges that it writes.

        Args:
            network: where to.
            edges: the data; several where the layer `merges`.
            initial: the states to begin with, of a layer that has `state_sizes`.
            wanted: which of the `output_count` edges are read; the others may be of any shape.
        """
        return [self.add_merged(network, edges)]

    @property
    def output_count(self) -> int:
        """How many tensors a call writes."""
        return 1

    @property
    def state_sizes(self) -> list[int]:
        """Values a sample of each state that a call may begin with; none if it takes none."""
        return []

    def weight_specs(self) -> dict[str, WeightSpec]:
        """Weight name -> how it begins; the names are the native network's and Keras'."""
        return {}

    def initial_value(self, weight: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        """The initial value of one weight."""
        return self.weight_specs()[weight].initializer(shape, dtype)

    @property
    def class_name(self) -> str:
        """What configurations and summaries call its class."""
        return type(self).__name__

    def directions(self) -> dict[str, Recurrent]:
        """The recurrent layers in it, by the prefix of their weights' names: none, itself ("") or a pair."""
        return {}

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal layer, with other weights."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        config.update({key: serialize(constraint) for key, constraint in self._constraints.items()})
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

    # -- calls

    def __call__(self, inputs: Any, /, initial_state: Any = None, **kwargs: Any) -> Any:
        """Read symbolic tensors, in a model that is being made, with weights that all calls of the layer share.

        Args:
            inputs: what tauten.Input() or another layer returned; a list of such for layers that merge.
            initial_state: of recurrent layers: a tensor (batch, units), or a list of such, one a state: h, of an LSTM
                then c; of Bidirectional the forward layer's, then the backward one's. Default None: zeros, or with
                stateful=True where the batch before ended.

        Returns:
            A tensor; a tuple of such for recurrent layers with return_state=True: the output, then the states behind
            the last step, in the order of initial_state.

        Raises:
            TypeError: for arrays, which models take, and for arguments of Keras' layers that Tauten's do not have.
            ValueError: for shapes that do not fit.
        """
        for key, value in kwargs.items():
            if key not in ("training", "mask"):
                unexpected(f"layer {self.name!r}", key)
            if value is not None:
                raise TypeError(
                    f"layer {self.name!r}: {key} is not supported in a call of a layer: a model knows when it trains, "
                    "and masks come from Masking and Embedding"
                )
        structure, tensors = Structure.split(inputs, f"layer {self.name!r}")
        for tensor in tensors:
            if not isinstance(tensor, KerasTensor):
                raise TypeError(
                    f"layer {self.name!r}: expected a symbolic tensor, as tauten.Input() or another layer gives it, "
                    f"got {type(tensor).__name__}; for values make a model, and call that"
                )
        if self._inner() is None and not self.merges and structure.kind is not None:
            raise ValueError(
                f"layer {self.name!r}: expected a single tensor, got {len(tensors)} in a {structure.kind.__name__}"
            )
        initial = () if initial_state is None else self._initial_tensors(initial_state)
        return self._call(structure, tensors, initial)

    def _initial_tensors(self, value: Any) -> list[KerasTensor]:
        """The tensors of `initial_state`, checked."""
        what, sizes = f"layer {self.name!r}: initial_state", self.state_sizes
        if not sizes:
            raise TypeError(f"{what}: {self.class_name} is no recurrent layer: it begins with no states")
        tensors = list(value) if isinstance(value, (list, tuple)) else [value]
        for tensor in tensors:
            if not isinstance(tensor, KerasTensor):
                raise TypeError(
                    f"{what}: expected symbolic tensors, as tauten.Input() or another layer gives them, got "
                    f"{type(tensor).__name__}; arrays are for model.step() and reset_state()"
                )
        wanted = [(None, size) for size in sizes]
        if [tensor.shape for tensor in tensors] != wanted:
            got = ", ".join(str(tensor.shape) for tensor in tensors) or "none"
            raise ValueError(f"{what}: expected tensors of shapes {', '.join(map(str, wanted))}, got {got}")
        return tensors

    def _call(self, structure: Structure, tensors: Sequence[KerasTensor], initial: Sequence[KerasTensor] = ()) -> Any:
        """The tensors that a call with those writes, whose shapes are checked by adding it to a network of its own."""
        from tauten import _graph

        if self.reads_index and tensors[0]._node.reads:
            raise ValueError(f"layer {self.name!r} reads integers and must be the first layer, behind an Input")
        shapes = _graph.output_shapes(self, tensors, initial)
        node = Node(self, tuple(tensors), structure, self._called, tuple(initial))
        written = tuple(node.write(shape, config.floatx()) for shape in shapes)
        shape = tuple(shapes) if len(shapes) > 1 else shapes[0]
        self._remember(node, structure.map(lambda tensor: tensor.shape, tensors), shape)
        return written if len(written) > 1 else written[0]

    def _remember(self, node: Node, read: Any, written: Any) -> None:
        """Take a call into account."""
        self._called += 1
        if not self._live():
            self._calls, self._shapes = [], (read, written)
        self._calls.append(weakref.ref(node))

    def _live(self) -> list[Node]:
        """The calls whose tensors somebody holds."""
        nodes = (reference() for reference in self._calls)
        return [node for node in nodes if node is not None]

    def _inner(self) -> Wiring | None:
        """The graph in it, of a model; None for a layer."""
        return None

    @property
    def input(self) -> Any:
        """What the first call of the layer reads: a tensor, or a list. Raises AttributeError if it was never called."""
        node = self._first_call("input")
        return node.structure.pack(node.data)

    @property
    def output(self) -> Any:
        """What the first call of the layer writes, several in a tuple. Raises AttributeError if it was never called."""
        written = self._first_call("output").outputs()
        return tuple(written) if len(written) > 1 else written[0]

    def _first_call(self, what: str) -> Node:
        for node in self._live():
            return node
        raise AttributeError(f"layer {self.name!r} has no {what}: it was called in no model that is still there")

    # -- shapes

    @property
    def built(self) -> bool:
        """Is the layer part of a model with known input shape?"""
        return self._shapes is not None

    @property
    def input_shape(self) -> Any:
        """Shape of the input, None for the batch and for what is known only at run time; a list of them for several."""
        return self._known_shapes()[0]

    @property
    def output_shape(self) -> Any:
        """Shape of the output, None for the batch and what is known only at run time; a tuple of shapes for several."""
        return self._known_shapes()[1]

    def _known_shapes(self) -> tuple[Any, Any]:
        if self._shapes is None:
            raise AttributeError(f"layer {self.name!r} has no shape yet: it is not part of a built model")
        return self._shapes

    # -- weights

    @property
    def weights(self) -> list[Variable]:
        """The weights, in the order of get_weights(); empty before the model is built."""
        self._make_weights()
        return list(self._variables)

    def _make_weights(self) -> None:
        """Let there be weights if shapes are known: in its model or, where that is gone, in a network of its own."""
        if self._variables or self._shapes is None:
            return
        owner = self._owner() if self._owner is not None else None
        if owner is not None:
            owner._graph_now()
        if not self._variables and not self.merges and self.weight_specs():
            from tauten import _graph

            _graph.alone(self, *self._shapes)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [variable for variable in self.weights if variable.trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [variable for variable in self.weights if not variable.trainable]

    @property
    def variables(self) -> list[Variable]:
        """The weights."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        """The weights that training changes."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return self.non_trainable_weights

    if not TYPE_CHECKING:  # which would take every name for one that there is

        def __getattr__(self, name: str) -> Any:
            """A weight by its name, as in layer.kernel."""
            if name in _WEIGHTS and name in self.weight_specs():
                weights = {variable.name: variable for variable in self.weights}
                if not weights:
                    raise AttributeError(f"layer {self.name!r} has no {name} yet: its input's shape is not known")
                return weights.get(name)  # use_bias=False: None
            return object.__getattribute__(self, name)  # says what it said, a property's own reason included

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
        constraint = self.constraint_of(variable.name)
        variable.configure(trainable, penalty, constraints.NONE if constraint is None else constraint.native)

    def constraint_of(self, weight: str) -> constraints.Constraint | None:
        """What holds a weight after each update, if anything does."""
        found = [self._constraints[key] for key, name in self.constraint_names.items() if name == weight]
        return found[0] if found else None

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
