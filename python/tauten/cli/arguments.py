"""Kinds of values on the command line, and what several commands ask for."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NoReturn

from tauten._nearest import nearest


class Misuse(Exception):
    """Options that do not go together; the command ends with 2, as for unknown ones."""


class Parser(argparse.ArgumentParser):
    """One whose errors are one line, which says where help is."""

    def error(self, message: str) -> NoReturn:
        """Writes it and ends the process with 2."""
        self.exit(2, f"tauten: error: {message} (try: {self.prog} --help)\n")

    def refuse(self, unknown: list[str]) -> NoReturn:
        """error() for what stands on the command line and means nothing, with the option that may be meant."""
        option = next((text.partition("=")[0] for text in unknown if text[:1] == "-" != text), None)
        if option is None:
            self.error(f"not expected: {' '.join(unknown)}")
        known = list(self._option_string_actions)
        initials = {"".join(word[:1] for word in name.split("-")): name for name in known}  # lr: --learning-rate
        found = initials.get(option.lstrip("-")) or nearest(option, known)
        self.error(f"no option {option}" + (f": did you mean {found}?" if found else ""))


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], None], *, help: str, description: str, examples: str
) -> Parser:
    """A parser for `tauten NAME`, which calls `run`."""
    parser: Parser = commands.add_parser(
        name,
        help=help,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    return parser


def add_threads(parser: Any) -> None:
    """The option --threads."""
    parser.add_argument("--threads", type=positive, metavar="N", help="threads to use; the results stay the same")


def add_table(parser: argparse.ArgumentParser) -> None:
    """What CSV files are like."""
    parser.add_argument("--delimiter", type=character, metavar="C", help="between the values of a CSV file")
    parser.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="does the first line of a CSV file name the columns? (default: if it has no number in it)",
    )


def positive(text: str) -> int:
    """A whole number from 1 on."""
    value = whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {value}")
    return value


def seed(text: str) -> int:
    """A whole number from 0 to 2^32 - 1."""
    value = whole(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 2^32 - 1, got {value}")
    return value


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None


def real(text: str) -> float:
    """A finite number of at least 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}") from None
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, got {text}")
    return value


def share(text: str) -> float:
    """A number in [0, 1)."""
    value = real(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0 and below 1, got {text}")
    return value


def above_zero(text: str) -> float:
    """A positive number."""
    value = real(text)
    if value == 0:
        raise argparse.ArgumentTypeError("expected a positive number, got 0")
    return value


def sizes(text: str) -> list[int]:
    """Whole numbers from 1 on between commas."""
    return [positive(part) for part in text.split(",")]


def alpha_and_mix(text: str) -> tuple[float, float]:
    """ALPHA,MIX with the mix in [0, 1]."""
    parts = [real(part) for part in text.split(",")]
    if len(parts) != 2 or parts[1] > 1:
        raise argparse.ArgumentTypeError(f"expected ALPHA,MIX with a mix from 0 to 1, got {text!r}")
    return parts[0], parts[1]


def names(text: str) -> list[str]:
    """Names between commas."""
    return [part.strip() for part in text.split(",")]


def character(text: str) -> str:
    """One character; \\t and "tab" are the tab."""
    text = "\t" if text in ("\\t", "tab") else text
    if len(text) != 1:
        raise argparse.ArgumentTypeError(f"expected one character, got {text!r}")
    return text


def weights(text: str) -> str | dict[str, float]:
    """The word "balanced", or NAME=WEIGHT,NAME=WEIGHT."""
    if text == "balanced":
        return text
    found = {}
    for part in text.split(","):
        name, equals, weight = part.rpartition("=")
        if not equals:
            raise argparse.ArgumentTypeError(f"expected 'balanced' or CLASS=WEIGHT, got {part!r}")
        found[name.strip()] = real(weight)
    return found
