"""MNIST from the files to a test accuracy: the LeNet of `lenet_b64`, SGD with momentum, epoch by epoch.

Every library starts from the same weights and sees the same samples in the same order, so that accuracies compare
like times do.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report, rounds
from benchmarks.process import Worker
from benchmarks.rivals import RIVALS, Library, Model
from benchmarks.variants import fastest
from benchmarks.workloads import lenet

BATCH = 64
MOMENTUM = 0.9
LEARNING_RATE = 0.02


class Task:
    """Runs in the worker: one epoch a call."""

    def __init__(self, library: Library, data: str, learning_rate: float, samples: int | None) -> None:
        with np.load(data) as archive:
            x, y, xt, yt = (archive[key] for key in ("x_train", "y_train", "x_test", "y_test"))
        x, y = x[:samples], y[:samples]
        self.samples = len(x)
        workload = lenet(BATCH)
        x, xt = (images[..., None].astype(np.float32) / np.float32(255) for images in (x, xt))
        y, yt = y.astype(np.int64), yt.astype(np.int64)

        def build(variant: str) -> Model:
            return library.model(workload, workload.weights(), learning_rate, MOMENTUM, variant)

        self.variant, _ = fastest(library, workload, build, x[:BATCH], y[:BATCH])
        self.model = build(self.variant)
        self.train = self.model.put(x, y)
        self.test = self.model.put(xt, yt)

    def epoch(self, number: int) -> dict[str, Any]:
        """Trains on every sample once, then measures; only the training is timed."""
        order = np.random.default_rng(number).permutation(self.samples)
        started = time.perf_counter()
        for first in range(0, self.samples, BATCH):
            self.model.train(self.train, order[first : first + BATCH])
        seconds = time.perf_counter() - started
        return {
            "seconds": seconds,
            "accuracy": self.model.accuracy(self.test, 1000),
            "test_loss": self.model.loss(self.test, 1000),
            "variant": self.variant,
        }


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = rounds.parser("mnist_lenet", "MNIST: LeNet, batch 64, SGD with momentum.", "mnist.npz (Keras' file)")
    parser.add_argument("--epochs", type=int, default=5, help="epochs of each library (5)")
    parser.add_argument("--samples", type=int, help="train on the first so many only")
    arguments: argparse.Namespace = parser.parse_args(argv)
    if not arguments.data.is_file():
        parser.error(f"--data: no file {arguments.data}")
    facts = report.machine(arguments.threads)
    report.warn_if_busy(facts)
    learning_rate = arguments.learning_rate or LEARNING_RATE

    def turn(name: str, worker: Worker, number: int) -> dict[str, Any]:
        result: dict[str, Any] = worker.ask("epoch", number=number)
        print(
            f"epoch {number + 1}  {RIVALS[name].title:8} {result['seconds']:6.2f} s  "
            f"test accuracy {100 * result['accuracy']:.2f} %  test loss {result['test_loss']:.4f}",
            file=sys.stderr,
            flush=True,
        )
        return {**result, "version": worker.version, "peak_mb": worker.peak_mb}

    data = str(Path(arguments.data).resolve())
    options = {"data": data, "learning_rate": learning_rate, "samples": arguments.samples}
    results = rounds.take_turns("mnist_lenet", arguments, arguments.epochs, turn, options)
    if results is None:
        return 1
    ratios = rounds.ratios(results)
    header = ["MNIST, LeNet, batch 64", "s per epoch (quartiles)", "to Tauten's", "test accuracy, %", "peak MB"]
    rows = []
    for name, epochs in results.items():
        seconds = report.summary([epoch["seconds"] for epoch in epochs])
        rows.append(
            [
                f"{RIVALS[name].title} {epochs[0]['version']}",
                f"{seconds['median']:.2f} ({seconds['q1']:.2f}–{seconds['q3']:.2f})",
                f"{ratios[name]['median']:.2f}" if name in ratios else "",
                " ".join(f"{100 * epoch['accuracy']:.2f}" for epoch in epochs),
                f"{epochs[-1]['peak_mb']:.0f}",
            ]
        )
    text = (
        report.markdown(header, rows)
        + f"\nSGD {learning_rate:g}, momentum {MOMENTUM:g}; epochs of the libraries in turn; same initial weights and "
        + f"order of samples. {report.machine_line(facts)}\n"
    )
    stem = report.write(arguments.output, "mnist-lenet", {"machine": facts, "epochs": results, "ratios": ratios}, text)
    print(text)
    print(f"{stem}.json and .md", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
