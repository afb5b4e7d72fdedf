"""Pictures of the newest results in a folder: `python -m benchmarks.plots FOLDER` (needs matplotlib)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from benchmarks.convolutions import text as convolution
from benchmarks.convolutions.grid import PHASES
from benchmarks.rivals import RIVALS
from benchmarks.sidebyside import title
from benchmarks.sweep.text import Panel, extents, panels, percent

mpl.use("Agg")
from matplotlib import pyplot as plt

COLOURS = dict(zip(RIVALS, ("#1b1b1b", "#ee4c2c", "#f2a900", "#5b8def", "#7a5195", "#2a9d8f"), strict=True))


NEEDED = {  # what a file of a kind has to have; older versions of the benchmarks wrote others
    **dict.fromkeys(("steps", "inference"), ("machine", "settings", "work")),
    "scaling": ("machine", "series"),
    "sweep": ("machine", "suspects", "work"),
    "convolutions": ("machine", "work"),
    **dict.fromkeys(("mnist_lenet", "shakespeare", "japanese_vowels"), ("machine", "title", "libraries")),
}


def newest(folder: Path, kind: str) -> dict[str, Any] | None:
    """The latest results of a kind in the present format; says which files it passes over."""
    for path in sorted(folder.glob(f"{kind}-*.json"), reverse=True):
        whole: dict[str, Any] = json.loads(path.read_text())
        missing = [key for key in NEEDED[kind] if key not in whole]
        if not missing:
            return whole
        print(f"skipped {path}: an older format, without {', '.join(map(repr, missing))}", file=sys.stderr)
    return None


def _footer(figure: Any, whole: dict[str, Any]) -> None:
    machine = whole["machine"]
    simd = f", {machine['simd']}" if machine["simd"] else ""
    text = f"{machine['processor']}{simd}, {machine['threads']} threads each, {machine['date']}"
    figure.text(0.99, 0.005, text, ha="right", va="bottom", fontsize=7, color="#666666")


def ratios(whole: dict[str, Any], heading: str, path: Path) -> None:
    """Bars: each library's time over Tauten's, on a logarithmic axis; quartiles as whiskers."""
    work = {name: result for name, result in whole["work"].items() if "tauten" in result}
    names = [name for name in RIVALS if name != "tauten" and any(name in result for result in work.values())]
    figure, axes = plt.subplots(figsize=(8, 0.6 + len(work) * (0.12 + 0.13 * len(names))))
    height = 0.8 / max(1, len(names))
    low = 1.0
    for i, name in enumerate(names):
        for row, result in enumerate(work.values()):
            if name not in result:
                continue
            ratio = result[name]["ratio"]
            y = row + (i - (len(names) - 1) / 2) * height
            axes.barh(y, ratio["median"] - 1, height * 0.92, left=1, color=COLOURS[name], label=None if row else name)
            axes.plot([ratio["q1"], ratio["q3"]], [y, y], color="#00000080", linewidth=1)
            low = min(low, ratio["q1"])
            right = max(ratio["median"], ratio["q3"], 1.0)
            axes.text(right * 1.03, y, f"{ratio['median']:.2f}", va="center", fontsize=6.5)
    axes.axvline(1, color=COLOURS["tauten"], linewidth=1.2)
    axes.set_xscale("log", base=2)
    axes.set_xlim(left=min(0.7, low * 0.85), right=axes.get_xlim()[1] * 1.15)
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}x"))
    axes.set_yticks(range(len(work)), [title(name, whole["settings"]) for name in work])
    axes.invert_yaxis()
    axes.set_xlabel("time over Tauten's: right of the line Tauten is faster")
    axes.set_title(heading)
    handles = [mpl.patches.Patch(color=COLOURS[name], label=RIVALS[name].title) for name in names]
    axes.legend(handles=handles, fontsize=8, frameon=False, loc="best")
    _finish(figure, whole, path)


def scaling(whole: dict[str, Any], path: Path) -> None:
    """Lines: GFLOP/s of every library over batch, hidden size, threads."""
    series = whole["series"]
    columns = 3
    rows = -(-len(series) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(11, 3.2 * rows), squeeze=False)
    for axes, (name, points) in zip(grid.flat, series.items(), strict=False):
        for library in RIVALS:
            own = [(p["value"], p["libraries"][library]["gflops"]) for p in points if library in p["libraries"]]
            if own:
                axes.plot(
                    *zip(*own, strict=True),
                    marker="o",
                    markersize=3,
                    color=COLOURS[library],
                    label=RIVALS[library].title,
                )
        values = [point["value"] for point in points]
        axes.set_xscale("log", base=2)
        axes.set_xticks(values, [str(value) for value in values])
        axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
        axes.set_ylim(bottom=0)
        axes.set_title(name, fontsize=10)
        axes.set_ylabel("GFLOP/s", fontsize=8)
    grid.flat[0].legend(fontsize=8, frameon=False)
    for axes in list(grid.flat)[len(series) :]:
        axes.remove()
    _finish(figure, whole, path)


def endtoend(whole: dict[str, Any], path: Path) -> None:
    """Lines: what the model is worth over seconds of training."""
    libraries = whole["libraries"]
    keys = [key for key in next(iter(libraries.values()))["turns"][0] if key != "seconds"]
    figure, grid = plt.subplots(1, len(keys), figsize=(5.2 * len(keys), 3.6), squeeze=False)
    for axes, key in zip(grid.flat, keys, strict=True):
        for name, library in libraries.items():
            turns = library["turns"]
            seconds = np.cumsum([turn["seconds"] for turn in turns])
            axes.plot(
                seconds,
                [turn[key] for turn in turns],
                marker="o",
                markersize=3,
                color=COLOURS[name],
                label=RIVALS[name].title,
            )
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds of training")
        axes.set_title(key, fontsize=10)
    grid.flat[0].legend(fontsize=8, frameon=False)
    figure.suptitle(whole["title"], fontsize=11)
    _finish(figure, whole, path)


def sweep(whole: dict[str, Any], path: Path) -> None:
    """Heat maps: shares of the peak over hidden size and batch; a frame where a case stands out from its neighbours."""
    rows: dict[str, list[tuple[str, Panel]]] = {}  # by cell
    for heading, panel in panels(whole):
        rows.setdefault(heading.split(",")[0], []).append((heading, panel))
    columns = max(map(len, rows.values()))
    outstanding = {one["work"] for one in whole["suspects"]}
    size = (1.2 + 4.4 * columns, 0.9 + 3.0 * len(rows))
    figure, grid = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
    figure.set_layout_engine("constrained", rect=(0, 0.03, 1, 0.97))
    for line, row in zip(grid, rows.values(), strict=True):
        for place, (heading, panel) in zip(line, row, strict=False):
            image = _heat(place, heading, panel, outstanding)
        for place in line[len(row) :]:
            place.remove()
    figure.colorbar(image, ax=grid, label="% of the multiply-add peak", shrink=0.8)
    figure.suptitle("Training step; framed: under half of the mean of its neighbours", fontsize=11)
    _footer(figure, whole)
    figure.savefig(path, dpi=130)
    plt.close(figure)
    print(path)


def _heat(place: Any, heading: str, panel: Panel, framed: set[str]) -> Any:
    batches, units = extents(panel)
    shares = np.full((len(batches), len(units)), np.nan)
    for (batch, h), (name, share) in panel.items():
        row, column = batches.index(batch), units.index(h)
        if share is None:
            continue
        shares[row, column] = 100 * share
        colour = "white" if share < 0.55 else "black"
        place.text(column, row, percent(share), ha="center", va="center", fontsize=7.5, color=colour)
        if name in framed:
            corner = (column - 0.46, row - 0.46)
            place.add_patch(mpl.patches.Rectangle(corner, 0.92, 0.92, fill=False, edgecolor="#ee4c2c", linewidth=2))
    place.set_facecolor("#dddddd")
    image = place.imshow(shares, cmap="viridis", vmin=0, vmax=100, aspect="auto")
    place.set_xticks(range(len(units)), [str(h) for h in units])
    place.set_yticks(range(len(batches)), [str(batch) for batch in batches])
    place.set_xlabel("hidden size")
    place.set_ylabel("batch")
    place.set_title(heading, fontsize=10)
    return image


def convolutions(whole: dict[str, Any], path: Path) -> None:
    """Heat maps: oneDNN's time over Tauten's, geometric means over what two extents leave open; a column a phase."""
    pairs = (("filters", "channels"), ("size", "kernel"), ("batch", "stride"))
    figure, grid = plt.subplots(len(pairs), len(PHASES), figsize=(13.5, 9.5), height_ratios=(7, 4, 2), squeeze=False)
    figure.set_layout_engine("constrained", rect=(0, 0.03, 1, 0.97))
    for line, (across, down) in zip(grid, pairs, strict=True):
        for place, phase in zip(line, PHASES, strict=True):
            own = [one for one in whole["work"].values() if one["phase"] == phase]
            image = _ratios_heat(place, own, across, down)
            place.set_title(phase, fontsize=10)
    ticks = [1 / 4, 1 / 2, 1, 2, 4]
    figure.colorbar(image, ax=grid, ticks=np.log2(ticks), shrink=0.6).ax.set_yticklabels([f"{t:g}x" for t in ticks])
    figure.suptitle("Convolutions: oneDNN's time over Tauten's, above 1x Tauten is faster", fontsize=11)
    _footer(figure, whole)
    figure.savefig(path, dpi=130)
    plt.close(figure)
    print(path)


def _ratios_heat(place: Any, own: list[dict[str, Any]], across: str, down: str) -> Any:
    columns, rows = (sorted({one[axis] for one in own}) for axis in (across, down))
    values = np.full((len(rows), len(columns)), np.nan)
    for i, j in np.ndindex(values.shape):
        met = [convolution.ratio(one) for one in own if (one[down], one[across]) == (rows[i], columns[j])]
        if met:
            values[i, j] = np.log2(convolution.mean(met))
            colour = "white" if abs(values[i, j]) > 1.4 else "black"
            place.text(j, i, f"{2 ** values[i, j]:.2f}", ha="center", va="center", fontsize=8, color=colour)
    place.set_facecolor("#dddddd")
    image = place.imshow(values, cmap="RdBu", vmin=-2, vmax=2, aspect="auto")
    place.set_xticks(range(len(columns)), [str(value) for value in columns])
    place.set_yticks(range(len(rows)), [str(value) for value in rows])
    place.set_xlabel(convolution.AXES[across])
    place.set_ylabel(convolution.AXES[down])
    return image


def _finish(figure: Any, whole: dict[str, Any], path: Path) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    _footer(figure, whole)
    figure.savefig(path, dpi=130)
    plt.close(figure)
    print(path)


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plots", description=__doc__)
    parser.add_argument("folder", type=Path, help="of results")
    folder: Path = parser.parse_args(argv).folder
    headings = {"steps": "Training step", "inference": "Forward pass of one sample"}
    for kind, heading in headings.items():
        if whole := newest(folder, kind):
            ratios(whole, heading, folder / f"{kind}.png")
    if whole := newest(folder, "scaling"):
        scaling(whole, folder / "scaling.png")
    if whole := newest(folder, "sweep"):
        sweep(whole, folder / "sweep.png")
    if whole := newest(folder, "convolutions"):
        convolutions(whole, folder / "convolutions.png")
    for kind in ("mnist_lenet", "shakespeare", "japanese_vowels"):
        if whole := newest(folder, kind):
            endtoend(whole, folder / f"{kind}.png")
    if not any(folder.glob("*.png")):
        print(f"error: no results to draw in {folder}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
