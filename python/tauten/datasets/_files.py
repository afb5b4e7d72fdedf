"""Finding the files of data sets, and reading what NumPy would read with pickle only."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
Path_ = str | os.PathLike[str]

# All that arrays and lists in those files need.
_ALLOWED = {
    (module, name)
    for module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("ndarray", "dtype", "_reconstruct")
} | {("_codecs", "encode")}


def found(path: Path_, origin: str, what: str) -> Path:
    """The file or folder.

    Raises:
        FileNotFoundError: that says where to get it and where to put it.
    """
    folders = [Path(), *(Path(f) for f in [os.environ.get("TAUTEN_DATA")] if f), Path.home() / ".keras" / "datasets"]
    for folder in folders:
        place = folder / Path(path).expanduser()
        if place.exists():
            return place
    raise FileNotFoundError(
        f"{what}: there is no {os.fspath(path)} here, in the folder that TAUTEN_DATA names, or in ~/.keras/datasets. "
        f"Tauten does not download: fetch {origin} and put it into one of them, or give load_data() its path"
    )


def unpickled(file: IO[bytes], what: str) -> Any:
    """Arrays, lists and dicts. Raises ValueError for files that would make anything else."""

    class Arrays(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) not in _ALLOWED:
                raise ValueError(f"{what}: the file asks for {module}.{name}; it should hold arrays and lists only")
            return super().find_class(module, name)

    return Arrays(file, encoding="bytes").load()


def read_npz(path: Path, names: tuple[str, ...], what: str) -> list[NDArray[Any]]:
    """Arrays of an .npz file by their names, such of lists included. Raises ValueError for what is none."""
    arrays = []
    try:
        with zipfile.ZipFile(path) as archive:
            for name in names:
                with archive.open(f"{name}.npy") as file:
                    version = np.lib.format.read_magic(file)
                    read = (
                        np.lib.format.read_array_header_1_0
                        if version == (1, 0)
                        else np.lib.format.read_array_header_2_0
                    )
                    shape, _, dtype = read(file)
                    if dtype.hasobject:
                        arrays.append(np.asarray(unpickled(file, what)).reshape(shape))
                        continue
                with archive.open(f"{name}.npy") as file:
                    arrays.append(np.lib.format.read_array(file, allow_pickle=False))
    except (KeyError, zipfile.BadZipFile, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{what}: {os.fspath(path)} is not Keras' file: {error}") from None
    return arrays


def parts(
    x: NDArray[Any], y: NDArray[Any], test_split: float
) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
    """(x, y) to train on and (x, y) to test on: the last `test_split` of the samples."""
    if not 0 <= test_split < 1:
        raise ValueError(f"load_data: test_split: expected a share in [0, 1), got {test_split}")
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])
