"""What lies between a model's inputs and outputs: the calls of its layers in order, and those of models within it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tauten._tensors import KerasTensor, Node
from tauten.layers.base import Layer
from tauten.layers.core import InputLayer


class Wiring:
    """The graph between tensors, in Keras' order.

    Args:
        inputs: tensors that Inputs made, each another one.
        outputs: what is computed from them.
        model: its name, for messages.

    Attributes:
        nodes: the calls, each behind those that it reads; first by depth, the number of calls up to an output.
        layers: of these calls, in Keras' order, Inputs included.

    Raises:
        ValueError: if an output needs tensors that do not come from the inputs, an input is read by nothing, and for
            two layers of one name.
    """

    def __init__(self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor], model: str) -> None:
        self.inputs = tuple(inputs)
        if len({id(tensor) for tensor in inputs}) < len(inputs):
            raise ValueError(f"model {model!r}: each input may be given once, got {[t.name for t in inputs]}")
        self.outputs = tuple(outputs)
        self._model = model
        given = {id(tensor._node) for tensor in self.inputs}
        order, first_seen = self._traced(given)
        depths, layer_depths = _depths(order)
        for tensor in self.inputs:
            if id(tensor._node) not in depths:
                raise ValueError(f"model {model!r}: nothing that leads to an output reads the input {tensor.name!r}")
        self.nodes = sorted(order, key=lambda node: -depths[id(node)])
        layers = {id(node.layer): node.layer for node in order}
        numbers = {key: place for place, key in enumerate(first_seen)}
        self.layers = sorted(layers.values(), key=lambda layer: (-layer_depths[id(layer)], numbers[id(layer)]))
        check_names(self.layers, model)

    def _traced(self, given: set[int]) -> tuple[list[Node], list[int]]:
        """All calls from the outputs down to the inputs, those read first; and layers as a walk first meets them."""
        order: list[Node] = []
        first_seen: dict[int, None] = {}
        done: set[int] = set()
        for output in self.outputs:
            stack = [(output._node, False)]
            while stack:
                node, ready = stack.pop()
                if id(node) in done:
                    continue
                if ready:
                    done.add(id(node))
                    order.append(node)
                    continue
                first_seen.setdefault(id(node.layer))
                if not node.reads and id(node) not in given:
                    known = [tensor.name for tensor in self.inputs]
                    raise ValueError(
                        f"model {self._model!r}: the graph is disconnected: an output needs the input "
                        f"{node.layer.name!r}, which is not among the inputs {known}"
                    )
                stack.append((node, True))
                if id(node) not in given:
                    stack.extend((tensor._node, False) for tensor in reversed(node.reads))
        return order, list(first_seen)


def check_names(layers: Sequence[Layer], model: str) -> None:
    """Raise ValueError for two layers of one name."""
    names = Counter(layer.name for layer in layers)
    for name, count in names.items():
        if count > 1:
            raise ValueError(
                f"model {model!r}: the name {name!r} is taken {count} times; names of layers must be unique"
            )


def _depths(order: Sequence[Node]) -> tuple[dict[int, int], dict[int, int]]:
    """How many calls lie between each call, and each layer's earliest one, and an output."""
    nodes: dict[int, int] = {}
    layers: dict[int, int] = {}
    for node in reversed(order):
        # Keras: a layer called several times lies, with each call, at least as deep as what was met of it before.
        depth = max(nodes.get(id(node), 0), layers.get(id(node.layer), 0))
        nodes[id(node)] = layers[id(node.layer)] = depth
        for tensor in node.reads:
            nodes[id(tensor._node)] = max(depth + 1, nodes.get(id(tensor._node), 0))
    return nodes, layers


@dataclass(frozen=True)
class Call:
    """A layer, no model, at its place.

    Attributes:
        layer: as the user knows it.
        name: what it is called in the native network: models' names in front, "encoder/dense".
        reads: numbers of values.
        initial: how many of these, the last ones, are states to begin with.
        writes: the numbers of the values that it writes.
    """

    layer: Layer
    name: str
    reads: tuple[int, ...]
    initial: int
    writes: tuple[int, ...]


@dataclass
class Flat:
    """A graph without models in it: values by number, the inputs' first.

    Attributes:
        inputs: what made them.
        calls: each behind those that it reads.
        outputs: numbers of values.
        names: id of a layer -> its name in the native network.
    """

    inputs: list[InputLayer] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    outputs: tuple[int, ...] = ()
    names: dict[int, str] = field(default_factory=dict)
    values: int = 0

    @staticmethod
    def of(wiring: Wiring) -> Flat:
        """The graph of a wiring and of all models in it."""
        flat = Flat()
        for tensor in wiring.inputs:
            assert isinstance(tensor._node.layer, InputLayer)
            flat.inputs.append(tensor._node.layer)
        flat.values = len(flat.inputs)
        flat.outputs = flat._extend(wiring, tuple(range(flat.values)), "")
        flat._prune()
        return flat

    @staticmethod
    def of_call(layer: Layer, inputs: Sequence[InputLayer], initial: int = 0) -> Flat:
        """A single call, of a layer or a model; the last `initial` inputs are states to begin with."""
        flat = Flat(list(inputs), values=len(inputs))
        flat.outputs = flat._call(layer, tuple(range(flat.values)), initial, "")
        return flat

    @staticmethod
    def chain(layers: Sequence[Layer]) -> Flat:
        """Layers in a row, no models, behind an input that is not known yet."""
        flat = Flat([InputLayer((1,), name="input")], values=1)
        for layer in layers:
            flat._call(layer, (flat.values - 1,), 0, "")
        flat.outputs = (flat.values - 1,)
        return flat

    def readers(self) -> dict[int, list[Call]]:
        """Value -> the calls that read it, one entry each time."""
        found: dict[int, list[Call]] = {number: [] for number in range(self.values)}
        for call in self.calls:
            for number in call.reads:
                found[number].append(call)
        return found

    def written_by(self) -> dict[int, Call]:
        """Value -> the call that writes it; inputs have none."""
        return {number: call for call in self.calls for number in call.writes}

    def _prune(self) -> None:
        """Leave out calls that lead to no output: a model within may have outputs that nothing reads."""
        needed = set(self.outputs)
        calls = []
        for call in reversed(self.calls):
            if not needed.isdisjoint(call.writes):
                needed.update(call.reads)
                calls.append(call)
        self.calls = calls[::-1]

    def _extend(self, wiring: Wiring, inputs: tuple[int, ...], prefix: str) -> tuple[int, ...]:
        numbers = {id(tensor): number for tensor, number in zip(wiring.inputs, inputs, strict=True)}
        given = {id(tensor._node) for tensor in wiring.inputs}
        for node in wiring.nodes:
            if id(node) in given:
                continue
            reads = tuple(numbers[id(tensor)] for tensor in node.reads)
            written = self._call(node.layer, reads, len(node.initial), prefix)
            for tensor in node.writes():
                numbers[id(tensor)] = written[tensor._index]
        return tuple(numbers[id(tensor)] for tensor in wiring.outputs)

    def _call(self, layer: Layer, reads: tuple[int, ...], initial: int, prefix: str) -> tuple[int, ...]:
        inner = layer._inner()
        if inner is not None:
            return self._extend(inner, reads, f"{prefix}{layer.name}/")
        name = self.names.setdefault(id(layer), prefix + layer.name)
        writes = tuple(range(self.values, self.values + layer.output_count))
        self.values += len(writes)
        self.calls.append(Call(layer, name, reads, initial, writes))
        return writes
