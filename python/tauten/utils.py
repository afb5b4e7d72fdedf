"""Small helpers: seeds, what makes data ready, data sets that make batches by number, pictures of models."""

from __future__ import annotations

import gc
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten import _naming, _random
from tauten._checks import flag, integer, number
from tauten._dataset import PyDataset
from tauten._preparation import (
    is_keras_tensor,
    normalize,
    pack_x_y_sample_weight,
    pad_sequences,
    split_dataset,
    timeseries_dataset_from_array,
    unpack_x_y_sample_weight,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tauten.models import Model

Sequence = PyDataset  # its name in Keras 2

__all__ = [
    "PyDataset",
    "Sequence",
    "clear_session",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "set_random_seed",
    "split_dataset",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]


def set_random_seed(seed: int) -> None:
    """Seed everything random: Tauten's initial weights, shuffling and dropout, and Python's and NumPy's generators.

    With the same seed a script gives the same bits, on any number of threads.

    Args:
        seed: in [0, 2^32).

    Raises:
        TypeError, ValueError: unless `seed` is such an integer.
    """
    seed = integer(seed, "set_random_seed: seed", 0, 2**32 - 1)
    random.seed(seed)
    np.random.seed(seed)
    _random.set_seed(seed)


def clear_session(free_memory: bool = True) -> None:
    """Start automatic layer names anew: the next Dense is "dense" again. Models that exist stay as they are.

    Args:
        free_memory: collect what nobody refers to any more; default True.
    """
    _naming.reset()
    if free_memory:
        gc.collect()


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[Any]:
    """One-hot rows of class numbers: (...) or (..., 1) -> (..., num_classes), in tauten.config.floatx().

    Args:
        x: integers in [0, num_classes).
        num_classes: the width; by default the largest class plus one.

    Raises:
        ValueError: for numbers that are not whole or out of range.
    """
    from tauten.config import floatx

    given = np.asarray(x)
    if given.dtype.kind not in "iufb":
        raise TypeError(f"to_categorical: expected class numbers, got dtype {given.dtype}")
    labels = given.astype(np.int64)
    if given.dtype.kind == "f" and not np.array_equal(labels, given):
        raise ValueError("to_categorical: expected whole numbers as classes, got fractions or NaN")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.size == 0 and num_classes is None:
        raise ValueError("to_categorical: no labels to count the classes of: give num_classes")
    classes = int(labels.max()) + 1 if num_classes is None else integer(num_classes, "to_categorical: num_classes")
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise ValueError(
            f"to_categorical: expected classes in [0, {classes}), got {int(labels.min())} to {int(labels.max())}"
        )
    one_hot = np.zeros((*labels.shape, classes), dtype=floatx())
    np.put_along_axis(one_hot, labels[..., None], 1, axis=-1)
    return one_hot


def plot_model(
    model: Model,
    to_file: str | os.PathLike[str] | None = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Figure:
    """Draw the graph of a model: a box for each call of a layer, arrows from what writes to what reads.

    Drawn with matplotlib alone (pip install 'tauten[plot]'), in ranks, with few crossings. A layer that is called
    several times has a box for each call, which says so.

    Args:
        model: built.
        to_file: where to save the picture, in the format of its ending: png (also without an ending), svg, pdf, ...;
            None saves nothing.
        show_shapes: what each call reads and writes, and the layer's number of parameters.
        show_dtype: the type of what it writes.
        show_layer_names: names beside the classes.
        rankdir: "TB" from top to bottom (default), "BT", "LR" from left to right, "RL".
        expand_nested: models within the model as frames around their layers.
        dpi: dots an inch, of formats that have dots.
        show_layer_activations: the activations of layers that have one.
        show_trainable: whether layers with weights are trainable.

    Returns:
        The matplotlib Figure, which a notebook shows; pyplot does not keep it.

    Raises:
        ImportError: without matplotlib.
        TypeError, ValueError: for wrong arguments, an unknown ending, and a model that is not built.
    """
    from tauten import _model_plot, _plots
    from tauten._inspection import check_model
    from tauten._model_boxes import Shown
    from tauten.models import Sequential

    what = "plot_model"
    check_model(model, what)
    shown = Shown(
        flag(show_shapes, f"{what}: show_shapes"),
        flag(show_dtype, f"{what}: show_dtype"),
        flag(show_layer_names, f"{what}: show_layer_names"),
        flag(expand_nested, f"{what}: expand_nested"),
        flag(show_layer_activations, f"{what}: show_layer_activations"),
        flag(show_trainable, f"{what}: show_trainable"),
    )
    if rankdir not in _model_plot.DIRECTIONS:
        raise ValueError(f"{what}: rankdir: expected one of {', '.join(_model_plot.DIRECTIONS)}, got {rankdir!r}")
    dpi = number(dpi, f"{what}: dpi", 1)
    if not model.built or not model.layers:
        raise ValueError(
            f"{what}: model {model.name!r} is not built, so it has no graph yet: begin it with an Input, or build() it"
        )
    if not isinstance(to_file, (str, os.PathLike, type(None))):
        raise TypeError(f"{what}: to_file: expected a path or None, got {to_file!r}")
    path = None if to_file is None else Path(to_file)
    if path is not None:
        _plots.check_ending(path, f"{what}: to_file", empty=True)
    figure = _model_plot.draw(model, shown, rankdir, inputs=not isinstance(model, Sequential))
    if path is not None:
        figure.savefig(path, dpi=dpi, format=path.suffix[1:] or "png")
    return figure
