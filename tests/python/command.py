"""Small files for the `tauten` command, and a way to call it within the process."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tauten
from tauten.cli import main

ONCE = ("--epochs", "1", "--quiet")
FLOWERS = ("setosa", "versicolor", "virginica")


class Command:
    """Calls `tauten` in a folder; what it wrote last is in .out and .err."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Runs it, expects this exit code, returns what it printed."""
        try:
            found = main(arguments)
        except SystemExit as stopped:  # of argparse
            found = int(stopped.code or 0)
        self.out, self.err = self.capsys.readouterr()
        assert found == code, f"{self.out}\n{self.err}"
        assert "Traceback" not in self.err
        return self.out

    def fails(self, *arguments: str) -> str:
        """Runs it, expects one line of error, returns it."""
        self(*arguments, code=1)
        assert self.err.startswith("tauten: error: ")
        assert self.err.count("\n") == 1
        return self.err


def write_csv(path: Path, header: list[str] | None, rows: list[list[Any]], delimiter: str = ",") -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([*([header] if header else []), *rows])


def flowers() -> tuple[list[str], list[list[Any]]]:
    """scikit-learn's irises: header, and rows that end with the species."""
    from sklearn.datasets import load_iris

    found = load_iris()
    rows = [[*map(float, x), FLOWERS[y]] for x, y in zip(found.data, found.target, strict=True)]
    return ["sepal length", "sepal width", "petal length", "petal width", "species"], rows


def patients() -> tuple[list[str], list[list[Any]]]:
    """scikit-learn's diabetes data: header, and rows that end with the progression."""
    from sklearn.datasets import load_diabetes

    found = load_diabetes()
    return [*found.feature_names, "progression"], [
        [*map(float, x), float(y)] for x, y in zip(found.data, found.target, strict=True)
    ]


def write_series(path: Path, header: list[str], series: list[np.ndarray], labels: list[Any] | None) -> None:
    """A .ts file of series (steps, dimensions)."""
    lines = ["# a remark", *header, "@data"]
    for i, one in enumerate(series):
        parts = [",".join(f"{value:.6g}" for value in column) for column in one.T]
        lines.append(":".join([*parts, *([str(labels[i])] if labels is not None else [])]))
    path.write_text("\n".join(lines) + "\n")


def digit_rows(samples: int, unequal: bool) -> tuple[list[np.ndarray], list[str]]:
    """scikit-learn's digits as series of rows of pixels; of unequal length without the last rows of some."""
    from sklearn.datasets import load_digits

    found = load_digits()
    series = [image[: 8 - i % 3 if unequal else 8] for i, image in enumerate(found.images[:samples])]
    return series, [f"d{label}" for label in found.target[:samples]]


def predictions(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    tauten.config.set_num_threads(1)  # such small steps are not worth more
    return Command(capsys)


@pytest.fixture
def iris(tmp_path: Path) -> str:
    write_csv(tmp_path / "iris.csv", *flowers())
    return "iris.csv"
