"""Optimizers: how a step changes the weights (chapter §26.1.3; minibatch stochastic gradient descent)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tauten._registry import resolve, serialize, with_custom
from tauten.optimizers import schedules
from tauten.optimizers.adagrad import Adagrad
from tauten.optimizers.adam import Adam, AdamW
from tauten.optimizers.base import Optimizer
from tauten.optimizers.rmsprop import RMSprop
from tauten.optimizers.sgd import SGD

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "deserialize", "get", "schedules", "serialize",
]  # fmt: skip

_classes: tuple[type[Optimizer], ...] = (SGD, Adam, AdamW, RMSprop, Adagrad)
_names: dict[str, type[Optimizer]] = {name: c for c in _classes for name in (c.__name__, c.__name__.lower())}


def get(identifier: Optimizer | str | dict[str, Any]) -> Optimizer:
    """An optimizer from an object, a name ("sgd", "adam", "adamw", "rmsprop", "adagrad") or a config.

    Raises:
        ValueError, TypeError: for what names none.
    """
    return resolve(identifier, Optimizer, _names, "optimizer")


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Optimizer:
    """The optimizer that serialize() wrote; or one of your own, by its name in `custom_objects`."""
    return get(with_custom(config, custom_objects))


def slot_names() -> set[str]:
    """What the optimizers keep a weight, by name."""
    return {name for c in _classes for name in c.slot_names()}
