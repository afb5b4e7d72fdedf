"""CSV files: delimiter and header found out, every row as long as the first."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from tauten.cli.data.contents import Table

DELIMITERS = ",;\t|"


def read(
    path: str, delimiter: str | None = None, header: bool | None = None, expected: Sequence[str] | None = None
) -> Table:
    """The table in a CSV file of UTF-8 text; empty lines are left out.

    Args:
        path: of the file.
        delimiter: one character; default the one of , ; tab | that cuts the first line into most pieces.
        header: does the first line name the columns? Default: yes, if it has all `expected` names, or no number in it.
        expected: names that a header is known to have.

    Raises:
        ValueError: for a file without rows, rows of another length than the first, equal names, and what is no text.
        OSError: if it cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text (byte {error.start + 1}): is it a CSV file?") from None
    if "\0" in text:
        raise ValueError(f"{path}: has zero bytes in it: is it a CSV file?")
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    if delimiter is None:
        delimiter = max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    rows, numbers = [], []
    reader, begin = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells) or len(cells) > 1:
                rows.append(cells)
                numbers.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}: line {begin}: {error}") from None
    if not rows:
        raise ValueError(f"{path}: the file is empty")
    for row, number in zip(rows, numbers, strict=True):
        if len(row) != len(rows[0]):
            raise ValueError(
                f"{path}: line {number}: {len(row)} values, expected {len(rows[0])} as in line {numbers[0]}"
            )
    named = _is_header(rows[0], expected) if header is None else header
    names = [f"column {i}" for i in range(1, len(rows[0]) + 1)]
    if named:
        names = [name or names[i] for i, name in enumerate(rows[0])]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{path}: line {numbers[0]}: the column {twice[0]!r} is there twice; if this line is no header, say "
                "--no-header"
            )
        rows, numbers = rows[1:], numbers[1:]
        if not rows:
            raise ValueError(f"{path}: a header and no rows; if the line is no header, say --no-header")
    return Table(path, names, rows, numbers, named)


def number(text: str) -> float | None:
    """The number that a cell holds, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def _is_header(cells: list[str], expected: Sequence[str] | None) -> bool:
    if expected is not None and set(expected) <= set(cells):
        return True
    return all(number(cell) is None for cell in cells if cell) and any(cells)
