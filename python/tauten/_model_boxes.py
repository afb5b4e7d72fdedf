"""A model's graph as boxes with words in them, laid out: what the picture of it shows. Lengths are points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tauten._layout import STEP, Edge, Placed, Size, layered
from tauten.layers.core import InputLayer

if TYPE_CHECKING:
    from tauten._tensors import KerasTensor, Node
    from tauten._wiring import Wiring

TITLE, TEXT, LINE = 10.0, 8.5, 12.5  # sizes of the letters, distance of lines
SIDE, TOP = 9.0, 5.0  # between words and border
FRAME = 12.0  # between the border of a model and its layers
# Light tints of Okabe & Ito's colours, which words on them can be read on.
INPUT, WEIGHTS, PLAIN, MERGING, MODEL = "#d5efe6", "#d4e7f5", "#f0f0f0", "#fbe8c8", "#f6e6ef"

Width = Callable[[str, float, bool], float]


@dataclass(frozen=True)
class Shown:
    """What the boxes say; utils.plot_model() explains it."""

    shapes: bool
    dtype: bool
    names: bool
    nested: bool
    activations: bool
    trainable: bool


@dataclass
class Box:
    """A call of a layer or a model.

    Attributes:
        title, lines: its words.
        colour: its ground.
        across, along: extents, as the layout has them.
        graph: the layers of a model that is shown as a frame around them.
        origin: where that begins within the box, across and along.
    """

    title: str
    lines: list[str]
    colour: str
    across: float = 0.0
    along: float = 0.0
    graph: Graph | None = None
    origin: tuple[float, float] = (0.0, 0.0)

    def end(self, x: float) -> float:
        """A place in the graph, across, from the centre of the box."""
        return self.origin[0] + x - self.across / 2


@dataclass
class Graph:
    """Boxes and their places.

    Attributes:
        boxes: None for the ends of a model in a model, which are points of its border.
        edges: between them, by number.
        placed: where they are.
        inputs, outputs: where those ends are, across.
    """

    boxes: list[Box | None] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    placed: Placed = field(default_factory=lambda: Placed([], [], 0.0, 0.0))
    inputs: list[float] = field(default_factory=list)
    outputs: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Boxes:
    """Makes them.

    Args:
        shown: what they say.
        sideways: ranks lie beside each other, not below.
        width: of a text, its size and whether it is bold.
    """

    shown: Shown
    sideways: bool
    width: Width

    def graph(self, wired: Wiring, inputs: bool, nested: bool = False) -> Graph:
        """The graph of a model; `inputs`: with its Inputs as boxes, `nested`: with its ends on its border."""
        made = Graph()
        sizes: list[Size] = []
        given = {id(tensor._node) for tensor in wired.inputs}
        counts = Counter(id(node.layer) for node in wired.nodes)
        calls: Counter[int] = Counter()
        where: dict[int, int] = {}  # node -> box

        def add(box: Box | None, end: str | None = None) -> int:
            made.boxes.append(box)
            sizes.append(Size(box.across, box.along) if box is not None else Size(0.0, 0.0, end))
            return len(sizes) - 1

        def link(tensor: KerasTensor, target: int, number: int) -> None:
            source = where[id(tensor._node)]
            upper, lower = made.boxes[source], made.boxes[target]
            leaves = upper.end(upper.graph.outputs[tensor._index]) if upper and upper.graph else None
            enters = lower.end(lower.graph.inputs[number]) if lower and lower.graph else None
            made.edges.append(Edge(source, target, leaves, enters))

        for tensor in wired.inputs if nested else ():
            where[id(tensor._node)] = add(None, "first")
        for node in wired.nodes:
            if id(node) in given and not inputs:
                continue
            calls[id(node.layer)] += 1
            number = where[id(node)] = add(self._box(node, calls[id(node.layer)], counts[id(node.layer)]))
            for i, tensor in enumerate(node.reads if id(node) not in given else ()):
                if id(tensor._node) in where:
                    link(tensor, number, i)
        ends = [add(None, "last") for _ in wired.outputs] if nested else []
        for end, tensor in zip(ends, wired.outputs, strict=False):
            link(tensor, end, 0)
        made.placed = layered(sizes, made.edges)
        if nested:
            made.inputs = [made.placed.centres[where[id(tensor._node)]][0] for tensor in wired.inputs]
            made.outputs = [made.placed.centres[end][0] for end in ends]
        return made

    def _box(self, node: Node, call: int, calls: int) -> Box:
        layer, shown = node.layer, self.shown
        title = f"{layer.name} ({layer.class_name})" if shown.names else layer.class_name
        again = [f"call {call} of {calls}" + (", same weights" if layer.weights else "")] if calls > 1 else []
        inner = layer._inner()
        if inner is not None and shown.nested:
            return self._frame(Box(title, again, MODEL), inner)
        lines: list[str] = []
        if shown.activations and isinstance(getattr(layer, "activation", None), str):
            lines.append(f"activation: {layer.activation}")  # type: ignore[attr-defined]
        if shown.shapes:
            if node.reads:
                lines.append(f"in: {_listed([tensor.shape for tensor in node.reads])}")
            lines.append(f"out: {_listed([tensor.shape for tensor in node.outputs()])}")
            if layer.weights:
                lines.append(f"params: {layer.count_params():,}")
        if shown.dtype:
            lines.append(f"dtype: {_listed(list(dict.fromkeys(tensor.dtype for tensor in node.outputs())))}")
        if shown.trainable and layer.weights:
            lines.append(f"trainable: {'yes' if layer.trainable else 'no'}")
        if isinstance(layer, InputLayer):
            colour = INPUT
        elif inner is not None:
            colour = MODEL
        elif layer.merges:
            colour = MERGING
        else:
            colour = WEIGHTS if layer.weights else PLAIN
        box = Box(title, lines + again, colour)
        wide, high = self._extent(box)
        box.across, box.along = (high, wide) if self.sideways else (wide, high)
        return box

    def _extent(self, box: Box) -> tuple[float, float]:
        """Width and height of what a box says."""
        widths = [self.width(box.title, TITLE, True), *(self.width(line, TEXT, False) for line in box.lines)]
        return max(widths) + 2 * SIDE, (1 + len(box.lines)) * LINE + 2 * TOP

    def _frame(self, box: Box, wired: Wiring) -> Box:
        """A frame around the layers of a model, with its words at the top (for rankdir BT, where edges come in)."""
        box.graph = self.graph(wired, inputs=False, nested=True)
        placed = box.graph.placed
        wide, high = self._extent(box)
        if self.sideways:
            box.across, box.along = high + placed.across + FRAME, max(placed.along, wide, 2 * STEP)
            box.origin = high, 0.0
        else:
            box.across, box.along = max(placed.across + 2 * FRAME, wide), high + placed.along
            box.origin = (box.across - placed.across) / 2, high
        for edge, way in zip(box.graph.edges, placed.ways, strict=True):
            if box.graph.boxes[edge.target] is None:  # to the border, which wide words may have moved
                way[-1] = way[-1][0], box.along - box.origin[1]
        return box


def _listed(values: list[Any]) -> str:
    return ", ".join(map(str, values))
