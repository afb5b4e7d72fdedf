"""The native network of a graph of layers: while its shapes are worked out, and when it has weights."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tauten import _masking, config
from tauten._core import Network, Source
from tauten._weights import SLOTS, Variable
from tauten._wiring import Call, Flat
from tauten.layers.core import Embedding, InputLayer

if TYPE_CHECKING:
    from tauten._tensors import KerasTensor
    from tauten.layers.base import Layer, Shape
    from tauten.layers.recurrent import Recurrent


@dataclass(frozen=True)
class Entry:
    """An input of a model.

    Attributes:
        layer: what is known of it.
        shape: of one sample, as the user declared it.
        tables: the Embeddings that look its integers up.
        count: native inputs that read it: one for each table, and one if other layers read it.
        values: do other layers than Embeddings read it?
    """

    layer: InputLayer
    shape: Shape
    tables: tuple[Embedding, ...]
    count: int
    values: bool


@dataclass(frozen=True)
class Exit:
    """An output of a model.

    Attributes:
        layer: that writes it.
        shape: of one sample.
        steps: the number of the input of whose steps it has one row each; None if it has rows of samples, or as many
            steps as the shape says.
    """

    layer: Layer
    shape: Shape
    steps: int | None


class Assembly:
    """A graph's layers in a native network. Every edge has one reader, so values with several are forked.

    Raises ValueError for shapes that do not fit, and for an input that nothing reads.
    """

    def __init__(self, flat: Flat, dtype: str, winograd: bool, model: str, ragged: int | None = None) -> None:
        """ragged: number of the input that takes any number of steps, whatever its shape says."""
        self.network = Network(dtype, winograd)
        self.entries: list[Entry] = []
        self.steps: dict[int, int] = {}  # value -> the input whose steps of the moment it has
        self.equal: list[tuple[int, int]] = []  # inputs that must have equal steps, since a layer reads both
        self._model = model
        self._readers = flat.readers()
        self._edges: dict[int, list[int]] = {}  # not read yet
        self._tables: dict[int, list[int]] = {}
        self._last = {number: flat.outputs.count(number) for number in flat.outputs}
        for number, layer in enumerate(flat.inputs):
            self._enter(number, layer, number == ragged)
        for call in flat.calls:
            self._add(call)
        self.outputs = [self._output(number, len(flat.inputs)) for number in flat.outputs]

    def _enter(self, number: int, layer: InputLayer, ragged: bool) -> None:
        shape = (None, *layer.shape[1:]) if ragged else layer.shape
        calls = self._readers[number]
        tables = [call.layer for call in calls if isinstance(call.layer, Embedding)]
        others = len(calls) - len(tables) + self._last.get(number, 0)
        if not calls and not others:
            raise ValueError(
                f"model {self._model!r}: nothing that leads to an output reads the input {layer.name!r}; leave it out"
            )
        if shape and shape[0] is None:
            self.steps[number] = number
        self._tables[number] = [self.network.add_input(layer.name, shape, True) for _ in tables]
        if others:
            self._share(number, layer.name, self.network.add_input(layer.name, shape, False), others)
        self.entries.append(Entry(layer, layer.shape, tuple(tables), len(tables) + (others > 0), others > 0))

    def _add(self, call: Call) -> None:
        layer = call.layer
        if call.name != layer.name:
            layer = copy.copy(layer)
            layer.name = call.name
        edges = [(self._tables if layer.reads_index else self._edges)[number].pop(0) for number in call.reads]
        data = call.reads[: len(call.reads) - call.initial]
        counts = [len(self._readers[number]) + self._last.get(number, 0) for number in call.writes]
        wanted = {place for place, count in enumerate(counts) if count}
        written = layer.add_call(self.network, edges[: len(data)], edges[len(data) :], wanted)
        found = [self.steps[number] for number in data if number in self.steps]
        self.equal.extend((found[0], other) for other in found[1:] if other != found[0])
        for number, edge, count in zip(call.writes, written, counts, strict=True):
            if found and self.network.edge_shape(edge)[0] is None:
                self.steps[number] = found[0]
            if count:
                self._share(number, call.name, edge, count)

    def _share(self, number: int, name: str, edge: int, count: int) -> None:
        self._edges[number] = [edge] if count == 1 else list(self.network.add_fork(name, edge, count))

    def _output(self, number: int, inputs: int) -> int:
        edge = self._edges[number].pop(0)
        return self.network.add_activation("output", edge, "linear") if number < inputs else edge


class Graph(Assembly):
    """The native network of a model.

    finish() closes it and gives every layer its weights: those that it has, which all models of the layer share, or
    initial ones.

    Args:
        flat: the model's graph, without models in it.
        shapes: of one sample of each output, as the user sees it.
        model: its name.
        dtype: "float32" or "float64".
        winograd: may convolutions use Winograd's minimal filtering?
        before: the model's network until now, which this one takes the place of.
        masks: what becomes of its mask; default: it is worked out.

    Attributes:
        network: the native one.
        entries, exits: the model's inputs and outputs.
        masks: what becomes of the model's mask, if it has one.
        layers: native name -> layer, models' names in front: those of models within, and no models.

    Raises:
        ValueError: for shapes that do not fit, and masks that cannot go where they lead.
    """

    def __init__(
        self,
        flat: Flat,
        shapes: Sequence[Shape],
        model: str,
        dtype: str,
        winograd: bool | None = None,
        before: Graph | None = None,
        masks: _masking.Plan | bool | None = True,
    ) -> None:
        self.flat = flat
        self.masks = masks if not isinstance(masks, bool) else _masking.plan(flat, model)
        if self.masks is not None:
            self.masks.check(flat.inputs[self.masks.input].shape)
        masked = self.masks is not None and self.masks.takes_out
        self.winograd = config.winograd() if winograd is None else winograd
        super().__init__(flat, dtype, self.winograd, model, self.masks.input if self.masks and masked else None)
        self.dtype = dtype
        self.layers = {call.name: call.layer for call in flat.calls}
        writers = flat.written_by()
        self.exits = [
            Exit(writers[number].layer if number in writers else flat.inputs[number], shape, self.steps.get(number))
            for number, shape in zip(flat.outputs, shapes, strict=True)
        ]
        self.variables: list[Variable] = []  # by the network's numbers
        self._before = before
        self._closed = False
        self._finished = False
        self._check_states()
        if before is not None:
            self.network.calls = before.network.calls
            self.network.steps = before.network.steps

    @property
    def finished(self) -> bool:
        """Is the network closed, and do its layers have their weights?"""
        return self._finished

    @property
    def called(self) -> list[Layer]:
        """The layers in the order of their calls, no models; a shared one several times."""
        return [call.layer for call in self.flat.calls]

    @property
    def cells(self) -> list[Recurrent]:
        """The recurrent layers, one entry a call, in the order of the native network's states."""
        self.close()
        found: list[Recurrent] = []
        states = [name for name, _ in self.network.states]
        while states:
            directions = self.layers[states[0]].directions().values()
            found.extend(directions)
            states = states[sum(cell.state_count for cell in directions) :]
        return found

    def close(self) -> None:
        """Let the network take no more layers; its weights are zeros. The second time nothing happens."""
        if not self._closed:
            self.network.finalize(self.outputs)
            self._closed = True

    def finish(self) -> None:
        """Close the network and give every layer its weights. The second time nothing happens.

        Raises ValueError if a layer has weights for another input, or initial values are not finite; no layer has
        then changed.
        """
        if self._finished:
            return
        self.close()
        parameters: dict[str, list[Variable]] = {name: [] for name in self.layers}
        for index, parameter in enumerate(self.network.parameters):
            name = parameter.name.rsplit("/", 1)[0]
            parameters[name].append(Variable(self.network, index, parameter, self.dtype, self.layers[name].name))
        for name, layer in self.layers.items():
            _check_kept(layer, parameters[name])
        for name, layer in self.layers.items():
            self._initialize(layer, parameters[name])
        settled: dict[int, Variable] = {}
        for name, layer in self.layers.items():
            layer._variables = [self._settle(layer, variable) for variable in parameters[name]]
            settled.update(zip((id(new) for new in parameters[name]), layer._variables, strict=True))
        ordered = sorted((new for found in parameters.values() for new in found), key=lambda new: new.index)
        self.variables = [settled[id(variable)] for variable in ordered]
        self._keep_slots()
        self._finished = True
        self._before = None

    def share(self) -> None:
        """Close the network and let it read the weights that its layers have, which know nothing of it."""
        self.close()
        for index, parameter in enumerate(self.network.parameters):
            name, weight = parameter.name.rsplit("/", 1)
            (variable,) = (variable for variable in self.layers[name].weights if variable.name == weight)
            variable.lend(self.network, index)

    def named(self) -> dict[str, Variable]:
        """Name in the native network -> weight, of the finished network: "encoder/dense/kernel"."""
        parameters = self.network.parameters
        return {parameter.name: variable for parameter, variable in zip(parameters, self.variables, strict=True)}

    def sources(self, inputs: Sequence[Source]) -> list[Source]:
        """What each native input reads, given what each input of the model does."""
        return [source for entry, source in zip(self.entries, inputs, strict=True) for _ in range(entry.count)]

    def take_averages(self) -> None:
        """Put the averages that the optimizer keeps into the weights that training changes."""
        for number in range(len(self.variables)):
            self.network.take_average(number)

    def _initialize(self, layer: Layer, variables: list[Variable]) -> None:
        """Initial values for the weights that the layer does not have yet."""
        kept = {old.name for old in layer._variables}
        for variable in variables:
            if variable.name not in kept:
                variable.assign(layer.initial_value(variable.name, variable.shape, self.dtype))

    def _settle(self, layer: Layer, variable: Variable) -> Variable:
        """The layer's weight: the object that users and other models may hold already, or the new one."""
        kept = {old.name: old for old in layer._variables}.get(variable.name)
        if kept is not None:
            kept.join(variable, None if self._before is None else self._before.network)
            variable = kept
        layer.configure(variable)
        return variable

    def _keep_slots(self) -> None:
        """What the optimizer keeps of the weights that the network before had."""
        if self._before is None:
            return
        numbers = {id(variable): number for number, variable in enumerate(self._before.variables)}
        for number, variable in enumerate(self.variables):
            if id(variable) not in numbers:
                continue
            for slot in range(SLOTS):
                value = self._before.network.get_slot(numbers[id(variable)], slot)
                if value is not None:
                    self.network.set_slot(number, slot, value)

    def _check_states(self) -> None:
        called = self.called
        for layer in called:
            if any(cell.stateful for cell in layer.directions().values()) and called.count(layer) > 1:
                raise ValueError(
                    f"model {self._model!r}: layer {layer.name!r} is stateful and called {called.count(layer)} times: "
                    "its states would be of one call or the other"
                )


