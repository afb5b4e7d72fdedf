"""Two libraries in one process: a training step of one behind a step of the other, and behind a pause of that length.

PyTorch's steps are slower behind any pause, asleep or awake: what Tauten costs it is the difference to that.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

from benchmarks.rivals import RIVALS, load
from benchmarks.worker import pin
from benchmarks.workloads import find

STEPS = ("lstm_b16_h32", "lstm_b64_h128")
WARM_UP = 3  # steps of each kind, at the beginning of a round
Call = Callable[[], object]


def step(library: str, name: str, threads: int) -> Call:
    """A training step of a workload, in the library's first way."""
    workload, loaded = find(name), load(library, threads)
    variant = loaded.variants(workload, True)[0]
    model = loaded.model(workload, workload.weights(), workload.learning_rate, 0.0, variant)
    (x,), (y,), _ = workload.data(1, None)
    data = model.put(x, y)

    def run() -> None:
        model.train(data)
        model.wait()

    return run


def spin(seconds: float) -> None:
    """Keep a processor at work, with nothing in the caches."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def behind(before: Call, timed: Call, steps: int) -> list[float]:
    """Milliseconds of the calls that are timed, each behind the other one."""
    found = []
    for _ in range(WARM_UP + steps):
        before()
        started = time.perf_counter()
        timed()
        found.append(1e3 * (time.perf_counter() - started))
    return found[WARM_UP:]


def measure(timed: Call, other: Call, steps: int, rounds: int) -> list[float]:
    """Medians in ms, in rounds that take turns: behind itself, the other one, a sleep and a spin as long as that."""
    length = median(behind(before=timed, timed=other, steps=steps)) / 1e3
    ways = (lambda: None, other, lambda: time.sleep(length), lambda: spin(length))
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, times in zip(ways, found, strict=True):
            times += behind(way, timed, steps)
    return [median(times) for times in found]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.together", description=__doc__)
    parser.add_argument("--first", choices=("tauten", "torch"), default="tauten", help="imported first; default tauten")
    parser.add_argument(
        "--work", nargs="+", default=STEPS, metavar="NAME", help=f"workloads; default {' '.join(STEPS)}"
    )
    parser.add_argument("--threads", type=int, default=2, help="threads, and processors, of each library; default 2")
    parser.add_argument("--rounds", type=int, default=6, help="of each way, in turn; default 6")
    parser.add_argument("--steps", type=int, default=12, help="timed steps of a round; default 12")
    options = parser.parse_args()
    pin(options.threads)
    libraries = ("tauten", "torch") if options.first == "tauten" else ("torch", "tauten")
    calls = {(library, name): step(library, name, options.threads) for library in libraries for name in options.work}
    print("| a step, ms | behind | itself | the other's | a sleep as long | a spin as long |")
    print("|---|---|---:|---:|---:|---:|", flush=True)
    for (library, name), timed in calls.items():
        for (other, beside), before in calls.items():
            if other == library:
                continue
            cells = " | ".join(f"{ms:.2f}" for ms in measure(timed, before, options.steps, options.rounds))
            print(f"| {RIVALS[library].title}, {name} | {RIVALS[other].title}, {beside} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
