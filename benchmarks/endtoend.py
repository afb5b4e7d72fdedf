"""Training from the files to a result: libraries take turns, time and what the model is worth are shown together.

Every library starts from the same weights, sees the same samples in the same order and has the same learning rate in
every turn, so that accuracies compare like times do. A script describes an `Experiment` and has a class `Task` on top
of `Trained`; main() does the rest.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import environments, report
from benchmarks.process import Worker, WorkerError
from benchmarks.rivals import RIVALS, TRAINING, Library
from benchmarks.variants import Run, fastest
from benchmarks.workloads import Array, Workload

MOMENTUM = 0.9
WARM_UP = 2  # steps on the first samples: they train like all others but are not timed


class Trained:
    """A workload's model in a variant, or the library's fastest, on resident data, warmed up."""

    def __init__(
        self,
        library: Library,
        workload: Workload,
        learning_rate: float,
        variant: str | None,
        seed: int,
        x: Array,
        y: Array,
        lengths: Array | None = None,
    ) -> None:
        self.batch = workload.batch
        first = [None if part is None else part[: self.batch] for part in (x, y, lengths)]

        def start(variant: str) -> Run:
            model = library.model(workload, workload.weights(seed), learning_rate, MOMENTUM, variant)
            data = model.put(*first)  # type: ignore[arg-type]  # x and y are arrays

            def run(steps: int) -> float:
                started = time.perf_counter()
                for _ in range(steps):
                    model.train(data)
                model.wait()
                return time.perf_counter() - started

            return run

        self.tried = {} if variant else fastest(library.variants(workload, False), start, 0.5)
        self.variant = variant or next(iter(self.tried))
        self.model = library.model(workload, workload.weights(seed), learning_rate, MOMENTUM, self.variant)
        self.data = self.model.put(x, y, lengths)
        for _ in range(WARM_UP):
            self.model.train(self.data, np.arange(self.batch))
        self.model.wait()

    def facts(self) -> dict[str, Any]:
        """How the library runs this."""
        return {"variant": self.variant, "variants": self.tried}

    def set_learning_rate(self, rate: float) -> None:
        """For the turns from now on."""
        self.model.set_learning_rate(rate)

    def train(self, order: Array) -> float:
        """Seconds of training on these samples, in this order; what fills no batch is left out."""
        started = time.perf_counter()
        for first in range(0, len(order) - self.batch + 1, self.batch):
            self.model.train(self.data, order[first : first + self.batch])
        self.model.wait()
        return time.perf_counter() - started


@dataclass(frozen=True)
class Measure:
    """What a model is worth, as a Task's turn returns it."""

    title: str
    form: str
    target: float
    higher: bool = True
    scale: float = 1

    def reached(self, value: float) -> bool:
        """Whether a value is as good as the target."""
        return value >= self.target if self.higher else value <= self.target

    def show(self, value: float) -> str:
        """In the measure's unit."""
        return format(self.scale * value, self.form)


@dataclass(frozen=True)
class Experiment:
    """What a script does.

    learning_rates: of each turn; the last one stays. measures: the first one has the target that counts.
    """

    name: str
    title: str
    files: tuple[str, ...]
    turns: int
    turn: str  # what one is
    learning_rates: tuple[float, ...]
    measures: dict[str, Measure]


