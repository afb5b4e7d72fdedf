"""Data files of the command: read by their ending, made numbers, and the same again for new files."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tauten.cli.data import csv_file, numpy_file, ts_file
from tauten.cli.data.contents import Arrays, Contents, Samples, Table, take

__all__ = ["ENDINGS", "Arrays", "Contents", "Samples", "Table", "read", "take"]

ENDINGS = (".csv", ".tsv", ".txt", ".npy", ".npz", ".ts")


def read(
    path: str,
    *,
    target: str | None = None,
    needs_target: bool = True,
    delimiter: str | None = None,
    header: bool | None = None,
    expected: Sequence[str] | None = None,
) -> Contents:
    """What a data file holds.

    Args:
        path: ends in one of ENDINGS.
        target: of a .npz file the key, for a .npy file the file of the targets; of a CSV file not looked at here.
        needs_target: raise if a .npz file has no targets.
        delimiter, header, expected: of CSV files, as csv_file.read() takes them.

    Raises:
        ValueError: for another ending, and a file that is not what its ending says.
        OSError: if it cannot be read.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path}: expected a file, got a folder")
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: no such file")
    ending = os.path.splitext(path)[1].lower()
    if ending in (".npy", ".npz", ".ts") and (delimiter is not None or header is not None):
        raise ValueError(f"{path}: --delimiter and --header are of CSV files")
    if ending == ".ts" and target is not None:
        raise ValueError(f"{path}: --target: the target of a .ts file is the label of each line")
    if ending == ".npy":
        return numpy_file.read_npy(path, target)
    if ending == ".npz":
        return numpy_file.read_npz(path, target, needs_target)
    if ending == ".ts":
        return ts_file.read(path)
    if ending not in ENDINGS:
        raise ValueError(f"{path}: expected a file that ends in {', '.join(ENDINGS)}, got {ending or 'no ending'!r}")
    return csv_file.read(path, "\t" if ending == ".tsv" and delimiter is None else delimiter, header, expected)
