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
    diagnostics,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    plot,
    random,
    regularizers,
    utils,
)
from tauten._core import __version__
from tauten._tensors import KerasTensor
from tauten.layers import Input
from tauten.models import Model, Sequential

if TYPE_CHECKING:
    from tauten import datasets

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


def __getattr__(name: str) -> Any:
    """tauten.datasets is imported when it is first asked for: few scripts need it, and all would wait for it."""
    if name == "datasets":
        return importlib.import_module("tauten.datasets")
    raise AttributeError(f"module 'tauten' has no attribute {name!r}")
