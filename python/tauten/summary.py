"""The table that model.summary() prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tauten.models import Sequential

WIDTH = 76
SHARES = (0.46, 0.33, 0.21)


def lines(model: Sequential, width: int | None = None, show_trainable: bool = False) -> Iterator[str]:
    """The lines of the table: layer (type), output shape, number of weights; and the totals."""
    titles = ["Layer (type)", "Output Shape", "Param #"] + ["Trainable"] * show_trainable
    rows = []
    for layer in model.layers:
        shape = str(layer.output_shape) if layer.built else "?"
        count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
        state = ("Y" if layer.trainable else "N") if layer.built and layer.weights else "-"
        rows.append([f"{layer.name} ({type(layer).__name__})", shape, count] + [state] * show_trainable)
    columns = _columns(WIDTH if width is None else max(width, 40), show_trainable)

    yield f'Model: "{model.name}"'
    yield _rule("┏┳┓", "━", columns)
    yield _row(titles, columns, "┃")
    yield _rule("┡╇┩", "━", columns)
    for i, row in enumerate(rows):
        if i:
            yield _rule("├┼┤", "─", columns)
        yield from _wrapped(row, columns)
    yield _rule("└┴┘", "─", columns)

    size = 8 if model.dtype == "float64" else 4
    trainable = sum(variable.size for variable in model.trainable_weights)
    frozen = sum(variable.size for variable in model.non_trainable_weights)
    yield f" Total params: {trainable + frozen:,} ({memory((trainable + frozen) * size)}, {model.dtype})"
    yield f" Trainable params: {trainable:,} ({memory(trainable * size)})"
    yield f" Non-trainable params: {frozen:,} ({memory(frozen * size)})"


def memory(size: int) -> str:
    """Bytes as people read them: 1.60 KB."""
    number = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1024:
            return f"{number:.2f} {unit}"
        number /= 1024
    return f"{number:.2f} TB"


def _columns(width: int, show_trainable: bool) -> list[int]:
    extra = [11] if show_trainable else []
    room = width - 4 - sum(extra) - len(extra)
    first, second = int(room * SHARES[0]), int(room * SHARES[1])
    return [first, second, room - first - second, *extra]


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
