"""NumPy's files: .npy with a second one for the targets, .npz with both."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np

from tauten.cli.data.contents import Array, Arrays, label

X_KEYS = ("x", "X")
Y_KEY = "y"


def read_npy(path: str, target: str | None) -> Arrays:
    """x (samples, ...) in one file; the targets in another, `target`, or none.

    Raises:
        ValueError: for what is no .npy file, no numbers, not finite, or of unequal counts of samples.
        OSError: if a file cannot be read.
    """
    x = _samples(_load(path), path)
    return _together(path, x, None if target is None else _load(target), target)


def read_npz(path: str, target: str | None, needs_target: bool) -> Arrays:
    """x and targets in one file: x under "x", "X" or the only other key; the targets under `target`, default "y".

    Raises:
        ValueError: for what is no .npz file, keys that are not there, and what read_npy() refuses.
        OSError: if it cannot be read.
    """
    archive = _load(path, archive=True)
    key = target or Y_KEY
    if needs_target and key not in archive:
        raise ValueError(f"{path}: no targets {key!r}; there are {_listed(archive)}: name them with --target")
    others = [name for name in archive if name != key]
    found = [name for name in X_KEYS if name in others] or others
    if not found or (len(found) > 1 and found[0] not in X_KEYS):
        raise ValueError(f"{path}: expected the samples under 'x'; there are {_listed(archive)}")
    x = _samples(archive[found[0]], f"{path}: {found[0]!r}")
    return replace(_together(path, x, archive.get(key), f"{path}: {key!r}"), name=key)


def _load(path: str, archive: bool = False) -> Any:
    """The array in a .npy file, a dict of those in a .npz file."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray) == archive:
                raise ValueError("it holds an array" if archive else "it holds several arrays")
            return {name: loaded[name] for name in loaded.files} if archive else loaded
    except (ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        kind = ".npz" if archive else ".npy"
        raise ValueError(f"{path}: not a {kind} file that can be read: {error}") from None


def _samples(x: Array, where: str) -> Array:
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{where}: expected numbers, got dtype {x.dtype}")
    if x.ndim == 0 or not x.size:
        raise ValueError(f"{where}: there are no samples: shape {x.shape}")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        sample, *place = (int(i) for i in np.argwhere(~np.isfinite(x))[0])
        column = f", value {tuple(place)}" if len(place) > 1 else f", column {place[0] + 1}" if place else ""
        value = "the value is missing (NaN)" if np.isnan(x[(sample, *place)]) else "the value is not finite"
        raise ValueError(f"{where}: sample {sample + 1}{column}: {value}")
    return x[:, None] if x.ndim == 1 else x


def _together(path: str, x: Array, y: Array | None, where: str | None) -> Arrays:
    if y is None:
        return Arrays(path, x, None)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise ValueError(f"{where}: expected one target a sample, got shape {y.shape}")
    if len(y) != len(x):
        raise ValueError(f"{where}: {len(y)} targets for {len(x)} samples")
    return Arrays(path, x, [label(value) for value in y.tolist()])


def _listed(archive: dict[str, Array]) -> str:
    return ", ".join(f"{name!r} {array.shape}" for name, array in archive.items()) or "none"
