"""What all pictures share, and those of tauten.diagnostics; matplotlib is imported only when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tauten.diagnostics import LayerFlow

# Okabe & Ito's colours, which the colour-blind tell apart too.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1b1b1b")
STYLES = ("-", "--", ":", "-.")
GREY = "#666666"


def pyplot() -> Any:
    try:
        from matplotlib import pyplot as found
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'tauten[plot]'") from None
    return found


def figure_of(
    figure: Any, size: tuple[float, float], rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """The figure to draw into, and its axes."""
    if figure is None:
        figure = pyplot().figure(figsize=size, layout="constrained")
    if "height_ratios" in options:
        options["gridspec_kw"] = {"height_ratios": options.pop("height_ratios")}
    return figure, figure.subplots(rows, columns, **options)


def check_ending(path: Path, what: str, empty: bool = False) -> None:
    """Can a picture of that ending be saved? Raises ImportError without matplotlib, ValueError for an unknown one."""
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise ImportError(f"{what}: plots need matplotlib: pip install 'tauten[plot]'") from None
    endings = sorted(FigureCanvasBase.get_supported_filetypes())
    if path.suffix[1:].lower() not in endings and not (empty and not path.suffix):
        raise ValueError(f"{what} {path}: expected a file that ends in {', '.join('.' + one for one in endings)}")


def gradient_flow(layers: Sequence[LayerFlow]) -> Figure:
    """Lines of norms over steps, log scale, and bars of spectral radii."""
    plt = pyplot()
    bars = [
        (layer.name if len(layer.radii) == 1 else f"{layer.name}: {gate}", radius, i)
        for i, layer in enumerate(layers)
        for gate, radius in layer.radii.items()
    ]
    figure: Figure
    figure, (lines, radii) = plt.subplots(
        1, 2, figsize=(10, max(4.0, 1.2 + 0.3 * len(bars))), width_ratios=(3, 2), layout="constrained"
    )
    for i, layer in enumerate(layers):
        t = np.arange(1, layer.steps + 1)
        lines.plot(
            t,
            np.where(layer.norms > 0, layer.norms, np.nan),
            color=COLOURS[i % len(COLOURS)],
            linestyle=STYLES[i // len(COLOURS) % len(STYLES)],
            marker="o" if layer.steps == 1 else None,
            label=f"{layer.name}{' (reads backwards)' if layer.backwards else ''}",
        )
    lines.set_yscale("log")
    lines.set_ylim(*_decades(np.concatenate([layer.norms for layer in layers])))
    longest = max(layer.steps for layer in layers)
    lines.set_xlim(1 - 0.02 * longest, longest * 1.02)
    lines.xaxis.get_major_locator().set_params(integer=True)
    lines.set_xlabel("step t")
    lines.set_ylabel("‖δ_t‖, root mean square over samples")
    lines.set_title("Gradient at each step", fontsize=11, loc="left")
    lines.grid(alpha=0.3)
    lines.legend(fontsize=9)

    largest = max([1.0, *(radius for _, radius, _ in bars if np.isfinite(radius))])
    for row, (_, radius, i) in enumerate(bars):
        length = radius if np.isfinite(radius) else 0.0
        radii.barh(row, length, height=0.7, color=COLOURS[i % len(COLOURS)], alpha=0.85)
        radii.text(length + 0.02 * largest, row, f"{radius:.3g}", va="center", fontsize=9)
    radii.axvline(1, color="black", linewidth=1.2)
    radii.set_yticks(range(len(bars)), [label for label, _, _ in bars])
    middle, half = (len(bars) - 1) / 2, max(len(bars), 5) / 2 + 0.1
    radii.set_ylim(middle + half, middle - half)
    radii.set_xlim(0, 1.18 * largest)
    radii.set_xlabel("largest |eigenvalue|")
    radii.set_title("Spectral radius of W_h", fontsize=11, loc="left")
    for axes in (lines, radii):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _decades(values: NDArray[np.float64]) -> tuple[float, float]:
    """The powers of ten around all that a log scale can show."""
    shown = values[(values > 0) & np.isfinite(values)]
    if not len(shown):
        return 0.1, 10.0
    low, high = np.floor(np.log10(shown.min())), np.ceil(np.log10(shown.max()))
    if high - low < 2:  # ticks of a single decade would be labelled between its ends
        low, high = low - 1, max(high, low + 1)
    return 10.0 ** max(low, -307), 10.0 ** min(high, 308)


def gates(layer: str, directions: Sequence[dict[str, NDArray[Any]]], labels: Sequence[str] | None) -> Figure:
    """Heat maps, units x steps, of (steps, units) arrays: rows of panels are gates, columns directions."""
    plt = pyplot()
    rows, columns = max(len(gates) for gates in directions), len(directions)
    steps = len(next(iter(directions[0].values())))
    width = columns * min(16.0, max(6.0, 1.5 + 0.14 * steps if labels is not None else 8.0))
    figure: Figure
    figure, panels = plt.subplots(
        rows, columns, figsize=(width, 0.6 + 2.0 * rows), sharex=True, squeeze=False, layout="constrained"
    )
    for column, named in enumerate(directions):
        for row in range(rows):
            axes = panels[row][column]
            if row >= len(named):
                axes.set_visible(False)
                continue
            name = list(named)[row]
            values = named[name].T
            largest = float(np.nanmax(np.abs(values), initial=1.0))
            signed = bool((values < 0).any())  # from -1 to 1, or from 0 to 1, unless the values go beyond
            image = axes.imshow(
                values,
                aspect="auto",
                interpolation="nearest",
                origin="lower",
                cmap="RdBu_r" if signed else "viridis",
                vmin=-largest if signed else 0.0,
                vmax=largest,
                extent=(0.5, steps + 0.5, -0.5, len(values) - 0.5),
            )
            axes.set_title(name, fontsize=10, loc="left")
            axes.set_ylabel("unit", fontsize=9)
            axes.yaxis.get_major_locator().set_params(integer=True)
            figure.colorbar(image, ax=axes, pad=0.01, aspect=12)
            if row == len(named) - 1:
                axes.tick_params(labelbottom=True)
                axes.set_xlabel("" if labels is not None else "step t")
            if labels is None:
                axes.xaxis.get_major_locator().set_params(integer=True)
            else:
                axes.set_xticks(range(1, steps + 1), ["↵" if label == "\n" else label for label in labels], fontsize=9)
    figure.suptitle(f"Gates of {layer}", fontsize=11)
    return figure
