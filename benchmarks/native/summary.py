"""The Markdown summary of a run: a table a family, where a step's time goes, the largest distances to the limits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby
from statistics import median

from benchmarks.native.results import Entry
from benchmarks.report import markdown, spread

_COUNTERS = ("GFLOP/s", "peak%", "GB/s", "bandwidth%", "ns/element", "ns/row", "FMA/vector", "ULP")
_PARTS = ("forward", "backward", "gradients", "update", "refresh")

# Whole calls, and single calls within the layers' parts: listed, but not ranked beside those parts.
_NOT_RANKED = ("step", "predict", "gemm", "gemm_grid")


def text(entries: list[Entry], worst: int) -> str:
    """All tables."""
    blocks = []
    for (family, level, kind), group in _groups(entries):
        table = _grid(group) if family == "gemm_grid" else _family(group)
        blocks.append(f"## {family}, {level}, {kind}\n\n{table}")
    blocks += [_steps(entries), _distances(entries, worst)]
    return "\n".join(block for block in blocks if block)


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _groups(entries: list[Entry]) -> Iterable[tuple[tuple[str, str, str], list[Entry]]]:
    def key(entry: Entry) -> tuple[str, str, str]:
        return entry.family, entry.level, entry.type

    order = {name: place for place, name in reversed(list(enumerate(key(entry) for entry in entries)))}
    for name, group in groupby(sorted(entries, key=lambda entry: order[key(entry)]), key):
        yield name, list(group)


def _family(entries: list[Entry]) -> str:
    counters = [key for key in _COUNTERS if any(key in entry.counters for entry in entries)]
    labelled = any(entry.label for entry in entries)
    rows = []
    for entry in entries:
        low, high = spread(entry.us)
        row = [entry.name, f"{_number(median(entry.us))} ({_number(low)}–{_number(high)})"]
        row += [_number(median(entry.counters[key])) if key in entry.counters else "" for key in counters]
        rows.append(row + ([entry.label] if labelled else []))
    return markdown(["", "µs (quartiles)", *counters, *(["call"] if labelled else [])], rows)


def _grid(entries: list[Entry]) -> str:
    """Shares of the peak: a row for each N and K, a column for each M."""
    tables = []
    for part, group in groupby(entries, lambda entry: entry.name.split("/")[0]):
        shares = {}
        for entry in group:
            m, n, k = map(int, entry.name.split("/")[1].split("x"))
            shares[m, n, k] = median(entry.counters["peak%"])
        ms = sorted({m for m, _, _ in shares})
        rows = []
        for n, k in dict.fromkeys((n, k) for _, n, k in shares):
            cells = [f"{shares[m, n, k]:.1f}" if (m, n, k) in shares else "" for m in ms]
            rows.append([f"{part}, N = {n}, K = {k}", *cells])
        table = markdown(["% of the peak", *(f"M = {m}" for m in ms)], rows)
        deep = [share for (_, _, k), share in shares.items() if k >= 64]
        mean = math.exp(sum(map(math.log, deep)) / len(deep)) if deep else math.nan
        tables.append(f"{table}\nGeometric mean over K >= 64: {mean:.1f} %.\n")
    return "\n".join(tables)


def _steps(entries: list[Entry]) -> str:
    """Where the time of a training step goes: its layers' parts alone, and what is left."""
    rows = []
    parts: dict[tuple[str, str, str, str], float] = {}
    for entry in entries:
        if entry.family == "layer":
            network, part = entry.name.split("/")[0], entry.name.split("/")[-1]
            key = (entry.level, entry.type, network, part)
            parts[key] = parts.get(key, 0.0) + median(entry.us)
    for entry in entries:
        network, _, threads = entry.name.partition("/")
        sums = [parts.get((entry.level, entry.type, network, part), 0.0) for part in _PARTS]
        if entry.family == "step" and threads == "threads:1" and any(sums):
            step = median(entry.us)
            cells = [_number(time) for time in (step, *sums, step - sum(sums))]
            rows.append([f"{network}, {entry.level}, {entry.type}", *cells, f"{step / sum(sums):.2f}"])
    if not rows:
        return ""
    note = "The rest: reading the batch, loss, and what the caches hold when a part is not run alone."
    table = markdown(["", "step", *_PARTS, "rest", "step / parts"], rows)
    return f"## A training step on one thread, µs\n\n{table}\n{note}\n"


def _distances(entries: list[Entry], worst: int) -> str:
    """The entries that lose most time against their limit."""
    ranked = [entry for entry in entries if entry.family not in _NOT_RANKED and entry.share is not None]
    ranked.sort(key=lambda entry: entry.lost_us, reverse=True)
    if not ranked:
        return ""
    steps = {(e.level, e.type, e.name): median(e.us) for e in entries if e.family == "step"}
    rows = []
    for entry in ranked[:worst]:
        step = steps.get((entry.level, entry.type, f"{entry.name.split('/')[0]}/threads:1"))
        cells = [_number(entry.lost_us), _number(median(entry.us)), f"{100 * (entry.share or 0):.0f} %"]
        cells.append(f"{100 * entry.lost_us / step:.1f} %" if step else "")
        rows.append(["/".join((entry.family, entry.level, entry.type, entry.name)), *cells])
    header = ["", "µs lost", "of µs", "reached of the limit", "lost of the step"]
    return "## Largest distances to the limits\n\n" + markdown(header, rows)
