"""The `tauten` command: what it understands, and its exit codes (0 well, 1 failed, 2 misused, 130 interrupted)."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import tauten

__all__ = ["main"]

DEMOS = ("digits", "text")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: this process' own) and return its exit code."""
    arguments = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without block characters shows "?" instead
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        print(f"tauten: error: {error}", file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "config":
        tauten.config.show()
        return 0
    # The demos are imported when asked for, so that --help and config answer at once.
    from tauten.cli import digits, text
    from tauten.cli.terminal import heading, writable_folder

    if arguments.threads is not None:
        tauten.config.set_num_threads(arguments.threads)
    folder = writable_folder(arguments.output)
    demos = {"digits": digits.run, "text": text.run}
    for name in [arguments.which] if arguments.which else DEMOS:
        tauten.utils.set_random_seed(arguments.seed)
        demos[name](folder, arguments.epochs)
        print()
    print(f"{heading('settings')}  {tauten.config.isa()} kernels, {tauten.config.num_threads()} threads")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tauten",
        description="Tauten: a small, fast deep-learning library for CPUs with Keras' names.",
        epilog="`tauten COMMAND --help` tells more of a command.",
    )
    parser.add_argument("--version", action="version", version=f"tauten {tauten.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    demo = commands.add_parser(
        "demo",
        help="train a CNN on handwritten digits and an LSTM on text, in under a minute",
        description="Trains a small convolutional network on 1,797 real handwritten digits and a character LSTM on the "
        "language reference that Python ships; shows what they learnt and saves both.",
    )
    demo.add_argument("which", nargs="?", choices=DEMOS, help="one of them; default: both")
    demo.add_argument(
        "--output",
        type=Path,
        default=Path("tauten-demo"),
        metavar="DIR",
        help="folder for the models (default: %(default)s in the current folder)",
    )
    demo.add_argument("--epochs", type=_positive, metavar="N", help="passes over the data (default: under a minute)")
    demo.add_argument("--threads", type=_positive, metavar="N", help="threads to use; the results stay the same")
    demo.add_argument("--seed", type=_seed, default=1, metavar="N", help="of everything random (default: %(default)s)")
    commands.add_parser(
        "config",
        help="show versions, instruction-set level and threads",
        description="Prints versions, the instruction-set level of the kernels in use, and the number of threads.",
        epilog="TAUTEN_ISA=baseline|avx2|avx512 forces a lower level, TAUTEN_NUM_THREADS=N the number of threads.",
    )
    return parser


def _positive(text: str) -> int:
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {value}")
    return value


def _seed(text: str) -> int:
    value = _whole(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 2^32 - 1, got {value}")
    return value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
