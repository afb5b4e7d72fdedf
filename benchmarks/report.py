"""Statistics, the machine's description, and the files that a run leaves."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def spread(values: list[float]) -> tuple[float, float]:
    """First and third quartile."""
    ordered = sorted(values)
    last = len(ordered) - 1

    def at(share: float) -> float:
        low = int(share * last)
        high = min(low + 1, last)
        return ordered[low] + (share * last - low) * (ordered[high] - ordered[low])

    return at(0.25), at(0.75)


def summary(values: list[float]) -> dict[str, float]:
    """Median, quartiles, extremes."""
    low, high = spread(values)
    return {"median": median(values), "q1": low, "q3": high, "min": min(values), "max": max(values)}


def machine(threads: int) -> dict[str, Any]:
    """Processor, cores, system, date: what a figure means nothing without."""
    processor = platform.processor() or platform.machine()
    flags: set[str] = set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                processor = value.strip()
            elif key.strip() == "flags":
                flags = set(value.split())
    level = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else ""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": processor,
        "simd": level,
        "cores": cores,
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),  # of other processes, before the run
        "date": time.strftime("%Y-%m-%d"),
    }


def warn_if_busy(facts: dict[str, Any]) -> None:
    """Says so when other programs were computing before the run: its times would be theirs, too."""
    if facts["load"] > 0.5:
        print(f"warning: the machine is busy (load {facts['load']}); expect noise", file=sys.stderr)


def machine_line(facts: dict[str, Any]) -> str:
    """The machine in one sentence."""
    simd = f" with {facts['simd']}" if facts["simd"] else ""
    return (
        f"{facts['processor']}{simd}, {facts['cores']} cores, {facts['threads']} threads each, {facts['system']}, "
        f"Python {facts['python']}, {facts['date']}."
    )


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A table; all columns but the first are right-aligned."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def write(folder: Path, name: str, results: dict[str, Any], text: str) -> Path:
    """NAME-DATE-TIME.json and .md in the folder; returns the path without its suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    stem.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")
    stem.with_suffix(".md").write_text(text)
    return stem
