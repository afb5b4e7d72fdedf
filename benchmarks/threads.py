"""Whether small calls use as many threads as is best: one, all, and what the plan chooses, timed in turn."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

import numpy as np

import tauten
from tauten import _core, layers

Call = Callable[[], object]


def dense(units: int, batch: int) -> tuple[tauten.Sequential, tuple[int, ...]]:
    """units-units-units, softmax 10."""
    parts = [layers.Dense(units, activation="relu"), layers.Dense(units, activation="relu"), layers.Dense(10)]
    return tauten.Sequential([tauten.Input((units,)), *parts]), (batch, units)


def convolution(filters: int, batch: int) -> tuple[tauten.Sequential, tuple[int, ...]]:
    """16x16 images, two convolutions."""
    parts = [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D(2)]
    parts += [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.Flatten(), layers.Dense(10)]
    return tauten.Sequential([tauten.Input((16, 16, 3)), *parts]), (batch, 16, 16, 3)


def lstm(units: int, batch: int) -> tuple[tauten.Sequential, tuple[int, ...]]:
    """16 steps of 16 features."""
    return tauten.Sequential([tauten.Input((16, 16)), layers.LSTM(units), layers.Dense(10)]), (batch, 16, 16)


FAMILIES: dict[str, tuple[Callable[[int, int], tuple[tauten.Sequential, tuple[int, ...]]], tuple[int, ...]]] = {
    "dense": (dense, (16, 32, 64, 128, 256, 512, 1024)),
    "conv": (convolution, (4, 16, 64)),
    "lstm": (lstm, (16, 32, 64, 128, 256, 512)),
}
BATCHES = (1, 2, 4, 16)


def cases() -> Iterator[tuple[str, Call]]:
    """Name and call, of predictions and training steps."""
    generator = np.random.default_rng(0)
    loss: Any = tauten.losses.SparseCategoricalCrossentropy(from_logits=True)
    for family, (make, sizes) in FAMILIES.items():
        for size in sizes:
            for batch in BATCHES:
                model, shape = make(size, batch)
                model.compile(optimizer=tauten.optimizers.SGD(1e-3), loss=loss)
                x = generator.standard_normal(shape, dtype=np.float32)
                y = generator.integers(0, 10, batch)
                name = f"{family} {size}, batch {batch}"
                yield f"{name}, predict", partial(model.predict_on_batch, x)
                yield f"{name}, train", partial(model.train_on_batch, x, y)


def timed(call: Call, seconds: float) -> float:
    """Microseconds a call; the first are not counted, since threads wake up in them."""
    for _ in range(3):
        call()
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds or count == 0:
        for _ in range(5):
            call()
        count += 5
    return 1e6 * (time.perf_counter() - started) / count


def measure(call: Call, threads: int, rounds: int, seconds: float) -> tuple[float, float, float]:
    """Medians in µs: one thread, all, the plan's choice."""
    chosen = _core.work_a_thread()
    ways = ((1, chosen), (threads, 0.0), (threads, chosen))
    found: list[list[float]] = [[], [], []]
    try:
        for _ in range(rounds):
            for (count, work), times in zip(ways, found, strict=True):
                tauten.config.set_num_threads(count)
                _core.set_work_a_thread(work)
                times.append(timed(call, seconds))
    finally:
        _core.set_work_a_thread(chosen)
    one, every, plan = (median(times) for times in found)
    return one, every, plan


def main() -> None:
    """Print the table, and what it comes to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.threads", description=__doc__)
    parser.add_argument("--threads", type=int, default=tauten.config.num_threads(), help="default: all there are")
    parser.add_argument("--rounds", type=int, default=7, help="of each call, the three ways in turn; default 7")
    parser.add_argument("--seconds", type=float, default=0.004, help="of one measurement; default 0.004")
    parser.add_argument("--only", default="", help="cases whose names have this in them")
    options = parser.parse_args()
    if options.threads < 2:
        parser.error("--threads must be at least 2: with one there is nothing to choose")
    print(f"| µs a call | 1 thread | {options.threads} threads | the plan's choice | over the better one |")
    print("|---|---:|---:|---:|---:|")
    ratios = []
    for name, call in cases():
        if options.only not in name:
            continue
        one, every, plan = measure(call, options.threads, options.rounds, options.seconds)
        ratios.append(plan / min(one, every))
        print(f"| {name} | {one:.1f} | {every:.1f} | {plan:.1f} | {ratios[-1]:.2f} |", flush=True)
    if not ratios:
        parser.error(f"no case has {options.only!r} in its name")
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    worse = sum(ratio > 1.1 for ratio in ratios)
    print(f"\n{len(ratios)} cases: {mean:.3f} of the better one's time in geometric mean, {worse} above 1.1")


if __name__ == "__main__":
    main()
