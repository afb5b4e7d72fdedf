"""PyTorch, in the fastest of its documented ways: memory layout, implementation of SGD, eager or compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.workloads import (
    EPSILON,
    MOMENTUM,
    Array,
    Conv,
    Dense,
    Embedding,
    Flatten,
    Pool,
    Recurrent,
    Residual,
    Workload,
    after,
    channels_first_rows,
)

RECURRENT = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
LAST = {3: torch.contiguous_format, 4: torch.channels_last, 5: torch.channels_last_3d}


class _Recurrent(nn.Module):
    """nn.RNN, nn.GRU or nn.LSTM without the final state, or with nothing else."""

    def __init__(self, layer: Recurrent, features: int, batch_first: bool) -> None:
        super().__init__()
        kind = RECURRENT[layer.cell]
        self.cell = kind(features, layer.units, batch_first=batch_first, bidirectional=layer.bidirectional)
        self.sequences = layer.sequences

    def forward(self, x: Any) -> torch.Tensor:
        states, last = self.cell(x)
        if self.sequences:
            return states
        h = last[0] if isinstance(last, tuple) else last
        return h.transpose(0, 1).flatten(1)


class _FlattenLast(nn.Module):
    """Flattens with the channels last: free of charge in that layout, and Keras' order of the features."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.movedim(1, -1).flatten(1)


class _Residual(nn.Module):
    """relu(x + F(x))."""

    def __init__(self, layer: Residual, channels: int, spatial: int) -> None:
        super().__init__()
        conv = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[spatial]
        norm = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}[spatial]
        self.parts = nn.Sequential()
        for end in range(2):
            self.parts.append(conv(channels, channels, layer.kernel, padding="same", bias=False))
            self.parts.append(norm(channels, eps=EPSILON, momentum=1 - MOMENTUM))
            if end == 0:
                self.parts.append(nn.ReLU(inplace=True))

    def set_weights(self, weights: list[Array]) -> None:
        for part in self.parts:
            if isinstance(part, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
                _copy(part.weight, np.moveaxis(weights.pop(0), (-1, -2), (0, 1)))
            elif not isinstance(part, nn.ReLU):
                for value in (part.weight, part.bias, part.running_mean, part.running_var):
                    _copy(value, weights.pop(0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.parts(x))


def _copy(parameter: torch.Tensor, value: Array) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))


def _gates(weight: Array, cell: str) -> Array:
    """(..., gates * units) in Keras' order -> PyTorch's, which differs for the GRU: z r h -> r z h."""
    if cell != "gru":
        return weight
    z, r, h = np.split(weight, 3, axis=-1)
    return np.concatenate([r, z, h], axis=-1)


