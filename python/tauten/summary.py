"""The table of a model's layers that model.summary() prints and notebooks show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tauten._tensors import Node
    from tauten._wiring import Wiring
    from tauten.layers.base import Layer
    from tauten.models import Model

WIDTH, GRAPH_WIDTH = 76, 100
SHARES = (0.46, 0.33, 0.21)
GRAPH_SHARES = (0.29, 0.24, 0.15, 0.32)


@dataclass(frozen=True)
class Table:
    """What a summary says.

    Attributes:
        name: the model's.
        titles: of the columns.
        rows: one a layer, in the order of model.layers.
        totals: numbers of parameters.
        graph: is there a column of what each layer reads?
    """

    name: str
    titles: list[str]
    rows: list[list[str]]
    totals: list[str]
    graph: bool


def table(model: Model, show_trainable: bool = False) -> Table:
    """Layer (type), output shape, number of weights, in graphs what it reads; the totals."""
    wired = model._inner()
    graph = wired is not None and not _is_chain(wired)
    titles = ["Layer (type)", "Output Shape", "Param #"] + ["Connected to"] * graph + ["Trainable"] * show_trainable
    rows = []
    for layer in model.layers:
        shape = _shape(wired, layer) if wired is not None else "?"
        count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
        state = ("Y" if layer.trainable else "N") if layer.built and layer.weights else "-"
        row = [f"{layer.name} ({layer.class_name})", shape, count]
        if graph:
            assert wired is not None
            row.append(_connections(wired, layer))
        rows.append(row + [state] * show_trainable)
    size = 8 if model.dtype == "float64" else 4
    trainable = sum(variable.size for variable in model.trainable_weights)
    frozen = sum(variable.size for variable in model.non_trainable_weights)
    totals = [
        f"Total params: {trainable + frozen:,} ({memory((trainable + frozen) * size)}, {model.dtype})",
        f"Trainable params: {trainable:,} ({memory(trainable * size)})",
        f"Non-trainable params: {frozen:,} ({memory(frozen * size)})",
    ]
    return Table(model.name, titles, rows, totals, graph)


def lines(model: Model, width: int | None = None, show_trainable: bool = False) -> Iterator[str]:
    """The lines of the table, drawn in a terminal's characters."""
    shown = table(model, show_trainable)
    shares = GRAPH_SHARES if shown.graph else SHARES
    default = GRAPH_WIDTH if shown.graph else WIDTH
    columns = _columns(default if width is None else max(width, 40), show_trainable, shares)

    yield f'Model: "{shown.name}"'
    yield _rule("┏┳┓", "━", columns)
    yield _row(shown.titles, columns, "┃")
    yield _rule("┡╇┩", "━", columns)
    for i, row in enumerate(shown.rows):
        if i:
            yield _rule("├┼┤", "─", columns)
        yield from _wrapped(row, columns)
    yield _rule("└┴┘", "─", columns)
    yield from (f" {total}" for total in shown.totals)


def memory(size: int) -> str:
    """Bytes as people read them: 1.60 KB."""
    number = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1024:
            return f"{number:.2f} {unit}"
        number /= 1024
    return f"{number:.2f} TB"


def _is_chain(wired: Wiring) -> bool:
    """Does every layer read what the one before writes, and is called once?"""
    depth = len(wired.nodes)
    return (
        depth == len(wired.layers)
        and len(wired.outputs) == 1
        and all(
            len(node.reads) <= 1 and (not node.reads or node.reads[0]._node is before)
            for before, node in zip([None, *wired.nodes], wired.nodes, strict=False)
        )
    )


def _calls(wired: Wiring, layer: Layer) -> list[Node]:
    return sorted((node for node in wired.nodes if node.layer is layer), key=lambda node: node.number)


def _shape(wired: Wiring, layer: Layer) -> str:
    """What the layer's last call writes, as in Keras."""
    shapes = [str(tensor.shape) for tensor in _calls(wired, layer)[-1].outputs()]
    return shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"


def _connections(wired: Wiring, layer: Layer) -> str:
    """What the layer's calls read: name[call][tensor]."""
    reads = [tensor for node in _calls(wired, layer) for tensor in node.reads]
    found = [
        f"{tensor._node.layer.name}[{_calls(wired, tensor._node.layer).index(tensor._node)}][{tensor._index}]"
        for tensor in reads
    ]
    return ", ".join(found) or "-"


def _columns(width: int, show_trainable: bool, shares: Sequence[float]) -> list[int]:
    extra = [11] if show_trainable else []
    room = width - len(shares) - 1 - sum(extra) - len(extra)
    columns = [int(room * share) for share in shares]
    columns[-1] += room - sum(columns)
    return [*columns, *extra]


def _rule(corners: str, line: str, columns: list[int]) -> str:
    return corners[0] + corners[1].join(line * column for column in columns) + corners[2]


def _row(cells: list[str], columns: list[int], bar: str = "│") -> str:
    texts = []
    for i, (cell, column) in enumerate(zip(cells, columns, strict=True)):
        texts.append(f"{cell:>{column - 2}}" if i == 2 else f"{cell:<{column - 2}}")
    return bar + bar.join(f" {text} " for text in texts) + bar


def _wrapped(cells: list[str], columns: list[int]) -> Iterator[str]:
    """A row over as many lines as its longest cell needs; cells break after a space or in the middle."""
    parts = [_break(cell, column - 2) for cell, column in zip(cells, columns, strict=True)]
    for i in range(max(map(len, parts))):
        yield _row([part[i] if i < len(part) else "" for part in parts], columns)


def _break(text: str, width: int) -> list[str]:
    width = max(width, 1)
    found: list[str] = []
    for word in re.findall(r"\S+\s*", text):
        pieces = [word[i : i + width] for i in range(0, len(word.rstrip()), width)]
        if found and len(found[-1]) + len(pieces[0].rstrip()) <= width:
            found[-1] += pieces.pop(0)
        found += pieces
    return [piece.rstrip() for piece in found] or [""]
