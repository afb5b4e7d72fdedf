"""Columns of a table made numbers: numeric ones as they are, others as one number a category, 1 where it is meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tauten.cli.data.contents import Array, Table
from tauten.cli.data.csv_file import number

MISSING = ("", "?", "na", "n/a", "nan", "null")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
MOST_CATEGORIES = 100  # more look like names or free text


@dataclass(frozen=True)
class Column:
    """A feature: a number, or one of the categories."""

    name: str
    categories: list[str] | None  # None for numbers


@dataclass(frozen=True)
class Columns:
    """What is read of a table: features in order, and the target."""

    names: list[str]  # all that the file had
    named: bool  # by a header
    features: list[Column]
    target: str

    @property
    def numeric(self) -> list[bool]:
        """Of each number of a sample: is it one of the file's?"""
        return [flag for column in self.features for flag in [column.categories is None] * _width(column)]

    def encode(self, table: Table) -> Array:
        """(rows, numbers) in float64, of this or another table.

        Raises:
            ValueError: for columns that are not there, missing values, text in place of numbers, unknown categories.
        """
        where = self._places(table, [column.name for column in self.features])
        parts = []
        for column, place in zip(self.features, where, strict=True):
            cells = _present(table, column.name, [row[place] for row in table.rows])
            if column.categories is None:
                parts.append(_numbers(table, column.name, cells)[:, None])
            else:
                parts.append(_one_hot(table, column, column.categories, cells))
        return np.concatenate(parts, axis=1)

    def targets(self, table: Table) -> list[str]:
        """The target's cells. Raises ValueError if the column, or a value of it, is missing."""
        (place,) = self._places(table, [self.target])
        return _present(table, self.target, [row[place] for row in table.rows])

    def _places(self, table: Table, wanted: list[str]) -> list[int]:
        """Where columns stand: by name if both tables have headers, else by their number."""
        if self.named and table.named:
            lacking = [name for name in wanted if name not in table.names]
            if lacking:
                raise ValueError(
                    f"{table.path}: columns missing: {', '.join(map(repr, lacking))}; there are "
                    f"{', '.join(map(repr, table.names))}"
                )
            return [table.names.index(name) for name in wanted]
        features = [column.name for column in self.features]
        orders = [self.names, [name for name in self.names if name != self.target], features]
        for order in orders:
            if len(order) == len(table.names) and set(wanted) <= set(order):
                return [order.index(name) for name in wanted]
        counts = " or ".join(str(count) for count in dict.fromkeys(len(order) for order in orders))
        raise ValueError(f"{table.path}: expected {counts} columns, got {len(table.names)}")

    def to_json(self) -> dict[str, Any]:
        """For the model's metadata."""
        return {
            "names": self.names,
            "named": self.named,
            "target": self.target,
            "features": [{"name": column.name, "categories": column.categories} for column in self.features],
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Columns:
        """What to_json() made."""
        features = [Column(column["name"], column["categories"]) for column in kept["features"]]
        return cls(kept["names"], kept["named"], features, kept["target"])


def learn(
    table: Table, target: str | None = None, drop: Collection[str] = (), categorical: Collection[str] = ()
) -> Columns:
    """Decide what each column of a table is.

    Args:
        table: to train on.
        target: name or number, from 1 or from -1 backwards; default the last column.
        drop: names or numbers of columns that are left out.
        categorical: of columns whose numbers are names of categories; they may have any number of them.

    Raises:
        ValueError: for columns that are not there, missing values, numbers mixed with text, too many categories.
    """
    place = find(table, "-1" if target is None else target)
    left_out = {place, *(find(table, name) for name in drop)}
    chosen = {find(table, name) for name in categorical}
    if place in chosen:
        raise ValueError(f"--categorical {table.names[place]!r} is the target: say --task classification")
    if chosen & left_out:
        raise ValueError(
            f"column {table.names[min(chosen & left_out)]!r}: --drop and --categorical contradict each other"
        )
    features = []
    for i, name in enumerate(table.names):
        if i not in left_out:
            cells = _present(table, name, [row[i] for row in table.rows])
            features.append(Column(name, _categories(table, name, cells, i in chosen)))
    if not features:
        raise ValueError(f"{table.path}: no columns are left to learn from; there are {len(table.names)}")
    return Columns(table.names, table.named, features, table.names[place])


def find(table: Table, column: str) -> int:
    """The place of a column by name, or by number from 1, or from -1 backwards. Raises ValueError if there is none."""
    if column in table.names:
        return table.names.index(column)
    count = len(table.names)
    try:
        place = int(column)
    except ValueError:
        place = 0
    if not 1 <= abs(place) <= count:
        raise ValueError(
            f"{table.path}: no column {column!r}; there are {', '.join(map(repr, table.names))}, also called 1 to "
            f"{count}"
        )
    return place - 1 if place > 0 else count + place


def _width(column: Column) -> int:
    return 1 if column.categories is None else len(column.categories)


def _present(table: Table, name: str, cells: list[str]) -> list[str]:
    missing = [i for i, cell in enumerate(cells) if cell.lower() in MISSING]
    if missing:
        more = f" ({len(missing)} in this column)" if len(missing) > 1 else ""
        raise ValueError(
            f"{table.place(missing[0])}, column {name!r}: the value is missing{more}: fill it in, remove the row, or "
            "leave the column out with --drop"
        )
    return cells


def _categories(table: Table, name: str, cells: list[str], chosen: bool) -> list[str] | None:
    """In order, or None if the column is one of numbers."""
    words = [] if chosen else [i for i, cell in enumerate(cells) if number(cell) is None]
    if not words and not chosen:
        return None
    if not chosen and all(DECIMAL_COMMA.fullmatch(cells[i]) for i in words):
        raise ValueError(
            f"{table.place(words[0])}, column {name!r}: {cells[words[0]]!r}: numbers with a decimal comma are not "
            "read: write them with a point"
        )
    if not chosen and len(words) <= len(cells) // 2:
        raise ValueError(
            f"{table.place(words[0])}, column {name!r}: {cells[words[0]]!r} is no number, but most of the column is; "
            f"--categorical {name!r} takes them all as names"
        )
    found = ordered(cells)
    if not chosen and len(found) > MOST_CATEGORIES:
        raise ValueError(
            f"{table.path}: column {name!r} has {len(found)} different texts, more than {MOST_CATEGORIES}: leave it "
            f"out with --drop {name!r}, or take it with --categorical {name!r}"
        )
    return found


def ordered(labels: Sequence[str]) -> list[str]:
    """Each once, in the order of numbers where all are numbers, else of the alphabet."""
    found = sorted(set(labels))
    values = [number(text) for text in found]
    if any(value is None for value in values):
        return found
    return sorted(found, key=float)


def _numbers(table: Table, name: str, cells: list[str]) -> Array:
    try:
        values = np.array([float(cell) for cell in cells])
    except ValueError:
        wrong = next(i for i, cell in enumerate(cells) if number(cell) is None)
        raise ValueError(f"{table.place(wrong)}, column {name!r}: {cells[wrong]!r} is no number") from None
    if not np.isfinite(values).all():
        wrong = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(f"{table.place(wrong)}, column {name!r}: {cells[wrong]!r} is not finite")
    return values


def _one_hot(table: Table, column: Column, categories: list[str], cells: list[str]) -> Array:
    place = {category: i for i, category in enumerate(categories)}
    encoded = np.zeros((len(cells), len(categories)))
    for row, cell in enumerate(cells):
        if cell not in place:
            raise ValueError(
                f"{table.place(row)}, column {column.name!r}: {cell!r} was not there in training; known are "
                f"{listed(categories)}"
            )
        encoded[row, place[cell]] = 1
    return encoded


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names for a message, not too many."""
    more = f", ... ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more
