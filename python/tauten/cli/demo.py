"""`tauten demo`: two small networks on data that are there."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import tauten
from tauten.cli.arguments import add_command, add_threads, positive, seed
from tauten.cli.terminal import heading, writable_folder

DEMOS = ("digits", "text")
EXAMPLES = """\
  tauten demo                         both, in under a minute
  tauten demo digits --epochs 30
"""


def add_to(commands: Any) -> None:
    """The parser of `tauten demo`."""
    parser = add_command(
        commands,
        "demo",
        run,
        help="train a CNN on handwritten digits and an LSTM on text, in under a minute",
        description="Trains a small convolutional network on 1,797 real handwritten digits and a character LSTM on\n"
        "the language reference that Python ships; shows what they learnt and saves both.",
        examples=EXAMPLES,
    )
    parser.add_argument("which", nargs="?", choices=DEMOS, help="one of them; default: both")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("tauten-demo"),
        metavar="DIR",
        help="folder for the models (default: %(default)s in the current folder)",
    )
    parser.add_argument("--epochs", type=positive, metavar="N", help="passes over the data (default: under a minute)")
    add_threads(parser)
    parser.add_argument("--seed", type=seed, default=1, metavar="N", help="of everything random (default: %(default)s)")


def run(options: argparse.Namespace) -> None:
    """One demo or both."""
    from tauten.cli import digits, text

    if options.threads is not None:
        tauten.config.set_num_threads(options.threads)
    folder = writable_folder(options.output)
    demos = {"digits": digits.run, "text": text.run}
    for name in [options.which] if options.which else DEMOS:
        tauten.utils.set_random_seed(options.seed)
        demos[name](folder, options.epochs)
        print()
    print(f"{heading('settings')}  {tauten.config.isa()} kernels, {tauten.config.num_threads()} threads")
