"""What notebooks show of models and histories. Colours are the page's own, so that dark ones work too."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from tauten import _histories, summary
from tauten._plots import COLOURS

if TYPE_CHECKING:
    from tauten._histories import Curve, Run
    from tauten.callbacks import History
    from tauten.models import Model

CELL = "padding: 0.2em 0.8em; text-align: {}; border-bottom: 1px solid rgba(128, 128, 128, 0.35)"
WIDTH, HEIGHT = 340, 130  # of the curve
LEFT, RIGHT, TOP, BOTTOM = 54, 8, 8, 18  # its margins


def model(model: Model) -> str:
    """The summary."""
    shown = summary.table(model)
    rows = _table(shown.titles, shown.rows, numbers={2})
    return _whole(f'{model.class_name} "{model.name}"', f"{rows}<div>{escape('; '.join(shown.totals))}</div>")


def history(history: History) -> str:
    """The last and the best epoch, and the curve of the loss."""
    try:
        (run,) = _histories.read(history, "History")
    except (TypeError, ValueError):  # nothing yet, or whatever users put into it
        return _whole("History", f"<div>{escape(repr(history))}</div>")
    best = run.best(None, "auto", "History")
    names = _histories.metrics([run])
    sides = [side for side in (0, 1) if any(run.pair(name)[side] is not None for name in names)]
    titles = ["", *(("training", "validation")[side] for side in sides)]
    if best is not None:
        titles += [f"{title}, epoch {best[1]}" for title in titles[1:]]
    rows = []
    for name in names:
        curves = [run.pair(name)[side] for side in sides]
        row = [name, *(_at(curve, None) for curve in curves)]
        if best is not None:
            row += [_at(curve, best[1]) for curve in curves]
        rows.append(row)
    last = max(int(curve.epochs.max()) for curve in run.curves.values())
    note = f"{best[0]} is best in epoch {best[1]}" if best is not None else ""
    title = f"History up to epoch {last}{f'; {note}' * bool(note)}"
    return _whole(title, _table(titles, rows, numbers=set(range(1, len(titles)))) + _curves(run))


def _whole(title: str, body: str) -> str:
    return f'<div style="font-size: 0.95em"><div><b>{escape(title)}</b></div>{body}</div>'


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], numbers: set[int]) -> str:
    """`numbers`: columns that are set to the right."""

    def line(tag: str, cells: Sequence[str]) -> str:
        styles = [CELL.format("right" if column in numbers else "left") for column in range(len(cells))]
        inner = (f'<{tag} style="{style}">{escape(cell)}</{tag}>' for style, cell in zip(styles, cells, strict=True))
        return f"<tr>{''.join(inner)}</tr>"

    head, body = line("th", titles), "".join(line("td", row) for row in rows)
    return (
        f'<table style="border-collapse: collapse; margin: 0.4em 0"><thead>{head}</thead><tbody>{body}</tbody></table>'
    )


def _at(curve: Curve | None, epoch: int | None) -> str:
    """A curve's value in an epoch; None for the last one."""
    if curve is None:
        return ""
    found = curve.values[-1:] if epoch is None else curve.values[curve.epochs == epoch][-1:]
    return f"{found[0]:.4g}" if len(found) else ""


def _curves(run: Run) -> str:
    """The loss as an inline SVG; nothing for less than two epochs, or numbers that no scale can show."""
    curves = [(curve, side) for side, curve in enumerate(run.pair("loss")) if curve is not None]
    values = np.concatenate([curve.values for curve, _ in curves]) if curves else np.zeros(0)
    values = values[np.isfinite(values)]
    first = min((int(curve.epochs.min()) for curve, _ in curves), default=0)
    last = max((int(curve.epochs.max()) for curve, _ in curves), default=0)
    if last == first or not len(values):
        return ""
    low, high = float(values.min()), float(values.max())
    with np.errstate(over="ignore"):
        spread = high - low
    if not np.isfinite(spread):
        return ""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def point(epoch: int, value: float) -> str:
        x = LEFT + (right - LEFT) * (epoch - first) / (last - first)
        y = bottom - (bottom - TOP) * ((value - low) / spread if spread else 0.5)
        return f"{x:.1f},{y:.1f}"

    parts = [f'<path d="M{LEFT},{TOP}V{bottom}H{right}" fill="none" stroke="currentColor" stroke-opacity="0.4"/>']
    for curve, side in curves:
        pieces: list[list[str]] = [[]]
        for epoch, value in zip(curve.epochs.tolist(), curve.values.tolist(), strict=True):
            if np.isfinite(value):
                pieces[-1].append(point(epoch, value))
            else:
                pieces.append([])
        parts += [
            f'<polyline points="{" ".join(piece)}" fill="none" stroke="{COLOURS[side]}" stroke-width="1.8"/>'
            for piece in pieces
            if len(piece) > 1
        ]
    words = [
        (LEFT - 4, TOP + 8, "end", f"{high:.3g}", ""),
        (LEFT - 4, bottom, "end", f"{low:.3g}", ""),
        (LEFT, HEIGHT - 4, "start", f"epoch {first}", ""),
        ((LEFT + right) // 2, HEIGHT - 4, "middle", "loss", ""),
        (right, HEIGHT - 4, "end", str(last), ""),
    ]
    words += [
        (right, TOP + 8 + 12 * line, "end", ("training", "validation")[side], f' fill="{COLOURS[side]}"')
        for line, (_, side) in enumerate(curves)
    ]
    parts += [f'<text x="{x}" y="{y}" text-anchor="{side}"{fill}>{text}</text>' for x, y, side, text, fill in words]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-size="10" font-family="sans-serif" fill="currentColor" role="img" aria-label="loss over epochs">'
        f"{''.join(parts)}</svg>"
    )
