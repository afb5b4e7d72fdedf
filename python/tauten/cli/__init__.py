"""The `tauten` command: what it understands, and its exit codes (0 well, 1 failed, 2 misused, 130 interrupted)."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence

import tauten
from tauten.cli import bench, demo, info, predict, train_options
from tauten.cli.arguments import Misuse, Parser, add_command

__all__ = ["main"]

# Errors that tell a user what was wrong; others are Tauten's own fault.
TOLD = (OSError, ValueError, TypeError, RuntimeError, ImportError, ArithmeticError, MemoryError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: this process' own) and return its exit code.

    Raises:
        SystemExit: with 2 where it is misused, with 0 for --help and --version.
    """
    parser = _parser()
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        getattr(options, "parser", parser).refuse(unknown)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without block characters shows "?" instead
    if options.command is None:
        parser.print_help()
        return 0
    try:
        options.run(options)
        return 0
    except Misuse as error:
        of_command: Parser = options.parser
        of_command.error(str(error))
    except KeyboardInterrupt as stopped:
        print(f"\ninterrupted{f': {stopped}' if str(stopped) else ''}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if options.debug:
            traceback.print_exc()
        text = " ".join(str(error).split()) or type(error).__name__
        own = "" if isinstance(error, TOLD) else f"a fault of Tauten's own ({type(error).__name__}; --debug shows it): "
        print(f"tauten: error: {own}{text}", file=sys.stderr)
        return 1


def _parser() -> Parser:
    parser = Parser(
        prog="tauten",
        description="Tauten: a small, fast deep-learning library for CPUs with Keras' names.",
        epilog="`tauten COMMAND --help` tells more of a command. Exit codes: 0 well, 1 failed, 2 misused, 130 "
        "interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"tauten {tauten.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for module in (train_options, predict, info, bench, demo):
        module.add_to(commands)
    add_command(
        commands,
        "config",
        _config,
        help="show versions, instruction-set level and threads",
        description="Prints versions, the instruction-set level of the kernels in use, and the number of threads.",
        examples="""\
  tauten config
  TAUTEN_ISA=avx2 TAUTEN_NUM_THREADS=2 tauten config      forces a lower level (baseline, avx2, avx512) and threads
""",
    )
    return parser


def _config(options: argparse.Namespace) -> None:
    tauten.config.show()
