"""The libraries compared: where each one's code lies and what its environment needs."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.workloads import Array, Workload


class Model(Protocol):
    """One network in one library, ready to train."""

    def put(self, x: Array, y: Array) -> Any:
        """x (samples, ...) and labels as the library keeps them, resident in memory."""

    def train(self, data: Any, index: Array | None = None) -> None:
        """One step on the samples named; without an index, on all of them."""

    def loss(self, data: Any, batch: int) -> float:
        """Mean cross-entropy over all samples, in batches, nothing trained."""

    def accuracy(self, data: Any, batch: int) -> float:
        """Share of the labels that the largest output hits."""


class Library(Protocol):
    """One library in this process, set to a number of threads."""

    version: str

    def __init__(self, threads: int) -> None: ...

    def variants(self, workload: Workload) -> Sequence[str]:
        """The documented ways to run this workload; all are tried, the best one counts."""

    def model(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> Model:
        """A network with these weights (Keras' shapes) under softmax cross-entropy and SGD."""


@dataclass(frozen=True)
class Rival:
    """What the driver knows of a library."""

    title: str
    module: str  # of this package, with a class `Library`
    imports: str
    requirements: tuple[str, ...]  # empty: this repository


RIVALS = {
    "tauten": Rival("Tauten", "tauten_rival", "tauten", ()),
    "torch": Rival("PyTorch", "torch_rival", "torch", ("torch==2.13.0", "numpy")),
}


def load(name: str, threads: int) -> Library:
    """Imports the library in this process."""
    module = importlib.import_module(f"benchmarks.rivals.{RIVALS[name].module}")
    library: Library = module.Library(threads)
    return library
