"""What a run of csrc/bench measured: google-benchmark's JSON, one entry a benchmark with all its repetitions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from statistics import median
from typing import Any

_NOT_COUNTERS = {
    "family_index",
    "per_family_instance_index",
    "repetitions",
    "repetition_index",
    "threads",
    "iterations",
}
_NOT_COUNTERS |= {"real_time", "cpu_time"}
_MICROSECONDS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}


@dataclass
class Entry:
    """One benchmark: FAMILY/LEVEL/TYPE/NAME, the best time of each repetition, and its counters."""

    family: str
    level: str
    type: str
    name: str
    us: list[float] = field(default_factory=list)
    counters: dict[str, list[float]] = field(default_factory=dict)
    label: str = ""

    @property
    def share(self) -> float | None:
        """Of the limit that is nearest: the multiply-add peak, or the bandwidth. None if it has neither."""
        shares = [median(self.counters[key]) for key in ("peak%", "bandwidth%") if key in self.counters]
        return max(shares) / 100 if shares else None

    @property
    def lost_us(self) -> float:
        """Time beyond what the limit allows."""
        return median(self.us) * (1 - min(1.0, 1.0 if self.share is None else self.share))


def clean(output: dict[str, Any]) -> list[dict[str, Any]]:
    """google-benchmark's entries without its aggregates, under the names that csrc/bench gave them."""
    kept = [dict(one) for one in output["benchmarks"] if one["run_type"] == "iteration"]
    for one in kept:
        if one.get("error_occurred"):
            raise ValueError(f"{one['name']}: {one['error_message']}")
        one["name"] = re.sub(r"/iterations:\d+/manual_time$", "", one.pop("run_name"))
    return kept


def entries(benchmarks: list[dict[str, Any]]) -> list[Entry]:
    """Repetitions gathered, in the order in which the benchmarks are registered."""
    found: dict[str, Entry] = {}
    for one in sorted(benchmarks, key=lambda one: one["family_index"]):
        entry = found.setdefault(one["name"], Entry(*one["name"].split("/", 3)))
        entry.us.append(one["real_time"] * _MICROSECONDS[one["time_unit"]])
        entry.label = one.get("label", "")
        for key, value in one.items():
            if key not in _NOT_COUNTERS and isinstance(value, (int, float)):
                entry.counters.setdefault(key, []).append(value)
    return list(found.values())
