"""What Model.gradients() returns: the loss and its gradients, to weights and to inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten._judging import Judge
from tauten._loops import every

if TYPE_CHECKING:
    from tauten._data import Data
    from tauten._graph import Entry
    from tauten.models import Model

    Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Gradients:
    """What Model.gradients() found.

    Attributes:
        loss: the mean loss, times loss_weights if there are several, with the penalties.
        weights: path -> ∂loss/∂weight, in Keras' shapes; those of trainable weights.
        inputs: ∂loss/∂x, held as the model's inputs are.
    """

    loss: float
    weights: dict[str, Floats]
    inputs: Any

    def __repr__(self) -> str:
        return f"<Gradients: loss {self.loss:.6g}, of {', '.join(self.weights)}>"


def gradients(model: Model, x: Any, y: Any, sample_weight: Any, training: bool) -> Gradients:
    """What Model.gradients() returns."""
    model._need_compiled("gradients")
    feed = model._feed(x, y, sample_weight)
    graph, index = model._graph_now(), every(feed)
    assert graph is not None
    judge = (
        Judge(feed.kept, index, True) if any(own is not None and own.loss is not None for own in feed.kept) else None
    )
    more = {} if judge is None else judge.arguments
    carrier = model._carrier()
    if carrier.stateful:
        more = {**more, "initial_states": carrier.initial(len(index))}
    network = graph.network
    try:
        result, weights, inputs = network.gradients(feed.x.sources, feed.y, index, feed.weight, training, **more)
    except FloatingPointError as error:
        raise FloatingPointError(f"model {model.name!r}, gradients: {error}") from error
    paths = zip(graph.named(), weights, strict=True)
    found = []
    for entry, data in zip(graph.entries, feed.x.parts, strict=True):
        own, inputs = inputs[: entry.count], inputs[entry.count :]
        found.append(_of_input(entry, data, own[-1] if entry.values else None))
    return Gradients(
        float(result.loss),
        {path: array for path, array in paths if array is not None},
        model._input_structure.pack(found, unpack=True),
    )


def _of_input(entry: Entry, data: Data, gradient: Floats | None) -> Floats | list[Floats] | None:
    """∂loss/∂x as the samples lie; None for integers."""
    if gradient is None or entry.layer.integers:
        return None
    if data.mask is not None:
        return data.mask.scatter(gradient)
    if data.steps is None:
        return gradient
    return np.split(gradient, np.cumsum(data.steps)[:-1])
