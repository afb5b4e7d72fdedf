"""Two runs beside each other: `python -m benchmarks.compare OLD.json NEW.json`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import report
from benchmarks.native import results


class ReadError(ValueError):
    """Not a file of the benchmarks; the message names it."""


@dataclass(frozen=True)
class Run:
    """Times of each entry, in µs; `ours`: the entries that are Tauten's, not a rival's."""

    machine: dict[str, Any]
    times: dict[str, list[float]]
    ours: frozenset[str]


def read(path: Path) -> Run:
    """A result of `python -m benchmarks.native` or of `python -m benchmarks`."""
    try:
        found = json.loads(path.read_text())
        if "benchmarks" in found:
            entries = results.entries(found["benchmarks"])
            times = {"/".join((e.family, e.level, e.type, e.name)): e.us for e in entries}
            ours = frozenset(times)
        else:
            pairs = [
                (f"{work}/{library}", library, [1e3 * block for block in measured["blocks_ms"]])
                for work, libraries in found["work"].items()
                for library, measured in libraries.items()
                if isinstance(measured, dict) and measured.get("blocks_ms")
            ]
            times = {name: blocks for name, _, blocks in pairs}
            ours = frozenset(name for name, library, _ in pairs if library == "tauten")
        return Run(found.get("machine", {}), times, ours)
    except OSError as error:
        raise ReadError(f"{path}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReadError(f"{path}: not a result of benchmarks.native or of benchmarks") from error


@dataclass(frozen=True)
class Change:
    """One entry in both runs."""

    name: str
    old: list[float]
    new: list[float]
    floor: float

    @property
    def ratio(self) -> float:
        """New time over old time: above 1 is slower."""
        return median(self.new) / median(self.old)

    @property
    def noise(self) -> float:
        """What the ratio may differ from 1 by: both runs' interquartile ranges together, but no less than the floor."""
        ranges = [
            (high - low) / median(times) for times in (self.old, self.new) for low, high in [report.spread(times)]
        ]
        return max(self.floor, sum(ranges))

    @property
    def verdict(self) -> str:
        """Slower, faster, or nothing that the noise would not explain."""
        if self.ratio > 1 + self.noise:
            return "slower"
        return "faster" if self.ratio < 1 / (1 + self.noise) else ""


def compare(old: Run, new: Run, floor: float) -> list[Change]:
    """Entries of both runs, in the old run's order."""
    return [Change(name, old.times[name], new.times[name], floor) for name in old.times if name in new.times]


def text(changes: list[Change], old: Run, new: Run, everything: bool) -> str:
    """The table, and what stands in one run only."""
    shown = [change for change in changes if everything or change.verdict]
    rows = [
        [c.name, f"{median(c.old):.4g}", f"{median(c.new):.4g}", f"{c.ratio:.3f}", f"{100 * c.noise:.0f} %", c.verdict]
        for c in shown
    ]
    lines = [report.markdown(["", "old, µs", "new, µs", "new / old", "noise", ""], rows)] if rows else []
    verdicts = [change.verdict for change in changes]
    lines.append(
        f"{len(changes)} entries: {verdicts.count('slower')} slower, {verdicts.count('faster')} faster, "
        f"{verdicts.count('')} within the noise; median ratio {median(c.ratio for c in changes):.3f}.\n"
    )
    for which, names in (("old", old.times.keys() - new.times.keys()), ("new", new.times.keys() - old.times.keys())):
        if names:
            lines.append(f"Only in the {which} run: {', '.join(sorted(names))}.\n")
    if old.machine.get("processor") != new.machine.get("processor"):
        lines.append("The runs are from different processors.\n")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Prints the comparison; with --fail, 1 if Tauten got slower somewhere."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument(
        "--fail", action="store_true", help="exit with 1 if something of Tauten's got slower beyond noise"
    )
    parser.add_argument("--all", action="store_true", help="list what is within the noise, too")
    parser.add_argument("--floor", type=float, default=0.05, help="least change that counts (0.05)")
    arguments = parser.parse_args(argv)
    try:
        old, new = read(arguments.old), read(arguments.new)
        changes = compare(old, new, arguments.floor)
        if not changes:
            raise ReadError(f"{arguments.old} and {arguments.new} have no entry in common")
    except ReadError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(text(changes, old, new, arguments.all))
    slower = any(change.verdict == "slower" and change.name in new.ours for change in changes)
    return int(arguments.fail and slower)


if __name__ == "__main__":
    sys.exit(main())
