"""Pictures of what convolutional networks learned: filters, feature maps and saliency; pip install 'tauten[plot]'.

Example::

    tauten.plot.filters(model, "conv2d").savefig("filters.png")
    tauten.plot.feature_maps(model, "conv2d", x[0]).savefig("maps.png")
    tauten.plot.saliency(model, x[0]).savefig("saliency.png")

Each draws into a new figure of pyplot, or into the Figure or SubFigure that is given (best one with
layout="constrained"), and returns it. The numbers are those of `layer.get_weights()`, `diagnostics.activations` and
`diagnostics.saliency`, which need no matplotlib.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten import _data, _image_plots, _inspection
from tauten._checks import integer
from tauten.layers.aggregation import Aggregation
from tauten.layers.base import Layer
from tauten.layers.convolution import Conv, Convolution
from tauten.models import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["feature_maps", "filters", "saliency"]


def filters(model: Model, layer: str | Layer, *, most: int = 64, figure: Any = None) -> Figure:
    """The weights of a convolution's filters, or of an aggregation's window, blue below 0 and red above.

    Images of filters that slide over rows and columns; over steps, lines, one a channel of the input (images, channels
    x steps, beyond six). Filters of several channels are columns, their channels rows; slices of those over three
    dimensions follow each other in a column. All share one colour scale.

    Args:
        model: built.
        layer: a convolution or Aggregation1D to 3D of the model, or its name. Of a depthwise one, or the depthwise part
            of a separable one, the filters are numbered as the channels that they write.
        most: filters shown, and channels of each; default 64. The title says if there are more.
        figure: a matplotlib Figure or SubFigure to draw into; default a new one.

    Returns:
        The figure.

    Raises:
        ImportError: without matplotlib.
        TypeError, ValueError: for what is no model or not built, and a layer that has no filters.
    """
    _inspection.check_model(model, "plot.filters")
    most = integer(most, "plot.filters: most")
    _check_figure(figure, "plot.filters")
    chosen = _inspection.choose(model, layer, "plot.filters")
    if not isinstance(chosen, (Convolution, Aggregation)):
        there = [one.name for one in model.layers if isinstance(one, (Convolution, Aggregation))]
        kind = type(chosen).__name__
        hint = f"; there are {there}" if there else ", and no layer of this model has"
        raise ValueError(f"plot.filters: layer {chosen.name!r} ({kind}) has no filters{hint}")
    if not chosen.built:
        raise ValueError(
            f"plot.filters: layer {chosen.name!r} has no weights yet: begin model {model.name!r} with an Input, or "
            "build() it"
        )
    kernel = chosen.get_weights()[0]
    if isinstance(chosen, Aggregation):  # one filter
        return _image_plots.filters(f"Window of {chosen.name}", kernel[..., None], most, figure)
    if not isinstance(chosen, Conv):  # every channel has filters of its own
        kernel = kernel.reshape(*kernel.shape[:-2], 1, -1)
    return _image_plots.filters(f"Filters of {chosen.name}", kernel, most, figure)


def feature_maps(model: Model, layer: str | Layer, x: Any, *, most: int = 64, figure: Any = None) -> Figure:
    """What a layer makes of one sample: an image for each channel, all on one colour scale.

    Over steps a heat map, channels x steps (lines up to six channels); over three dimensions a row of slices for each
    channel; bars for a layer that writes a vector.

    Args:
        model: it need not be compiled.
        layer: one of the model's, or its name.
        x: a single sample, with or without the axis of samples.
        most: channels shown, and slices of each; default 64. The title says if there are more.
        figure: a matplotlib Figure or SubFigure to draw into; default a new one.

    Returns:
        The figure; diagnostics.activations() has the numbers.

    Raises:
        ImportError: without matplotlib.
        TypeError, ValueError: for what is no model, a layer that it has not, and what is not one sample of its input.
    """
    _inspection.check_model(model, "plot.feature_maps")
    most = integer(most, "plot.feature_maps: most")
    _check_figure(figure, "plot.feature_maps")
    chosen = _inspection.choose(model, layer, "plot.feature_maps")
    _, single = _one_sample(model, x, "plot.feature_maps")
    values = _inspection.activations(model, x, chosen)
    return _image_plots.feature_maps(chosen.name, np.asarray(values if single else values[0]), most, figure)


def saliency(model: Model, x: Any, target: Any = None, *, figure: Any = None) -> Figure:
    """One sample, and beside it |∂ score / ∂x|: where the score of a class depends on it most.

    diagnostics.saliency() says what the score is, and has the numbers. Images are shown as they are: one channel in
    grey, three in colour if they lie in [0, 1] or are bytes, else the mean of the channels; the map is the largest of a
    position's channels. Over steps, the sample's lines above a strip of the map; over three dimensions the slices with
    the largest values.

    Args:
        model: it need not be compiled.
        x: a single sample, with or without the axis of samples.
        target: the class; for outputs of more than one axis a tuple, such as (step, class). Default: the class that
            the model predicts.
        figure: a matplotlib Figure or SubFigure to draw into; default a new one.

    Returns:
        The figure.

    Raises:
        ImportError: without matplotlib.
        TypeError, ValueError: as diagnostics.saliency(), and for what is not one sample.
    """
    _inspection.check_model(model, "plot.saliency")
    _check_figure(figure, "plot.saliency")
    sample, single = _one_sample(model, x, "plot.saliency")
    values, (place,) = _inspection.explained(model, x, target)
    assert sample is not None  # explained() takes models of one input
    one = np.asarray(values if single else values[0])
    name = place[0] if len(place) == 1 else place
    return _image_plots.saliency(sample.reshape(one.shape), one, str(name), figure)


# -- inside


def _check_figure(figure: Any, what: str) -> None:
    if figure is not None and not (hasattr(figure, "subplots") and hasattr(figure, "colorbar")):
        raise TypeError(f"{what}: figure: expected a matplotlib Figure or SubFigure, got {type(figure).__name__}")


def _one_sample(model: Model, x: Any, what: str) -> tuple[NDArray[Any] | None, bool]:
    """The only sample in x, None for a model of several inputs, and whether it has no axis of samples."""
    data, single = _inspection.one_or_many(model, x)
    if data.samples != 1:
        raise ValueError(f"{what}: x: expected one sample, got {data.samples}; pick one, such as x[0]")
    if len(data.parts) > 1:
        return None, False
    if isinstance(x, Mapping):
        (x,) = x.values()
    raw = _data.read(x, "x")
    return np.asarray(raw if single else raw[0]), single