def output_shapes(layer: Layer, tensors: Sequence[KerasTensor], initial: Sequence[KerasTensor] = ()) -> list[Shape]:
    """The shapes, batch included, of what a layer or model writes for such tensors, beginning with such states.

    Raises ValueError if they do not fit.
    """
    inputs = [InputLayer(tensor.shape[1:], name=tensor.name) for tensor in (*tensors, *initial)]
    flat = Flat.of_call(layer, inputs, len(initial))
    assembly = Assembly(flat, config.floatx(), False, layer.name)
    return [(None, *assembly.network.edge_shape(edge)) for edge in assembly.outputs]


def alone(layer: Layer, shape: Shape, output: Shape | tuple[Shape, ...]) -> None:
    """Give a layer weights in a network of its own, for an input and outputs of these shapes, batch included."""
    flat = Flat.of_call(layer, [InputLayer(shape[1:], name="input")])
    shapes: Any = list(output) if isinstance(output[0], tuple) else [output]
    Graph(flat, [shape[1:] for shape in shapes], layer.name, config.floatx()).finish()


def _check_kept(layer: Layer, variables: list[Variable]) -> None:
    kept = {old.name: old for old in layer._variables}
    for variable in variables:
        old = kept.get(variable.name, variable)
        if old.shape != variable.shape:
            raise ValueError(
                f"layer {layer.name!r} has weights for another input: {variable.name} is {old.shape}, needed here "
                f"{variable.shape}; use a new layer"
            )
        if old.dtype != variable.dtype:
            raise ValueError(f"layer {layer.name!r} has weights in {old.dtype}, the model computes in {variable.dtype}")
