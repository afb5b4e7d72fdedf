"""Pictures of trainings, predictions, and what convolutional networks learned; pip install 'tauten[plot]'.

Example::

    tauten.plot.history(model.fit(x, y, epochs=10, validation_split=0.2)).savefig("history.png")
    tauten.plot.confusion_matrix(y_test, model.predict(x_test)).savefig("confusion.png")
    tauten.plot.filters(model, "conv2d").savefig("filters.png")
    tauten.plot.feature_maps(model, "conv2d", x[0]).savefig("maps.png")
    tauten.plot.saliency(model, x[0]).savefig("saliency.png")

Each draws into a new figure of pyplot, or into the Figure or SubFigure that is given (best one with
layout="constrained"), and returns it. The numbers are those of `layer.get_weights()`, `diagnostics.activations` and
`diagnostics.saliency`, which need no matplotlib. tauten.utils.plot_model() draws a model's graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten import _confusion, _data, _histories, _history_plot, _image_plots, _inspection, _prediction_plots, _series
from tauten._checks import flag, integer
from tauten.layers.aggregation import Aggregation
from tauten.layers.base import Layer
from tauten.layers.convolution import Conv, Convolution
from tauten.models import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["confusion_matrix", "feature_maps", "filters", "history", "saliency", "series"]


def history(
    history: Any,
    metrics: str | Sequence[str] | None = None,
    *,
    monitor: str | None = None,
    mode: str = "auto",
    log: bool | None = None,
    figure: Any = None,
) -> Figure:
    """Loss and metrics over epochs, of training and validation, with the best epoch marked.

    A panel for each metric, and for the learning rate where a callback noted it. Several histories lie above each
    other, a colour each, training dashed. Epochs count from 1; of those that were not validated there is no value.

    Args:
        history: what fit() returns, or its `.history`; for several a list of such, or a dict by their names.
        metrics: a name of the logs without "val_", or a list of them; default all.
        monitor: whose best value is marked, such as "val_accuracy"; default "val_loss", without validation "loss".
            NaN is never the best.
        mode: "min" if small is good, "max" if large is, "auto" (default) decides by the name.
        log: True for log scales, which leave out what is not positive, False for none. Default: for losses and learning
            rates that are positive and span more than a factor of 20.
        figure: a matplotlib Figure or SubFigure to draw into; default a new one.

    Returns:
        The figure.

    Raises:
        ImportError: without matplotlib.
        TypeError, ValueError: for what is no history, one without epochs, unknown names, another mode, and where nobody
            knows which direction is good.
    """
    what = "plot.history"
    _check_figure(figure, what)
    log = None if log is None else flag(log, f"{what}: log")
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"{what}: mode: expected 'auto', 'min' or 'max', got {mode!r}")
    runs = _histories.read(history, what)
    known = _histories.metrics(runs)
    chosen = known if metrics is None else [metrics] if isinstance(metrics, str) else list(metrics)
    for name in chosen:
        if name not in known:
            raise ValueError(f"{what}: metrics: there is no {name!r}; there are {known}")
    if not chosen:
        raise ValueError(f"{what}: metrics: expected at least one of {known}")
    if monitor is not None and not any(monitor in run.curves for run in runs):
        names = list(dict.fromkeys(name for run in runs for name in run.curves))
        raise ValueError(f"{what}: monitor: there is no {monitor!r}; there are {names}")
    return _history_plot.draw(runs, chosen, [run.best(monitor, mode, what) for run in runs], log, figure)


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    class_names: Sequence[str] | None = None,
    normalize: str | None = None,
    *,
    figure: Any = None,
) -> Figure:
    """Which classes are taken for which: rows are the true classes, columns the predicted ones.

    What is right is blue, what is wrong orange, each on a scale of its own, so that a few mistakes are seen beside
    many hits. Up to 25 classes have numbers in the cells.

    Args:
        y_true: class numbers, names, or one-hot rows; with an axis of steps too, and lists of sequences.
        y_pred: the same, or what predict() returns: probabilities or logits, (..., classes), of which the largest
            decides, or (...,) and (..., 1) in [0, 1], where more than 0.5 is class 1.
        class_names: in the order of the numbers; default the numbers.
        normalize: "true" for shares of each row, "pred" of each column, "all" of all; default None, counts.
        figure: a matplotlib Figure or SubFigure to draw into; default a new one.

    Returns:
        The figure.

    Raises:
        ImportError: without matplotlib.
        TypeError, ValueError: for what are no labels, lengths that differ, classes without a name, another `normalize`.
    """
    what = "plot.confusion_matrix"
    _check_figure(figure, what)
    if normalize not in (None, "true", "pred", "all"):
        raise ValueError(f"{what}: normalize: expected 'true', 'pred', 'all' or None, got {normalize!r}")
    counts, names = _confusion.confusion(y_true, y_pred, class_names, what)
    return _prediction_plots.confusion(counts, names, normalize, figure)


def series(
    y_true: Any,
    y_pred: Any,
    *,
    kind: str = "lines",
    names: Sequence[str] | None = None,
    most: int = 6,
    figure: Any = None,
) -> Figure:
    """Predictions and truth: of series as lines over steps, of any regression as predicted over true values.

    Args:
        y_true: (steps,), or (steps, outputs) with a panel for each output; (samples, steps, outputs) or a list of
            sequences with a panel for each sample and output. For kind="scatter" all samples and steps lie together, a
            panel for each output, with R² and the mean absolute error. NaN is left out.
        y_pred: in the same shape, an axis of 1 at the end apart.
        kind: "lines" (default) or "scatter".
        names: of the outputs; default their numbers, if there are several.
        most: panels shown; default 6. The title says if there are more.
        figure: a matplotlib Figure or SubFigure to draw into; default a new one.

    Returns:
        The figure.

    Raises:
        ImportError: without matplotlib.
        TypeError, ValueError: for what are no numbers, shapes that differ, and another kind.
    """
    what = "plot.series"
    _check_figure(figure, what)
    if kind not in ("lines", "scatter"):
        raise ValueError(f"{what}: kind: expected 'lines' or 'scatter', got {kind!r}")
    most = integer(most, f"{what}: most")
    pairs = _series.pairs(y_true, y_pred, names, kind == "scatter", what)
    note = f"{most} of {len(pairs)} panels" if len(pairs) > most else ""
    return getattr(_prediction_plots, kind)(pairs[:most], note, figure)  # type: ignore[no-any-return]


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
