"""Tauten: a small, fast deep-learning library for CPUs with Keras' names.

Example::

    import tauten
    from tauten import layers

    model = tauten.Sequential([tauten.Input((784,)), layers.Dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5)
"""

from tauten import (
    activations,
    callbacks,
    config,
    constraints,
    datasets,
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
