"""Tauten: a small, fast deep-learning library for CPUs with Keras' names.

Example::

    import tauten
    from tauten import layers

    model = tauten.Sequential([tauten.Input((784,)), layers.Dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5)
"""

import importlib
from typing import TYPE_CHECKING, Any

from tauten import (
    activations,
    callbacks,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    random,
    regularizers,
)
from tauten._core import __version__
from tauten._tensors import KerasTensor
from tauten.layers import Input
from tauten.models import Model, Sequential

if TYPE_CHECKING:
    from tauten import datasets, diagnostics, ops, plot, utils

__all__ = [
    "Input",
    "KerasTensor",
    "Model",
    "Sequential",
    "__version__",
    "activations",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "diagnostics",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "plot",
    "random",
    "regularizers",
    "utils",
]


# Imported when they are first asked for: scripts need few of them, and all would wait.
_LATER = ("datasets", "diagnostics", "ops", "plot", "utils")

if not TYPE_CHECKING:  # which would take every name for one that there is

    def __getattr__(name: str) -> Any:
        """A module that was not imported yet."""
        if name in _LATER:
            return importlib.import_module(f"tauten.{name}")
        raise AttributeError(f"module 'tauten' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