def _network(workload: Workload, weights: list[Array], layout: str) -> nn.Sequential:
    """The workload's modules with these weights."""
    weights = list(weights)
    modules: list[nn.Module] = []
    shape = workload.shape
    spatial = len(shape) - 1
    for layer in workload.layers:
        if isinstance(layer, Conv):
            kind = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[spatial]
            conv = kind(shape[-1], layer.filters, layer.kernel, padding="same")
            _copy(conv.weight, np.moveaxis(weights.pop(0), (-1, -2), (0, 1)))
            _copy(conv.bias, weights.pop(0))
            modules += [conv, nn.ReLU()]
            shape = (*shape[:-1], layer.filters)
        elif isinstance(layer, Residual):
            block = _Residual(layer, shape[-1], spatial)
            block.set_weights(weights)
            modules.append(block)
        elif isinstance(layer, Pool):
            modules.append({1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}[spatial](layer.size))
            shape = (*(extent // layer.size for extent in shape[:-1]), shape[-1])
        elif isinstance(layer, Flatten):
            modules.append(_FlattenLast() if layout == "channels_last" else nn.Flatten())
            if layout != "channels_last":
                weights[0] = channels_first_rows(weights[0], shape)
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
            recurrent = _Recurrent(layer, shape[-1], batch_first=layout != "time_major")
            for end in ("_l0", "_l0_reverse")[: 1 + layer.bidirectional]:
                kernel, state, bias = (_gates(weights.pop(0), layer.cell) for _ in range(3))
                input_bias, state_bias = bias if layer.cell == "gru" else (bias, np.zeros_like(bias))
                _copy(getattr(recurrent.cell, f"weight_ih{end}"), kernel.T)
                _copy(getattr(recurrent.cell, f"weight_hh{end}"), state.T)
                _copy(getattr(recurrent.cell, f"bias_ih{end}"), input_bias)
                _copy(getattr(recurrent.cell, f"bias_hh{end}"), state_bias)
            modules.append(recurrent)
            shape = after(layer, shape)
    network = nn.Sequential(*modules)
    return network.to(memory_format=LAST[spatial + 2]) if layout == "channels_last" else network


Data = tuple[torch.Tensor, torch.Tensor, Any]


class Model:
    """A Sequential module, its optimizer, and data in the layout it likes best."""

    def __init__(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> None:
        layout, sgd, how = variant.split(", ")
        self.spatial = len(workload.shape) - 1 if workload.convolutional else 0
        self.channels_last = layout == "channels_last"
        self.time_major = layout == "time_major"
        self.network: Any = _network(workload, weights, layout)
        # An RNN or LSTM has two biases here and one in Keras: at half the rate each, their sum learns alike.
        twins = [
            p
            for cell in self.network.modules()
            if isinstance(cell, (nn.RNN, nn.LSTM))
            for name, p in cell.named_parameters()
            if name.startswith("bias_")
        ]
        rest = [p for p in self.network.parameters() if not any(p is twin for twin in twins)]
        groups: list[dict[str, Any]] = [{"params": rest, "share": 1.0}]
        if twins:
            groups.append({"params": twins, "share": 0.5, "lr": learning_rate / 2})
        options = {"foreach": {"foreach": True}, "fused": {"fused": True}, "for-loop": {"foreach": False}}[sgd]
        self.optimizer = torch.optim.SGD(groups, lr=learning_rate, momentum=momentum, **options)
        if how == "compiled":
            self.network = torch.compile(self.network)

    def put(self, x: Array, y: Array, lengths: Array | None = None) -> Data:
        inputs = torch.from_numpy(x if x.dtype == np.float32 else x.astype(np.int64))
        labels = torch.from_numpy(y.astype(np.int64))
        if self.spatial:
            inputs = inputs.movedim(-1, 1)
            layout = LAST[self.spatial + 2] if self.channels_last else torch.contiguous_format
            inputs = inputs.contiguous(memory_format=layout)
        if self.time_major:
            inputs = inputs.transpose(0, 1).contiguous()
            labels = labels.transpose(0, 1).contiguous() if labels.ndim > 1 else labels
        return inputs, labels, None if lengths is None else torch.from_numpy(lengths.astype(np.int64))

    def _rows(self, data: Data, index: torch.Tensor) -> Data:
        x, y, lengths = data
        if self.channels_last:  # index_select forgets the layout; indexing keeps it
            return x[index], y[index], None
        axis = 1 if self.time_major else 0
        y = y.index_select(axis if y.ndim > 1 else 0, index)
        return x.index_select(axis, index), y, None if lengths is None else lengths[index]

    def _forward(self, x: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
        if lengths is not None:
            packed = nn.utils.rnn.pack_padded_sequence(
                x, lengths, batch_first=not self.time_major, enforce_sorted=False
            )
            return self.network(packed)
        return self.network(x)

    def _loss(self, x: torch.Tensor, y: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
        return nn.functional.cross_entropy(self._forward(x, lengths).flatten(0, -2), y.flatten())

    def train(self, data: Data, index: Array | None = None) -> None:
        rows = data if index is None else self._rows(data, torch.from_numpy(index))
        self.optimizer.zero_grad(set_to_none=True)
        self._loss(*rows).backward()
        self.optimizer.step()

    def set_learning_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            old, group["lr"] = group["lr"], group["share"] * rate
            # W <- W - rate v, v <- momentum v + g: v would take the new rate at once, and does not in Keras' formula.
            for parameter in group["params"]:
                velocity = self.optimizer.state[parameter].get("momentum_buffer")
                if velocity is not None:
                    velocity.mul_(old / group["lr"])

    def wait(self) -> None:
        pass

    def _batches(self, data: Data, batch: int) -> Any:
        self.network.eval()
        samples = data[0].shape[1 if self.time_major else 0]
        for first in range(0, samples, batch):
            yield self._rows(data, torch.arange(first, min(first + batch, samples)))
        self.network.train()

    def loss(self, data: Data, batch: int) -> float:
        with torch.inference_mode():
            total = sum(float(self._loss(*rows)) * rows[1].numel() for rows in self._batches(data, batch))
        return total / data[1].numel()

    def accuracy(self, data: Data, batch: int) -> float:
        with torch.inference_mode():
            hits = sum(
                int((self._forward(x, lengths).argmax(-1) == y).sum()) for x, y, lengths in self._batches(data, batch)
            )
        return hits / data[1].numel()


class Library:
    """PyTorch with a number of threads."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        self.version = str(torch.__version__)

    def _layouts(self, workload: Workload) -> list[str]:
        if workload.recurrent:
            return ["batch_first", "time_major"]
        return ["contiguous", "channels_last"] if workload.convolutional and len(workload.shape) > 2 else ["contiguous"]

    def variants(self, workload: Workload, quick: bool) -> list[str]:
        if not workload.cells <= RECURRENT.keys():
            return []
        layouts = self._layouts(workload)
        found = [f"{layout}, {sgd}, eager" for layout in layouts for sgd in ("foreach", "fused", "for-loop")]
        if not quick and not workload.unequal:
            found += [f"{layout}, fused, compiled" for layout in layouts]
        return found

    def model(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> Model:
        return Model(workload, weights, learning_rate, momentum, variant)

    def predictor_variants(self, workload: Workload, quick: bool) -> list[str]:
        if not workload.cells <= RECURRENT.keys():
            return []
        ways = ["eager", "TorchScript, frozen", *([] if quick else ["compiled"])]
        return [f"{layout}, {how}" for layout in self._layouts(workload) for how in ways]

    def predictor(self, workload: Workload, weights: list[Array], variant: str) -> Callable[[Array], Array]:
        layout, how = variant.split(", ", 1)
        network: Any = _network(workload, weights, layout).eval()

        def put(x: Array) -> torch.Tensor:
            inputs = torch.from_numpy(x)
            if workload.convolutional:
                inputs = inputs.movedim(-1, 1)
                kind = LAST[inputs.ndim] if layout == "channels_last" else torch.contiguous_format
                return inputs.contiguous(memory_format=kind)
            return inputs.transpose(0, 1) if layout == "time_major" else inputs

        if how == "compiled":
            network = torch.compile(network)
        elif how == "TorchScript, frozen":
            example = put(np.zeros((workload.batch, *workload.shape), np.float32))
            with torch.no_grad():
                network = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, example)))

        def forward(x: Array) -> Array:
            with torch.inference_mode():
                y = network(put(x))
            y = y.transpose(0, 1) if layout == "time_major" and workload.per_step else y
            result: Array = y.numpy()
            return result

        return forward
