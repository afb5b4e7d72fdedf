"""PyTorch, eager, in the fastest of its documented ways: memory layout times implementation of SGD."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.workloads import Array, Conv, Dense, Embedding, Flatten, Pool, Recurrent, Workload

LAST = {3: torch.contiguous_format, 4: torch.channels_last, 5: torch.channels_last_3d}


class _Recurrent(nn.Module):
    """nn.LSTM or nn.RNN without the final state."""

    def __init__(self, layer: Recurrent, features: int, batch_first: bool) -> None:
        super().__init__()
        kind = {"rnn": nn.RNN, "lstm": nn.LSTM}[layer.cell]
        self.cell = kind(features, layer.units, batch_first=batch_first)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.cell(x)[0]
        return y


class _FlattenLast(nn.Module):
    """Flattens with the channels last: free of charge in that layout, and Keras' order of the features."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.movedim(1, -1).flatten(1)


def _copy(parameter: nn.Parameter, value: Array) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))


class Model:
    """A Sequential module, its optimizer, and data in the layout it likes best."""

    def __init__(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> None:
        layout, sgd = variant.split(", ")
        self.spatial = len(workload.shape) - 1 if any(isinstance(layer, Conv) for layer in workload.layers) else 0
        self.channels_last = layout == "channels_last"
        self.time_major = layout == "time_major"
        self.network = self._build(workload, list(weights))
        if self.channels_last:
            self.network.to(memory_format=LAST[self.spatial + 2])
        # A recurrent layer has two biases here and one in Keras: at half the rate each, their sum learns alike.
        twins = [p for name, p in self.network.named_parameters() if "bias_ih" in name or "bias_hh" in name]
        rest = [p for p in self.network.parameters() if not any(p is twin for twin in twins)]
        groups: list[dict[str, Any]] = [{"params": rest}]
        if twins:
            groups.append({"params": twins, "lr": learning_rate / 2})
        options = {"foreach": {"foreach": True}, "fused": {"fused": True}, "for-loop": {"foreach": False}}[sgd]
        self.optimizer = torch.optim.SGD(groups, lr=learning_rate, momentum=momentum, **options)

    def _build(self, workload: Workload, weights: list[Array]) -> nn.Sequential:
        modules: list[nn.Module] = []
        shape = workload.shape
        for layer in workload.layers:
            if isinstance(layer, Conv):
                kind = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[self.spatial]
                conv = kind(shape[-1], layer.filters, layer.kernel, padding="same")
                _copy(conv.weight, np.moveaxis(weights.pop(0), (-1, -2), (0, 1)))
                _copy(conv.bias, weights.pop(0))
                modules += [conv, nn.ReLU()]
                shape = (*shape[:-1], layer.filters)
            elif isinstance(layer, Pool):
                modules.append({1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}[self.spatial](layer.size))
                shape = (*(extent // layer.size for extent in shape[:-1]), shape[-1])
            elif isinstance(layer, Flatten):
                modules.append(_FlattenLast() if self.channels_last else nn.Flatten())
                if not self.channels_last:  # the rows of the next kernel: from (..., channels) to (channels, ...)
                    kernel = weights[0].reshape(*shape, -1)
                    weights[0] = np.moveaxis(kernel, -2, 0).reshape(weights[0].shape)
                shape = (int(np.prod(shape)),)
            elif isinstance(layer, Embedding):
                embedding = nn.Embedding(layer.vocabulary, layer.units)
                _copy(embedding.weight, weights.pop(0))
                modules.append(embedding)
                shape = (*shape, layer.units)
            elif isinstance(layer, Dense):
                dense = nn.Linear(shape[-1], layer.units)
                _copy(dense.weight, weights.pop(0).T)
                _copy(dense.bias, weights.pop(0))
                modules += [dense, nn.ReLU()] if layer.activation == "relu" else [dense]
                shape = (*shape[:-1], layer.units)
            else:
                recurrent = _Recurrent(layer, shape[-1], batch_first=not self.time_major)
                _copy(recurrent.cell.weight_ih_l0, weights.pop(0).T)
                _copy(recurrent.cell.weight_hh_l0, weights.pop(0).T)
                _copy(recurrent.cell.bias_ih_l0, weights.pop(0))
                nn.init.zeros_(recurrent.cell.bias_hh_l0)
                modules.append(recurrent)
                shape = (*shape[:-1], layer.units)
        return nn.Sequential(*modules)

    def put(self, x: Array, y: Array) -> tuple[torch.Tensor, torch.Tensor]:
        inputs = torch.from_numpy(x if x.dtype == np.float32 else x.astype(np.int64))
        labels = torch.from_numpy(y.astype(np.int64))
        if self.spatial:
            inputs = inputs.movedim(-1, 1)
            layout = LAST[self.spatial + 2] if self.channels_last else torch.contiguous_format
            inputs = inputs.contiguous(memory_format=layout)
        if self.time_major:
            inputs, labels = inputs.transpose(0, 1).contiguous(), labels.transpose(0, 1).contiguous()
        return inputs, labels

    def _rows(self, data: tuple[torch.Tensor, torch.Tensor], index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        axis = 1 if self.time_major else 0
        x, y = data
        if self.channels_last and self.spatial:  # index_select forgets the layout; indexing keeps it
            return x[index], y[index]
        return x.index_select(axis, index), y.index_select(axis, index)

    def _loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(self.network(x).flatten(0, -2), y.flatten())

    def train(self, data: tuple[torch.Tensor, torch.Tensor], index: Array | None = None) -> None:
        x, y = data if index is None else self._rows(data, torch.from_numpy(index))
        self.optimizer.zero_grad(set_to_none=True)
        self._loss(x, y).backward()
        self.optimizer.step()

    def _batches(self, data: tuple[torch.Tensor, torch.Tensor], batch: int) -> Any:
        samples = data[0].shape[1 if self.time_major else 0]
        for first in range(0, samples, batch):
            yield self._rows(data, torch.arange(first, min(first + batch, samples)))

    def loss(self, data: tuple[torch.Tensor, torch.Tensor], batch: int) -> float:
        with torch.inference_mode():
            total = sum(float(self._loss(x, y)) * y.numel() for x, y in self._batches(data, batch))
        return total / data[1].numel()

    def accuracy(self, data: tuple[torch.Tensor, torch.Tensor], batch: int) -> float:
        with torch.inference_mode():
            hits = sum(int((self.network(x).argmax(-1) == y).sum()) for x, y in self._batches(data, batch))
        return hits / data[1].numel()


class Library:
    """PyTorch with a number of threads."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        self.version = str(torch.__version__)

    def variants(self, workload: Workload) -> list[str]:
        layouts = ["contiguous"]
        if workload.per_step:
            layouts = ["batch_first", "time_major"]
        elif any(isinstance(layer, Conv) for layer in workload.layers) and len(workload.shape) > 2:
            layouts = ["contiguous", "channels_last"]
        return [f"{layout}, {sgd}" for layout in layouts for sgd in ("foreach", "fused", "for-loop")]

    def model(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> Model:
        return Model(workload, weights, learning_rate, momentum, variant)
