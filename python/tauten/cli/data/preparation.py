"""From a file to what a network reads, learnt once in training and kept in the model's metadata."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from tauten.cli.data import columns, targets
from tauten.cli.data.columns import Columns
from tauten.cli.data.contents import Array, Arrays, Contents, Samples, Table
from tauten.cli.data.targets import Target

VERSION = 1
KEY = "train"  # in the model's metadata

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Preparation:
    """How files become samples and targets.

    Attributes:
        columns: of tables; None where the file holds arrays.
        target: what is predicted.
        shape: of a sample as the network reads it, None for steps that differ.
        reshaped: is it another one than the file's?
    """

    columns: Columns | None
    target: Target
    shape: Shape
    reshaped: bool

    @property
    def numeric(self) -> Array:
        """Of each feature (the last axis): is it a number, and no category?"""
        if self.columns is None or self.reshaped:
            return np.ones(self.shape[-1] or 1, bool)
        return np.array(self.columns.numeric)

    def feature(self, number: int) -> str:
        """What a feature (of the last axis) is called."""
        if self.columns is None or self.reshaped:
            return f"feature {number + 1}"
        names = [one.name for one in self.columns.features for _ in one.categories or (one.name,)]
        return f"column {names[number]!r}"

    @property
    def expected(self) -> list[str] | None:
        """Names of columns that the header of a further file has."""
        if self.columns is None or not self.columns.named:
            return None
        return [column.name for column in self.columns.features]

    def samples(self, contents: Contents) -> Samples:
        """x as the network reads it. Raises ValueError for data of another kind or shape than in training."""
        if isinstance(contents, Table) != (self.columns is not None):
            was = "a table" if self.columns is not None else "arrays or series"
            raise ValueError(f"{contents.path}: the model was trained on {was}: expected a file of that kind")
        if isinstance(contents, Table):
            assert self.columns is not None
            return self._shaped(self.columns.encode(contents), contents)
        return self._shaped(contents.x, contents)

    def targets(self, contents: Contents) -> Array:
        """y as the network reads it. Raises ValueError if there is none, or classes are unknown."""
        if isinstance(contents, Table):
            assert self.columns is not None
            texts = self.columns.targets(contents)
        elif contents.y is None:
            raise ValueError(f"{contents.path}: there are no targets; name them with --target")
        else:
            texts = contents.y
        return self.target.encode(texts, contents.place)

    def _shaped(self, x: Samples, contents: Contents) -> Samples:
        if self.reshaped:
            return reshaped(x, self.shape, contents.path)
        for i, one in enumerate(x):
            if len(one.shape) != len(self.shape) or any(
                want is not None and want != have for want, have in zip(self.shape, one.shape, strict=True)
            ):
                shape = ", ".join("any" if extent is None else str(extent) for extent in self.shape)
                raise ValueError(
                    f"{contents.place(i)}: the model was trained on samples of shape ({shape}), got {one.shape}"
                )
            if not isinstance(x, list):
                break  # all of an array have one shape
        return x

    def to_json(self) -> dict[str, Any]:
        """For the model's metadata."""
        return {
            "version": VERSION,
            "columns": None if self.columns is None else self.columns.to_json(),
            "target": self.target.to_json(),
            "shape": list(self.shape),
            "reshaped": self.reshaped,
        }

    @classmethod
    def from_metadata(cls, metadata: dict[str, Any], path: str) -> Preparation:
        """What to_json() made, from a model's metadata. Raises ValueError if it is not there or damaged."""
        kept = metadata.get(KEY)
        if kept is None:
            raise ValueError(
                f"{path}: this model is not one of `tauten train`: its file says nothing of columns and classes; in "
                "Python: tauten.models.load_model() and predict()"
            )
        try:
            if kept["version"] > VERSION:
                raise ValueError(f"{path}: trained by a newer Tauten (version {kept['version']}): upgrade Tauten")
            found = None if kept["columns"] is None else Columns.from_json(kept["columns"])
            return cls(found, Target.from_json(kept["target"]), tuple(kept["shape"]), kept["reshaped"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: the metadata of `tauten train` are damaged ({error!r}): train again") from None


def learn(
    contents: Contents,
    *,
    target: str | None = None,
    task: str | None = None,
    shape: tuple[int, ...] | None = None,
    drop: Collection[str] = (),
    categorical: Collection[str] = (),
) -> tuple[Preparation, Samples, Array]:
    """What to make of a file, and what it becomes: the preparation, x, y.

    Args:
        contents: to train on.
        target, drop, categorical: columns of a table.
        task: "classification" or "regression"; default as the target looks.
        shape: to give to each sample; default the file's.

    Raises:
        ValueError: for what cannot be read, or does not fit.
    """
    found: Columns | None = None
    if isinstance(contents, Table):
        found = columns.learn(contents, target, drop, categorical)
        texts, name = found.targets(contents), found.target
        x: Samples = found.encode(contents)
    else:
        if contents.y is None:
            raise ValueError(f"{contents.path}: there are no targets; name them with --target")
        texts, name, x = contents.y, contents.name, contents.x
    aim = targets.learn(name, texts, contents.place, task or (contents.task if isinstance(contents, Arrays) else None))
    if shape is not None:
        x = reshaped(x, shape, contents.path)
    preparation = Preparation(found, aim, _shape(x), shape is not None)
    return preparation, x, aim.encode(texts, contents.place)


def reshaped(x: Samples, shape: Shape, path: str) -> Array:
    """Each sample in this shape. Raises ValueError unless it has as many numbers."""
    if isinstance(x, list):
        raise ValueError(f"{path}: series of unequal length cannot be given the shape {shape}")
    have, want = math.prod(x.shape[1:]), math.prod(extent or 0 for extent in shape)
    if have != want:
        text = ",".join(map(str, shape))
        raise ValueError(f"{path}: samples of {have} numbers {x.shape[1:]} cannot be given the shape {text} ({want})")
    return x.reshape(len(x), *(extent or 0 for extent in shape))


def _shape(x: Samples) -> Shape:
    return (None, *x[0].shape[1:]) if isinstance(x, list) else tuple(x.shape[1:])
