"""All benchmarks, one after the other, in environments made for them; then the plots and one report.

    python -m benchmarks.everything --data DIR

DIR has mnist.npz, tinyshakespeare.txt, JapaneseVowels_TRAIN.ts and JapaneseVowels_TEST.ts. Takes more than an hour.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import __main__ as steps
from benchmarks import environments, footprint, japanese_vowels, mnist_lenet, report, scaling, shakespeare
from benchmarks.endtoend import Experiment
from benchmarks.endtoend import main as end_to_end
from benchmarks.native import __main__ as native
from benchmarks.process import ROOT
from benchmarks.rivals import RIVALS
from benchmarks.sweep import __main__ as sweep

Main = Callable[[list[str]], int]


def _experiment(experiment: Experiment) -> Main:
    return lambda argv: end_to_end(experiment, argv)


PARTS: dict[str, tuple[str, Main]] = {
    "steps": ("Training steps", steps.main),
    "inference": ("Forward passes of one sample", lambda argv: steps.main(["--inference", *argv])),
    "mnist_lenet": ("MNIST to 99.2 %", _experiment(mnist_lenet.EXPERIMENT)),
    "shakespeare": ("Tiny Shakespeare to 1.6 nats a character", _experiment(shakespeare.EXPERIMENT)),
    "japanese_vowels": ("JapaneseVowels to 95 %", _experiment(japanese_vowels.EXPERIMENT)),
    "footprint": ("Size, import, memory", footprint.main),
    "scaling": ("Scaling with batch, hidden size and threads", scaling.main),
    "sweep": ("LSTM training steps over a grid of sizes", sweep.main),
    "native": ("The C++ benchmarks", native.main),
}
PLOTTED = PARTS.keys() - {"footprint", "native"}
WITH_DATA = ("steps", "inference", "mnist_lenet", "shakespeare", "japanese_vowels")


def latest(folder: Path, part: str, suffix: str) -> Path | None:
    """The newest file of a part in a folder of results."""
    return max(folder.glob(f"{part}-*{suffix}"), default=None)


def compose(folder: Path) -> Path:
    """One report.md of the newest tables and of the plots that lie in the folder."""
    lines = ["# Tauten beside other libraries", ""]
    for part, (title, _) in PARTS.items():
        table = latest(folder, part, ".md")
        if table:
            lines += [f"## {title}", "", table.read_text().strip(), ""]
            lines += [f"![{title}]({plot.name})\n" for plot in sorted(folder.glob(f"{part}*.png"))]
    path = folder / "report.md"
    path.write_text("\n".join(lines))
    return path


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.everything", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="parts (all)")
    parser.add_argument("--output", type=Path, help="folder for all results (benchmarks/results/DATE-TIME)")
    environments.add_arguments(parser)
    arguments = parser.parse_args(argv)
    folder: Path = arguments.output or report.RESULTS / time.strftime("%Y%m%d-%H%M%S")
    pythons = []
    for name in RIVALS:
        pythons += [f"--{name}-python", environments.interpreter(name, arguments)]
    plotter = environments.made("plots", "matplotlib", ("matplotlib", "numpy"))
    failed = []
    for part in arguments.only:
        title, run = PARTS[part]
        print(f"\n=== {title}", file=sys.stderr, flush=True)
        options = ["--output", str(folder)]
        if part != "native":
            options += pythons
        if part in WITH_DATA:
            options += ["--data", str(arguments.data)]
        if run(options):
            failed.append(part)
    if PLOTTED.intersection(arguments.only):
        done = subprocess.run([plotter, "-m", "benchmarks.plots", str(folder.resolve())], cwd=ROOT)
        failed += ["plots"] * (done.returncode != 0)
    print(compose(folder))
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
