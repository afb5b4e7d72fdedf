"""Layers that move positions of a grid, and pooling over all of them, each channel on its own."""

from __future__ import annotations

import numpy as np

from .layer import Layer, Shape, Step


class GlobalPool(Layer):
    """kind "max" or "average" over all axes between batch and channels; no positions at all give zeros."""

    def __init__(self, kind: str, keepdims: bool = False) -> None:
        super().__init__()
        self.kind, self.keepdims = kind, keepdims

    def build(self, shape: Shape) -> Shape:
        self.rank = len(shape) - 1
        return (*[1] * self.rank, shape[-1]) if self.keepdims else (shape[-1],)

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.shape = x.shape
        rows = x.reshape(len(x), int(np.prod(x.shape[1:-1])), x.shape[-1])
        n = rows.shape[1]
        y, self.share = np.zeros((len(x), x.shape[-1])), np.zeros(rows.shape)
        if n and self.kind == "max":
            self.share = np.arange(n)[:, None] == rows.argmax(axis=1)[:, None]
            y, ordered = rows.max(axis=1), np.sort(rows, axis=1)
            self.margin = (ordered[:, -1] - ordered[:, -2]).min(initial=np.inf) if n > 1 else np.inf
        elif n:
            y, self.share = rows.sum(axis=1) / n, np.full(rows.shape, 1 / n)
        return y.reshape(len(x), *[1] * self.rank, -1) if self.keepdims else y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return (self.share * grad.reshape(len(grad), 1, -1)).reshape(self.shape)


class Linear(Layer):
    """Each axis between batch and channels through a matrix (outputs, inputs) of its own."""

    def matrix(self, axis: int, n: int) -> np.ndarray:
        raise NotImplementedError

    def build(self, shape: Shape) -> Shape:
        self.matrices = [self.matrix(axis, n) for axis, n in enumerate(shape[:-1])]
        return (*[len(m) for m in self.matrices], shape[-1])

    def apply(self, x: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        for axis, m in enumerate(matrices):
            x = np.moveaxis(np.tensordot(m, x, (1, axis + 1)), 0, axis + 1)
        return x

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        return self.apply(x, self.matrices)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return self.apply(grad, [m.T for m in self.matrices])


class Margins(Linear):
    """Zeros (before, after) around each axis; negative: positions cut off."""

    def __init__(self, *amounts: tuple[int, int]) -> None:
        super().__init__()
        self.amounts = amounts

    def matrix(self, axis: int, n: int) -> np.ndarray:
        before, after = self.amounts[axis]
        return np.eye(n + before + after, n, -before)


class UpSampling(Linear):
    """Each axis times a factor: positions repeated, or "bilinear" at half-pixel centres."""

    def __init__(self, size: tuple[int, ...], interpolation: str = "nearest") -> None:
        super().__init__()
        self.size, self.interpolation = size, interpolation

    def matrix(self, axis: int, n: int) -> np.ndarray:
        size = self.size[axis]
        m = np.zeros((n * size, n))
        for o in range(n * size):
            at = (o + 0.5) / size - 0.5 if self.interpolation == "bilinear" else o // size
            low = int(np.floor(at))
            for i, share in ((low, 1 - (at - low)), (low + 1, at - low)):
                m[o, min(max(i, 0), n - 1)] += share
        return m


class Permute(Layer):
    """Axis j of the output is axis order[j] of the input, both without the batch."""

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def build(self, shape: Shape) -> Shape:
        return tuple(shape[axis] for axis in self.order)

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        return x.transpose(0, *(axis + 1 for axis in self.order))

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad.transpose(0, *(axis + 1 for axis in np.argsort(self.order)))


class ChannelsFirst(Layer):
    """A layer on (channels, ...): the channels are moved last for it, and to the front again behind it."""

    def __init__(self, inner: Layer) -> None:
        super().__init__()
        self.inner = inner

    def build(self, shape: Shape) -> Shape:
        output = self.inner.build((*shape[1:], shape[0]))
        self.turned = len(output) > 1
        return (output[-1], *output[:-1]) if self.turned else output

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        y = self.inner.forward(np.moveaxis(x, 1, -1), step)
        return np.moveaxis(y, -1, 1) if self.turned else y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return np.moveaxis(self.inner.backward(np.moveaxis(grad, 1, -1) if self.turned else grad), -1, 1)

    @property
    def weights(self) -> list[np.ndarray]:
        return self.inner.weights

    @weights.setter
    def weights(self, values: list[np.ndarray]) -> None:
        if hasattr(self, "inner"):
            self.inner.weights = values

    @property
    def gradients(self) -> list[np.ndarray]:
        return self.inner.gradients

    @gradients.setter
    def gradients(self, values: list[np.ndarray]) -> None:
        if hasattr(self, "inner"):
            self.inner.gradients = values

    @property
    def margin(self) -> float:
        return self.inner.margin

    @margin.setter
    def margin(self, value: float) -> None:
        if hasattr(self, "inner"):
            self.inner.margin = value