def parse(experiment: Experiment, argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{experiment.name}",
        description=f"{experiment.title}; SGD with momentum {MOMENTUM}; libraries take turns of {experiment.turn}.",
    )
    parser.add_argument("--data", type=Path, required=True, help=f"folder with {', '.join(experiment.files)}")
    others = [name for name in TRAINING if name != "tauten"]
    parser.add_argument("--rivals", nargs="*", default=others, choices=others, help="libraries beside Tauten")
    parser.add_argument("--without-tauten", action="store_true", help="run the rivals alone")
    parser.add_argument("--threads", type=int, default=2, help="threads, and processors, of each library (2)")
    parser.add_argument("--turns", type=int, default=experiment.turns, help=f"turns ({experiment.turns})")
    rates = _rates(experiment.learning_rates)
    parser.add_argument(
        "--learning-rate",
        type=float,
        nargs="+",
        default=list(experiment.learning_rates),
        metavar="RATE",
        help=f"of SGD, turn by turn; the last one stays ({rates})",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the initial weights and the order of the samples (0)")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="folder for .json and .md")
    environments.add_arguments(parser)
    arguments = parser.parse_args(argv)
    for file in experiment.files:
        if not (arguments.data / file).is_file():
            parser.error(f"--data: no file {arguments.data / file}")
    for name in ("threads", "turns"):
        if getattr(arguments, name) <= 0:
            parser.error(f"--{name} must be positive")
    if not all(0 < rate < math.inf for rate in arguments.learning_rate):
        parser.error(f"--learning-rate must be positive, not {_rates(arguments.learning_rate)}")
    if arguments.seed < 0:
        parser.error("--seed must not be negative")
    return arguments


def _rates(rates: Sequence[float]) -> str:
    return " ".join(f"{rate:g}" for rate in rates)


def take_turns(experiment: Experiment, arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """By library: version, variant, first_seconds (from nothing to warmed up), and its turns."""
    names = ([] if arguments.without_tauten else ["tauten"]) + arguments.rivals
    rates = arguments.learning_rate
    options = {"data": str(arguments.data.resolve()), "learning_rate": rates[0], "seed": arguments.seed}
    results: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        workers = {}
        for name in names:
            python = environments.interpreter(name, arguments)
            task = f"benchmarks.{experiment.name}:Task"
            with Worker(name, python, task, arguments.threads, **options, variant=None) as scout:
                facts = scout.ask("facts")
            started = time.perf_counter()
            worker = Worker(name, python, task, arguments.threads, **options, variant=facts["variant"])
            workers[name] = stack.enter_context(worker)
            first_seconds = time.perf_counter() - started
            results[name] = {
                "version": worker.version,
                "first_seconds": first_seconds,
                **facts,
                "turns": [],
            }
        order = list(names)
        for number in range(arguments.turns):
            for name in order:
                workers[name].ask("set_learning_rate", rate=rates[min(number, len(rates) - 1)])
                turn = workers[name].ask("turn", number=number)
                results[name]["turns"].append(turn)
                results[name]["peak_mb"] = workers[name].peak_mb
                worth = "  ".join(f"{m.title} {m.show(turn[key])}" for key, m in experiment.measures.items())
                line = f"turn {number + 1:3}  {RIVALS[name].title:8} {turn['seconds']:7.2f} s  {worth}"
                print(line, file=sys.stderr, flush=True)
            order.append(order.pop(0))
    return results


def _target(experiment: Experiment, turns: list[dict[str, Any]]) -> str:
    key, measure = next(iter(experiment.measures.items()))
    seconds = 0.0
    for number, turn in enumerate(turns, 1):
        seconds += turn["seconds"]
        if measure.reached(turn[key]):
            return f"{seconds:.1f} s ({number})"
    return "not reached"


def table(experiment: Experiment, results: dict[str, dict[str, Any]]) -> str:
    """A line for each library; adds "ratio" (paired by turn) to each rival's result."""
    own = [turn["seconds"] for turn in results["tauten"]["turns"]] if "tauten" in results else None
    key, measure = next(iter(experiment.measures.items()))
    goal = f"{'≥' if measure.higher else '≤'} {measure.show(measure.target)}: s of training (turns)"
    header = [
        experiment.title,
        "s per turn (quartiles)",
        "to Tauten's",
        goal,
        *(f"{m.title}, last" for m in experiment.measures.values()),
        "best",
        "peak MB",
        "variant",
    ]
    rows = []
    for name, result in results.items():
        turns = result["turns"]
        seconds = report.summary([turn["seconds"] for turn in turns])
        if own and name != "tauten":
            pairs = zip(turns, own, strict=True)
            result["ratio"] = report.summary([theirs["seconds"] / ours for theirs, ours in pairs])
        best = (max if measure.higher else min)(turn[key] for turn in turns)
        rows.append(
            [
                f"{RIVALS[name].title} {result['version']}",
                f"{seconds['median']:.3g} ({seconds['q1']:.3g}–{seconds['q3']:.3g})",
                f"{result['ratio']['median']:.2f}" if "ratio" in result else "",
                _target(experiment, turns),
                *(m.show(turns[-1][k]) for k, m in experiment.measures.items()),
                measure.show(best),
                f"{result['peak_mb']:.0f}",
                result["variant"],
            ]
        )
    return report.markdown(header, rows)


def main(experiment: Experiment, argv: list[str] | None = None) -> int:
    """Measures, prints the table, writes the files."""
    arguments = parse(experiment, argv)
    facts = report.machine(arguments.threads)
    report.warn_if_busy(facts)
    try:
        results = take_turns(experiment, arguments)
    except WorkerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    text = (
        table(experiment, results)
        + f"\nSGD {_rates(arguments.learning_rate)}{' turn by turn' if len(arguments.learning_rate) > 1 else ''}, "
        + f"momentum {MOMENTUM:g}; a turn is {experiment.turn}; same initial weights, same samples in the same order "
        + f"(seed {arguments.seed}). {report.machine_line(facts)}\n"
    )
    whole = {
        "machine": facts,
        "title": experiment.title,
        "learning_rates": arguments.learning_rate,
        "seed": arguments.seed,
        "libraries": results,
    }
    stem = report.write(arguments.output, experiment.name, whole, text)
    print(text)
    print(f"{stem}.json and .md", file=sys.stderr)
    return 0
