"""The cases of a sweep, what each needs, and which stand out from their neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import mean
from typing import Any

from benchmarks.workloads import GATES, Workload, sequence


@dataclass(frozen=True)
class Case:
    """One network of `workloads.sequence`."""

    cell: str
    units: int
    steps: int
    batch: int

    @property
    def workload(self) -> Workload:
        """The network; its name is one that `workloads.find` knows."""
        return sequence(self.cell, self.batch, self.units, self.steps)

    @property
    def megabytes(self) -> float:
        """About what a training step keeps of all steps: inputs and outputs, gates, state, memory, their gradients."""
        (features,), outputs = self.workload.shape[1:], self.workload.classes
        values = 2 * features + 3 * outputs + (GATES[self.cell] + 3) * self.units
        return 4 * self.batch * self.steps * values / 2**20

    def too_large(self, gflop: float, megabytes: float) -> str | None:
        """Why it is not to be run, within these limits."""
        needed = self.workload.flops / 1e9
        if needed > gflop:
            return f"{needed:.0f} GFLOP" if needed > 10 else f"{needed:.2g} GFLOP"
        return f"{self.megabytes:.0f} MB" if self.megabytes > megabytes else None


@dataclass(frozen=True)
class Grid:
    """All combinations; the values of each axis ascend."""

    cells: Sequence[str]
    units: Sequence[int]
    steps: Sequence[int]
    batches: Sequence[int]

    def __iter__(self) -> Iterator[Case]:
        return (Case(*values) for values in product(self.cells, self.units, self.steps, self.batches))

    def neighbours(self, case: Case) -> list[Case]:
        """Cases of the same cell that lie one place further on one axis, up to six."""
        return [
            *(replace(case, units=units) for units in _beside(self.units, case.units)),
            *(replace(case, steps=steps) for steps in _beside(self.steps, case.steps)),
            *(replace(case, batch=batch) for batch in _beside(self.batches, case.batch)),
        ]


def _beside(values: Sequence[int], value: int) -> list[int]:
    place = list(values).index(value)
    return [values[i] for i in (place - 1, place + 1) if 0 <= i < len(values)]


@dataclass(frozen=True)
class Suspect:
    """A case whose share is below half of the mean of its neighbours'."""

    case: Case
    share: float
    around: Mapping[Case, float]

    @property
    def mean(self) -> float:
        """Of the neighbours."""
        return mean(self.around.values())

    def as_json(self) -> dict[str, Any]:
        """For the file of results."""
        return {
            "work": self.case.workload.name,
            "share": self.share,
            "mean": self.mean,
            "neighbours": {case.workload.name: share for case, share in self.around.items()},
        }


def suspects(grid: Grid, shares: Mapping[Case, float]) -> list[Suspect]:
    """Cases below half of the mean of those neighbours that were measured, the furthest below first."""
    found = []
    for case, share in shares.items():
        around = {other: shares[other] for other in grid.neighbours(case) if other in shares}
        if around and share < mean(around.values()) / 2:
            found.append(Suspect(case, share, around))
    return sorted(found, key=lambda suspect: suspect.share / suspect.mean)
