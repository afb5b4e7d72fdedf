"""The libraries compared: where each one's code lies and what its environment needs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.workloads import Array, Workload


class Model(Protocol):
    """One network in one library, ready to train."""

    def put(self, x: Array, y: Array, lengths: Array | None = None) -> Any:
        """x (samples, ...) and labels as the library keeps them, resident in memory.

        lengths: of the sequences in x, which is zero behind them; only where the workload is `unequal`.
        """

    def train(self, data: Any, index: Array | None = None) -> None:
        """One step on the samples named; without an index, on all of them. May return before it is done."""

    def set_learning_rate(self, rate: float) -> None:
        """For the steps from now on: v <- momentum v - rate g, w <- w + v, the velocities as they are.

        Compiles nothing.
        """

    def wait(self) -> None:
        """Returns when all steps are done."""

    def loss(self, data: Any, batch: int) -> float:
        """Mean cross-entropy over all samples, in batches, nothing trained."""

    def accuracy(self, data: Any, batch: int) -> float:
        """Share of the labels that the largest output hits."""


class Library(Protocol):
    """One library in this process, set to a number of threads."""

    version: str

    def __init__(self, threads: int) -> None: ...

    def variants(self, workload: Workload, quick: bool) -> Sequence[str]:
        """The documented ways to train this workload, all to be tried; none if the library cannot.

        quick: without those that compile for long.
        """

    def model(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> Model:
        """A network with these weights (Keras' shapes) under softmax cross-entropy and SGD."""

    def predictor_variants(self, workload: Workload, quick: bool) -> Sequence[str]:
        """The documented ways to run this workload forward; none if the library cannot."""

    def predictor(self, workload: Workload, weights: list[Array], variant: str) -> Callable[[Array], Array]:
        """x (batch, ...) -> the network's output before the softmax; NumPy arrays, nothing kept for a gradient."""


@dataclass(frozen=True)
class Rival:
    """What the driver knows of a library."""

    title: str
    module: str  # of this package, with a class `Library`
    imports: str
    requirements: tuple[str, ...]  # empty: this repository
    trains: bool = True


RIVALS = {
    "tauten": Rival("Tauten", "tauten_rival", "tauten", ()),
    "torch": Rival("PyTorch", "torch_rival", "torch", ("torch==2.13.0", "numpy")),
    "keras": Rival("Keras/TF", "keras_rival", "tensorflow", ("tensorflow-cpu==2.21.0", "keras==3.15.1")),
    "jax": Rival("JAX", "jax_rival", "jax", ("jax==0.10.2", "numpy")),
    "onnxruntime": Rival(
        "ONNX Runtime", "onnxruntime_rival", "onnxruntime", ("onnxruntime==1.32.0", "onnx==1.23.2", "numpy"), False
    ),
    "openvino": Rival("OpenVINO", "openvino_rival", "openvino", ("openvino==2026.4.1", "onnx==1.23.2", "numpy"), False),
}

TRAINING = tuple(name for name, rival in RIVALS.items() if rival.trains)


def load(name: str, threads: int) -> Library:
    """Imports the library in this process."""
    module = importlib.import_module(f"benchmarks.rivals.{RIVALS[name].module}")
    library: Library = module.Library(threads)
    return library
