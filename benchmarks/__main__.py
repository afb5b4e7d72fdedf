"""Training steps or forward passes: `python -m benchmarks --work lstm_b64_h128 --rivals torch --quick`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks import environments, report, sidebyside
from benchmarks.process import WorkerError
from benchmarks.rivals import RIVALS, TRAINING
from benchmarks.workloads import WORKLOADS, find, one_sample


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="One training step (forward, softmax cross-entropy, backward, plain SGD; float32), or with "
        "--inference one forward pass of one sample, of each library, each in a process of its own, in interleaved "
        "rounds. `python -m benchmarks.everything` runs this and all the others.",
        epilog="workloads: " + "; ".join(f"{w.name} ({w.text})" for w in WORKLOADS.values()),
    )
    parser.add_argument("--work", nargs="+", metavar="NAME", help="workloads (all), or lenet_bN, lstm_bN_hN[_tN]")
    parser.add_argument("--inference", action="store_true", help="forward passes of one sample")
    others = [name for name in RIVALS if name != "tauten"]
    parser.add_argument("--rivals", nargs="*", choices=others, help="libraries beside Tauten (all that can)")
    parser.add_argument("--without-tauten", action="store_true", help="time the rivals alone")
    parser.add_argument("--threads", type=int, default=2, help="threads, and processors, of each library (2)")
    parser.add_argument("--rounds", type=int, help="blocks of each library (10; 6 if quick)")
    parser.add_argument("--launches", type=int, help="fresh processes that the rounds are split among (2; 1 if quick)")
    parser.add_argument("--seconds", type=float, help="length of a block (0.3; 0.2 if quick)")
    parser.add_argument("--quick", action="store_true", help="few and short rounds; no variants that compile for long")
    parser.add_argument("--data", type=Path, help="folder with mnist.npz (else random images)")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="folder for .json and .md")
    environments.add_arguments(parser)
    arguments = parser.parse_args(argv)
    arguments.work = arguments.work or (one_sample(WORKLOADS) if arguments.inference else list(WORKLOADS))
    for name in arguments.work:
        try:
            find(name)
        except ValueError as error:
            parser.error(str(error))
    if arguments.threads < 1:
        parser.error("--threads must be at least 1")
    if arguments.rivals is None:
        arguments.rivals = others if arguments.inference else [name for name in others if name in TRAINING]
    if not arguments.inference and (idle := [name for name in arguments.rivals if name not in TRAINING]):
        parser.error(f"{', '.join(idle)} cannot train; see --inference")
    if arguments.without_tauten and not arguments.rivals:
        parser.error("--without-tauten leaves nothing to time")
    arguments.rounds = arguments.rounds or (6 if arguments.quick else 10)
    arguments.launches = min(arguments.rounds, arguments.launches or (1 if arguments.quick else 2))
    arguments.seconds = arguments.seconds or (0.2 if arguments.quick else 0.3)
    return arguments


def main(argv: list[str] | None = None) -> int:
    """Measures, prints the table, writes the files."""
    arguments = parse(argv)
    names = ([] if arguments.without_tauten else ["tauten"]) + arguments.rivals
    started = time.perf_counter()
    facts = report.machine(arguments.threads)
    report.warn_if_busy(facts)
    settings = sidebyside.Settings(
        "inference" if arguments.inference else "steps",
        arguments.threads,
        arguments.rounds,
        arguments.launches,
        arguments.seconds,
        arguments.quick,
        str(arguments.data.resolve()) if arguments.data else None,
    )
    results = {}
    try:
        pythons = {rival: environments.interpreter(rival, arguments) for rival in names}
        for name in arguments.work:
            results[name] = sidebyside.measure(name, pythons, settings)
            print("  ".join(sidebyside.cells(name, results[name], names)), file=sys.stderr, flush=True)
    except WorkerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    whole = {"machine": facts, "settings": vars(settings), "work": results}
    text = sidebyside.table(whole)
    stem = report.write(arguments.output, settings.kind, whole, text)
    print(text)
    print(f"{time.perf_counter() - started:.0f} s; {stem}.json and .md", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
