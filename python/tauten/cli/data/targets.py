"""What is to be predicted: classes by name, or numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tauten.cli.data.columns import listed, ordered
from tauten.cli.data.contents import Array, label
from tauten.cli.data.csv_file import number

TASKS = ("classification", "regression")
MOST_WHOLE_CLASSES = 20  # more whole numbers than these look like amounts

Place = Callable[[int], str]


@dataclass(frozen=True)
class Target:
    """The task, its name, and the classes in the order of the network's outputs, none for a regression."""

    name: str
    task: str
    classes: list[str]

    @property
    def outputs(self) -> int:
        """Of the network."""
        return len(self.classes) or 1

    def encode(self, texts: list[str], place: Place) -> Array:
        """Class numbers, or numbers in float64 (samples,).

        Raises:
            ValueError: for unknown classes, and what is no finite number.
        """
        if self.task == "regression":
            return np.array([_finite(text, i, place, self.name) for i, text in enumerate(texts)])
        numbers = {name: i for i, name in enumerate(self.classes)}
        labels = [label(text) for text in texts]
        for i, text in enumerate(labels):
            if text not in numbers:
                raise ValueError(
                    f"{place(i)}, {self.name!r}: the class {text!r} was not there in training; known are "
                    f"{listed(self.classes)}"
                )
        return np.array([numbers[text] for text in labels])

    def to_json(self) -> dict[str, Any]:
        """For the model's metadata."""
        return {"name": self.name, "task": self.task, "classes": self.classes}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Target:
        """What to_json() made."""
        return cls(kept["name"], kept["task"], kept["classes"])


def learn(name: str, texts: list[str], place: Place, task: str | None = None) -> Target:
    """Decide whether the target is classes or a number.

    Text, and at most 20 different whole numbers of which each is there twice on average, are classes.

    Args:
        name: of the target, for messages.
        texts: what stands in the file, one a sample.
        place: says where a sample is.
        task: one of TASKS; default as above.

    Raises:
        ValueError: for a regression to what are no numbers, and a single class.
    """
    labels = [label(text) for text in texts]
    found = set(labels)
    if task is None:
        whole = all(text.lstrip("-").isdigit() for text in found)
        few = len(found) <= MOST_WHOLE_CLASSES and 2 * len(found) <= len(labels)
        words = any(number(text) is None for text in found)
        task = "classification" if words or (whole and few) else "regression"
    if task == "regression":
        for i, text in enumerate(texts):
            _finite(text, i, place, name)
        return Target(name, task, [])
    if len(found) < 2:
        raise ValueError(f"the target {name!r} is always {labels[0]!r}: there is nothing to learn")
    return Target(name, task, ordered(labels))


def _finite(text: str, i: int, place: Place, name: str) -> float:
    value = number(text)
    if value is None or not np.isfinite(value):
        what = "no number, which a regression needs" if value is None else "not finite"
        raise ValueError(f"{place(i)}, {name!r}: {text!r} is {what}")
    return value
