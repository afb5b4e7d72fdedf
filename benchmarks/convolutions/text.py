"""What the convolutions print: means by extent, every case, and those that oneDNN runs faster; and the CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Any

from benchmarks import report
from benchmarks.convolutions.grid import PHASES
from benchmarks.sweep.text import percent

AXES = {
    "channels": "channels in",
    "filters": "channels out",
    "kernel": "kernel",
    "size": "size",
    "stride": "stride",
    "batch": "batch",
}


def mean(values: Iterable[float]) -> float:
    """Geometric; not a number if there are none."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def ratio(one: dict[str, Any]) -> float:
    """oneDNN's time over Tauten's: above 1 Tauten is faster."""
    found: float = one["ratio"]["median"]
    return found


def _spread(whole: dict[str, Any]) -> str:
    all_phases = list(whole["work"].values())
    rows = []
    for axis, title in AXES.items():
        for value in sorted({one[axis] for one in all_phases}):
            some = [one for one in all_phases if one[axis] == value]
            rows.append([f"{title} {value}", str(len(some) // len(PHASES)), *_means(some)])
    rows.append(["all", str(len(all_phases) // len(PHASES)), *_means(all_phases)])
    headings = [heading for phase in PHASES for heading in (f"{phase}: % of the peak", "oneDNN", "oneDNN / Tauten")]
    return report.markdown(["geometric means", "cases", *headings], rows)


def _means(some: list[dict[str, Any]]) -> list[str]:
    cells = []
    for phase in PHASES:
        own = [one for one in some if one["phase"] == phase]
        cells += [percent(mean(one[library]["share"] for one in own)) for library in ("tauten", "torch")]
        cells.append(f"{mean(ratio(one) for one in own):.2f}")
    return cells


def _line(name: str, one: dict[str, Any]) -> list[str]:
    cells = [name]
    for library in ("tauten", "torch"):
        cells += [f"{one[library]['ms']['median']:.3g}", percent(one[library]["share"])]
    spread, ours = one["ratio"], one["tauten"]
    filters = f", filters {ours['filters_ms']:.2g} ms" if "filters_ms" in ours else ""
    cells.append(f"{spread['median']:.2f} ({spread['q1']:.2f}–{spread['q3']:.2f})")
    return [*cells, ours["variant"] + filters, one["torch"]["variant"]]


LINES = ["Tauten, ms", "% of the peak", "oneDNN, ms", "% of the peak", "oneDNN / Tauten", "Tauten's way", "oneDNN's"]


def slower(whole: dict[str, Any], below: float) -> str:
    """The phases of cases at which Tauten's speed is below that share of oneDNN's, the furthest below first."""
    found = sorted((ratio(one), name) for name, one in whole["work"].items() if ratio(one) < below)
    if not found:
        return f"No phase of a case falls under {below:g} of oneDNN's speed.\n"
    rows = [_line(name, whole["work"][name]) for _, name in found]
    table = report.markdown([f"under {below:g} of oneDNN's speed", *LINES], rows)
    return f"{table}\n{len(rows)} of {len(whole['work'])} phases.\n"


def text(whole: dict[str, Any], below: float) -> str:
    """All of it, in Markdown."""
    work, settings = whole["work"], whole["settings"]
    if not work:
        return "Nothing was measured.\n"
    lines = [
        _spread(whole),
        report.markdown(["", *LINES], [_line(*item) for item in work.items()]),
        slower(whole, below),
    ]
    if different := [name for name, one in work.items() if not one["agree"]]:
        lines.append(f"DIFFERENT results: {', '.join(different)}.\n")
    lines.append(
        f"Medians of {settings['rounds']} interleaved rounds; the ratio's are paired by round. Shares: operations of "
        f"the direct sum beside the multiply-add peak between the blocks. {whole['versions']}. "
        f"{report.machine_line(whole['machine'])}\n"
    )
    if whole["failed"]:
        lines.append(f"A library failed in {', '.join(whole['failed'])}; the JSON file says how.\n")
    if whole["too_large"]:
        limits = f"{settings['gflop']:g} GFLOP a phase or {settings['megabytes']:g} MB"
        lines.append(f"{whole['too_large']} cases of the grid need more than {limits}.\n")
    return "\n".join(lines)


def table(whole: dict[str, Any]) -> str:
    """A line of comma-separated values for each phase of a case."""
    to = io.StringIO()
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow([*AXES, "phase", "tauten_ms", "onednn_ms", "ratio", "tauten_share", "onednn_share", "tauten_way"])
    for one in whole["work"].values():
        ours, theirs = one["tauten"], one["torch"]
        numbers = (ours["ms"]["median"], theirs["ms"]["median"], ratio(one), ours["share"], theirs["share"])
        writer.writerow([*(one[a] for a in AXES), one["phase"], *(f"{n:.4g}" for n in numbers), ours["variant"]])
    return to.getvalue()
