"""The .ts files of sktime and the UEA/UCR archive of time series: classification and regression.

Lines of # are remarks, lines of @ the header, up to @data; then a series a line: dimensions between colons, values
between commas, the label last.
"""

from __future__ import annotations

import numpy as np

from tauten.cli.data.contents import Array, Arrays, label

FLAGS = ("timestamps", "missing", "univariate", "equallength", "classlabel", "targetlabel")
COUNTS = ("dimension", "dimensions", "serieslength")
TEXTS = ("problemname", "relation")


class _Header:
    """What the lines of @ say; keys in small letters."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.flags: dict[str, bool] = {}
        self.counts: dict[str, int] = {}
        self.classes: set[str] | None = None

    def take(self, line: str, number: int) -> None:
        """One line. Raises ValueError for what is none of a header."""
        key, *values = line[1:].split()
        key, where = key.lower(), f"{self.path}: line {number}"
        if key in TEXTS:
            return
        if key not in (*FLAGS, *COUNTS):
            raise ValueError(f"{where}: unknown @{line[1:].split()[0]} in the header of a .ts file")
        if not values:
            raise ValueError(f"{where}: @{key} has no value")
        if key in COUNTS:
            if not values[0].isdigit() or int(values[0]) < 1:
                raise ValueError(f"{where}: @{key}: expected a positive number, got {values[0]!r}")
            self.counts[key] = int(values[0])
            return
        if values[0].lower() not in ("true", "false"):
            raise ValueError(f"{where}: @{key}: expected true or false, got {values[0]!r}")
        self.flags[key] = values[0].lower() == "true"
        if key == "classlabel" and self.flags[key]:
            self.classes = {label(value) for value in values[1:]}
            if not self.classes:
                raise ValueError(f"{where}: @classLabel true, but no labels behind it")

    @property
    def task(self) -> str | None:
        """classification, regression, or None without labels."""
        if self.flags.get("classlabel"):
            return "classification"
        return "regression" if self.flags.get("targetlabel") else None

    @property
    def dimensions(self) -> int | None:
        """How many each series has, if the header says so."""
        if self.flags.get("univariate"):
            return 1
        return self.counts.get("dimensions", self.counts.get("dimension"))


def read(path: str) -> Arrays:
    """The series (samples, steps, dimensions) in a .ts file, a list of (steps_i, dimensions) if lengths differ.

    Raises:
        ValueError: for a header that is none, series that are not as it says, missing values and time stamps.
        OSError: if it cannot be read.
    """
    header, series, labels, lines = _Header(path), [], [], []
    begun = False
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, raw in enumerate(file, 1):
                line = raw.strip()
                if not line or line.startswith("#"):
                    continue
                if begun:
                    values, text = _series(line, header, f"{path}: line {number}")
                    series.append(values)
                    labels.append(text)
                    lines.append(number)
                elif line.lower() == "@data":
                    begun = True
                    if header.flags.get("timestamps"):
                        raise ValueError(f"{path}: @timeStamps true: series with time stamps are not read")
                elif line.startswith("@") and len(line) > 1:
                    header.take(line, number)
                else:
                    raise ValueError(f"{path}: line {number}: expected @ and a word of the header of a .ts file")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text (byte {error.start + 1}): is it a .ts file?") from None
    if not begun:
        raise ValueError(f"{path}: there is no @data: not a whole .ts file")
    if not series:
        raise ValueError(f"{path}: there are no series behind @data")
    _check_widths(path, series, lines)
    equal = len({len(one) for one in series}) == 1 and header.flags.get("equallength", True)
    y = [label(text) for text in labels] if header.task else None
    return Arrays(path, np.stack(series) if equal else series, y, header.task, lines=lines)


def _series(line: str, header: _Header, where: str) -> tuple[Array, str]:
    """(steps, dimensions), and the label, "" without one."""
    *parts, text = line.split(":") if header.task else [*line.split(":"), ""]
    text = text.strip()
    if header.task and not parts:
        raise ValueError(f"{where}: expected a series and, behind a colon, its label")
    if header.classes is not None and label(text) not in header.classes:
        raise ValueError(f"{where}: label {text!r} is not among those of @classLabel")
    if header.dimensions is not None and len(parts) != header.dimensions:
        raise ValueError(f"{where}: {len(parts)} dimensions, but the header says {header.dimensions}")
    columns = [_values(part, dimension, where) for dimension, part in enumerate(parts, 1)]
    for dimension, column in enumerate(columns, 1):
        if len(column) != len(columns[0]):
            raise ValueError(
                f"{where}: dimension {dimension} has {len(column)} values, dimension 1 has {len(columns[0])}"
            )
    length = header.counts.get("serieslength")
    if header.flags.get("equallength") and length is not None and len(columns[0]) != length:
        raise ValueError(f"{where}: a series of {len(columns[0])} values, but @seriesLength is {length}")
    return np.array(columns).T, text


def _values(part: str, dimension: int, where: str) -> list[float]:
    texts = part.split(",")
    try:
        values = [float(text) for text in texts]
        wrong = [i for i, value in enumerate(values) if not np.isfinite(value)]
    except ValueError:
        wrong = [i for i, text in enumerate(texts) if not _is_number(text)]
        values = []
    if wrong:
        text = texts[wrong[0]].strip()
        what = "the value is missing" if text.lower() in ("", "?", "nan") else f"{text!r} is no finite number"
        raise ValueError(f"{where}: dimension {dimension}, value {wrong[0] + 1}: {what}")
    return values


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_widths(path: str, series: list[Array], lines: list[int]) -> None:
    for one, number in zip(series, lines, strict=True):
        if one.shape[1] != series[0].shape[1]:
            raise ValueError(
                f"{path}: line {number}: {one.shape[1]} dimensions, expected {series[0].shape[1]} as in line {lines[0]}"
            )
