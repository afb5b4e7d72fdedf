"""A graph of reference layers: values forwards in the order of the calls, gradients backwards, added up."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import numpy as np

from .layer import Layer, Step
from .losses import LOSSES


class Merge:
    """y = kind(x_0, x_1, ...) elementwise; axes of 1 stand for all, missing ones behind the batch for axes of 1."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.weights: list[np.ndarray] = []
        self.gradients: list[np.ndarray] = []

    def forward(self, xs: list[np.ndarray]) -> np.ndarray:
        rank = max(x.ndim for x in xs)
        self.shapes = [x.shape for x in xs]
        self.xs = [x.reshape(len(x), *(1,) * (rank - x.ndim), *x.shape[1:]) for x in xs]
        whole = np.stack(np.broadcast_arrays(*self.xs))
        self.whole = whole
        if self.kind == "subtract":
            return whole[0] - whole[1]
        return {"add": np.sum, "average": np.mean, "multiply": np.prod, "maximum": np.max, "minimum": np.min}[
            self.kind
        ](whole, axis=0)

    def backward(self, grad: np.ndarray) -> list[np.ndarray]:
        n = len(self.xs)
        winner = {"maximum": np.argmax, "minimum": np.argmin}.get(self.kind, np.argmax)(self.whole, axis=0)
        found = []
        for i, (x, shape) in enumerate(zip(self.xs, self.shapes, strict=True)):
            g = {
                "add": lambda i: grad,
                "subtract": lambda i: grad if i == 0 else -grad,
                "average": lambda i: grad / n,
                "multiply": lambda i: grad * np.prod(np.delete(self.whole, i, axis=0), axis=0),
                "maximum": lambda i: grad * (winner == i),
                "minimum": lambda i: grad * (winner == i),
            }[self.kind](i)
            spread = tuple(a for a in range(g.ndim) if x.shape[a] == 1 and g.shape[a] > 1)
            found.append(g.sum(axis=spread, keepdims=True).reshape(shape))
        return found


class Concatenate(Merge):
    """One behind the other along an axis; the batch is axis 0."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__("concatenate")
        self.axis = axis

    def forward(self, xs: list[np.ndarray]) -> np.ndarray:
        self.cuts = np.cumsum([x.shape[self.axis] for x in xs])[:-1]
        return np.concatenate(xs, axis=self.axis)

    def backward(self, grad: np.ndarray) -> list[np.ndarray]:
        return np.split(grad, self.cuts, axis=self.axis)


@dataclass
class Head:
    """What an output is trained to: E += weight · mean over the rows of their losses, times the samples' weights."""

    loss: str
    from_logits: bool = False
    weight: float = 1.0


@dataclass
class Graph:
    """nodes: (layer, what it reads, what it writes), values by name; a layer may stand at several places."""

    inputs: list[str] = field(default_factory=list)
    nodes: list[tuple[Layer | Merge, list[str], str]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    def forward(self, xs: list[np.ndarray], training: bool = False) -> list[np.ndarray]:
        values = dict(zip(self.inputs, xs, strict=True))
        step = Step(training, 0, np.arange(len(xs[0])))
        self.calls = []
        for layer, reads, write in self.nodes:
            call = copy.copy(layer)  # what it remembers of this place is its own, weights are the layer's
            read = [values[name] for name in reads]
            values[write] = call.forward(read) if isinstance(call, Merge) else call.forward(read[0], step)
            self.calls.append((call, layer, reads, write))
        return [values[name] for name in self.outputs]

    def gradients(
        self, xs: list[np.ndarray], ys: list[np.ndarray | None], heads: list[Head | None], training: bool = True
    ) -> tuple[float, dict[int, list[np.ndarray]], list[np.ndarray]]:
        """The loss, of each layer (by id) its weights' gradients, and of each input its own."""
        total = 0.0
        flowing: dict[str, np.ndarray] = {}

        def flow(name: str, gradient: np.ndarray) -> None:
            flowing[name] = flowing[name] + gradient if name in flowing else gradient

        for name, o, y, head in zip(self.outputs, self.forward(xs, training), ys, heads, strict=True):
            if head is not None:
                losses, gradient = LOSSES[head.loss](o, y, head.from_logits)
                total += head.weight * losses.mean()
                flow(name, head.weight * gradient / losses.size)
        found: dict[int, list[np.ndarray]] = {}
        for call, layer, reads, write in reversed(self.calls):
            if write not in flowing:
                continue
            back = call.backward(flowing[write])
            for name, gradient in zip(reads, back if isinstance(back, list) else [back], strict=True):
                if gradient is not None:
                    flow(name, gradient)
            before = found.get(id(layer), [np.zeros_like(g) for g in call.gradients])
            found[id(layer)] = [a + b for a, b in zip(before, call.gradients, strict=True)]
        return total, found, [flowing.get(name) for name in self.inputs]
