"""What a sweep prints: a table for each cell and number of steps, and the cases that stand out."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from benchmarks import report
from benchmarks.workloads import CELLS

Panel = dict[tuple[int, int], tuple[str, float | None]]  # by batch and units: name, share or None where skipped


def percent(share: float) -> str:
    """Two digits."""
    return f"{100 * share:.2g}" if share < 0.995 else f"{100 * share:.0f}"


def panels(whole: dict[str, Any]) -> list[tuple[str, Panel]]:
    """(heading, panel) of every cell and number of steps."""
    found: dict[str, Panel] = {}
    for name, case in whole["work"].items():
        title = f"{CELLS[case['cell']]}, {case['steps']} steps"
        share = case["tauten"]["share"] if "tauten" in case else None
        found.setdefault(title, {})[case["batch"], case["units"]] = name, share
    return list(found.items())


def extents(panel: Panel) -> tuple[list[int], list[int]]:
    """Batches, units."""
    return sorted({batch for batch, _ in panel}), sorted({units for _, units in panel})


def _table(title: str, panel: Panel, outstanding: set[str]) -> str:
    batches, units = extents(panel)
    rows = []
    for batch in batches:
        row = [f"batch {batch}"]
        for h in units:
            name, share = panel[batch, h]
            cell = "–" if share is None else percent(share)
            row.append(f"**{cell}**" if name in outstanding else cell)
        rows.append(row)
    return report.markdown([f"{title}: % of the peak", *(f"H = {h}" for h in units)], rows)


def _suspects(whole: dict[str, Any]) -> str:
    if not whole["suspects"]:
        return "No case falls under half of the mean of its neighbours.\n"
    rows = []
    for one in whole["suspects"]:
        around = ", ".join(f"{name} {percent(share)}" for name, share in one["neighbours"].items())
        ms = whole["work"][one["work"]]["tauten"]["ms"]["min"]
        rows.append([one["work"], f"{ms:.3g}", percent(one["share"]), percent(one["mean"]), around])
    header = ["under half of the mean of its neighbours", "ms", "% of the peak", "their mean", "they"]
    return report.markdown(header, rows)


def text(whole: dict[str, Any]) -> str:
    """All of it, in Markdown."""
    outstanding = {one["work"] for one in whole["suspects"]}
    tables = [_table(title, panel, outstanding) for title, panel in panels(whole)]
    measured = [case["tauten"] for case in whole["work"].values() if "tauten" in case]
    skipped = [name for name, case in whole["work"].items() if "skipped" in case]
    lines = [*tables, _suspects(whole)]
    if measured:
        mean = math.exp(sum(math.log(one["share"]) for one in measured) / len(measured))
        peaks = [one["peak_gflops"] for one in measured]
        lines.append(
            f"Geometric mean of {len(measured)} cases: {100 * mean:.1f} %. A case's fastest block of training steps "
            f"beside the peak between its blocks, {median(peaks):.0f} GFLOP/s in the median ({min(peaks):.0f}–"
            f"{max(peaks):.0f}). Cases that stood out were measured a second time; the better one counts. "
            f"{report.machine_line(whole['machine'])}\n"
        )
    if skipped:
        reasons = [f"{name} {whole['work'][name]['skipped']}" for name in skipped]
        lines.append(f"Skipped (–) for GFLOP a step or MB: {', '.join(reasons)}.\n")
    return "\n".join(lines)
