"""Tiny Shakespeare, character by character: Embedding 64, LSTM 256, Dense; 64-character windows, SGD with momentum.

The first 90 % of the text is trained on, the rest validates. Every library starts from the same weights and sees the
same windows in the same order.
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
from benchmarks.workloads import Dense, Embedding, Recurrent, Workload

WINDOW = 64
BATCH = 64
MOMENTUM = 0.9
LEARNING_RATE = 1.0


class Task:
    """Runs in the worker: a block of steps a call."""

    def __init__(self, library: Library, data: str, learning_rate: float, steps: int) -> None:
        text = np.frombuffer(Path(data).read_bytes(), np.uint8)
        characters, tokens = np.unique(text, return_inverse=True)
        tokens = tokens.astype(np.int32)
        train, rest = np.split(tokens, [len(tokens) * 9 // 10])
        starts = np.random.default_rng(0).integers(0, len(train) - WINDOW, steps * BATCH)
        windows = np.lib.stride_tricks.sliding_window_view(train, WINDOW + 1)[starts]
        held = rest[: (len(rest) - 1) // WINDOW * WINDOW + 1]
        layers = (Embedding(len(characters), 64), Recurrent("lstm", 256), Dense(len(characters)))
        workload = Workload("shakespeare", "", BATCH, (WINDOW,), layers)
        x, y = np.ascontiguousarray(windows[:, :-1]), np.ascontiguousarray(windows[:, 1:])

        def build(variant: str) -> Model:
            return library.model(workload, workload.weights(), learning_rate, MOMENTUM, variant)

        self.variant, _ = fastest(library, workload, build, x[:BATCH], y[:BATCH])
        self.model = build(self.variant)
        self.train = self.model.put(x, y)
        self.held = self.model.put(held[:-1].reshape(-1, WINDOW), held[1:].reshape(-1, WINDOW))

    def block(self, first: int, steps: int) -> dict[str, Any]:
        """Trains so many steps, then measures; only the training is timed."""
        started = time.perf_counter()
        for step in range(first, first + steps):
            self.model.train(self.train, np.arange(step * BATCH, (step + 1) * BATCH))
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "validation_loss": self.model.loss(self.held, 256), "variant": self.variant}


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = rounds.parser("shakespeare", "Tiny Shakespeare: a character LSTM.", "tinyshakespeare.txt")
    parser.add_argument("--steps", type=int, default=2000, help="minibatch steps of each library (2000)")
    parser.add_argument("--blocks", type=int, default=10, help="turns that the steps are split into (10)")
    arguments: argparse.Namespace = parser.parse_args(argv)
    if not arguments.data.is_file():
        parser.error(f"--data: no file {arguments.data}")
    if not 1 <= arguments.blocks <= arguments.steps:
        parser.error("--blocks must lie between 1 and --steps")
    facts = report.machine(arguments.threads)
    report.warn_if_busy(facts)
    learning_rate = arguments.learning_rate or LEARNING_RATE
    steps = arguments.steps // arguments.blocks

    def turn(name: str, worker: Worker, number: int) -> dict[str, Any]:
        result: dict[str, Any] = worker.ask("block", first=number * steps, steps=steps)
        print(
            f"{(number + 1) * steps:6} steps  {RIVALS[name].title:8} {1e3 * result['seconds'] / steps:7.2f} ms a step  "
            f"validation loss {result['validation_loss']:.4f}",
            file=sys.stderr,
            flush=True,
        )
        return {**result, "version": worker.version, "peak_mb": worker.peak_mb}

    data = str(Path(arguments.data).resolve())
    options = {"data": data, "learning_rate": learning_rate, "steps": arguments.blocks * steps}
    results = rounds.take_turns("shakespeare", arguments, arguments.blocks, turn, options)
    if results is None:
        return 1
    ratios = rounds.ratios(results)
    header = ["Tiny Shakespeare, LSTM 256", "ms per step", "total s", "to Tauten's", "validation loss, nats", "peak MB"]
    rows = []
    for name, blocks in results.items():
        ms = report.summary([1e3 * block["seconds"] / steps for block in blocks])
        rows.append(
            [
                f"{RIVALS[name].title} {blocks[0]['version']}",
                f"{ms['median']:.1f} ({ms['q1']:.1f}–{ms['q3']:.1f})",
                f"{sum(block['seconds'] for block in blocks):.1f}",
                f"{ratios[name]['median']:.2f}" if name in ratios else "",
                f"{blocks[-1]['validation_loss']:.4f}",
                f"{blocks[-1]['peak_mb']:.0f}",
            ]
        )
    text = (
        report.markdown(header, rows)
        + f"\n{arguments.blocks * steps} steps of {BATCH} windows of {WINDOW} characters, SGD {learning_rate:g}, "
        + f"momentum {MOMENTUM:g}; blocks of {steps} steps in turn; same initial weights and windows. "
        + f"{report.machine_line(facts)}\n"
    )
    stem = report.write(arguments.output, "shakespeare", {"machine": facts, "blocks": results, "ratios": ratios}, text)
    print(text)
    print(f"{stem}.json and .md", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
