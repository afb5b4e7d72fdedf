"""What the end-to-end scripts share: options, workers that take turns, paired ratios, the files they leave."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import environments, report
from benchmarks.process import Worker, WorkerError
from benchmarks.rivals import RIVALS


def parser(module: str, description: str, data: str) -> argparse.ArgumentParser:
    """The options that every script has."""
    result = argparse.ArgumentParser(prog=f"python -m benchmarks.{module}", description=description)
    result.add_argument("--data", type=Path, required=True, help=data)
    others = [name for name in RIVALS if name != "tauten"]
    result.add_argument("--rivals", nargs="*", default=others, choices=others, help="libraries beside Tauten")
    result.add_argument("--without-tauten", action="store_true", help="run the rivals alone")
    result.add_argument("--threads", type=int, default=2, help="threads of each library (2)")
    result.add_argument("--learning-rate", type=float, help="of SGD with momentum 0.9")
    result.add_argument("--output", type=Path, default=report.RESULTS, help="folder for .json and .md")
    environments.add_arguments(result)
    return result


Turn = Callable[[str, Worker, int], dict[str, Any]]


def take_turns(
    module: str, arguments: argparse.Namespace, rounds: int, turn: Turn, options: dict[str, Any]
) -> dict[str, list[dict[str, Any]]] | None:
    """Calls turn(name, worker, round) for every library in every round; None after an error, which is printed."""
    names = ([] if arguments.without_tauten else ["tauten"]) + arguments.rivals
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    try:
        with ExitStack() as stack:
            workers = {}
            for name in names:
                python = environments.interpreter(name, arguments)
                worker = Worker(name, python, f"benchmarks.{module}:Task", arguments.threads, **options)
                workers[name] = stack.enter_context(worker)
            order = list(names)
            for number in range(rounds):
                for name in order:
                    results[name].append(turn(name, workers[name], number))
                order.append(order.pop(0))
    except WorkerError as error:
        print(f"error: {error}", file=sys.stderr)
        return None
    return results


def ratios(results: dict[str, list[dict[str, Any]]], key: str = "seconds") -> dict[str, dict[str, float]]:
    """Seconds of each rival over Tauten's, paired by round."""
    if "tauten" not in results:
        return {}
    own = results["tauten"]
    return {
        name: report.summary([theirs[key] / ours[key] for theirs, ours in zip(rounds, own, strict=True)])
        for name, rounds in results.items()
        if name != "tauten"
    }
