"""The native core driven like the reference: the same layers, weights and examples."""

from __future__ import annotations

import numpy as np

import reference as ref
from examples import Batch
from tauten import _core

CELLS = {ref.SimpleRNN: "simple_rnn", ref.ForgetGateRNN: "forget_gate_rnn", ref.LSTM: "lstm", ref.GRU: "gru"}


def cell(at: ref.SimpleRNN | ref.ForgetGateRNN | ref.LSTM | ref.GRU) -> _core.Cell:
    gate = getattr(at, "recurrent_activation", "sigmoid")
    kind = CELLS[type(at)] if getattr(at, "reset_after", True) else "reset_first_gru"
    return _core.Cell(kind, at.units, at.activation, gate, at.use_bias, *(drop.rate for drop in at.dropping), at.seed)


def recurrent(n: _core.Network, name: str, e: int, at) -> int:
    return n.add_recurrent(name, e, cell(at), at.return_sequences, False)


def convolution(at: ref.Conv | ref.DepthwiseConv) -> tuple:
    return at.kernel, at.strides, at.padding, at.activation, at.use_bias


def separable(n: _core.Network, name: str, e: int, at: ref.SeparableConv, first: bool = False) -> int:
    inner, outer = at.depthwise, at.pointwise
    return n.add_separable_conv(
        name,
        e,
        outer.filters,
        inner.multiplier,
        *convolution(inner)[:-2],
        outer.activation,
        outer.use_bias,
        inner.dilation,
        inner.value,
        channels_first=first,
    )


ADD = {
    ref.Dense: lambda n, name, e, at: n.add_dense(name, e, at.units, at.activation, at.use_bias),
    ref.Activation: lambda n, name, e, at: n.add_activation(name, e, at.activation),
    ref.ReLU: lambda n, name, e, at: n.add_relu(name, e, at.max_value, at.negative_slope, at.threshold),
    ref.ELU: lambda n, name, e, at: n.add_elu(name, e, at.alpha),
    ref.PReLU: lambda n, name, e, at: n.add_prelu(name, e, at.shared_axes),
    ref.Flatten: lambda n, name, e, at, *first: n.add_flatten(name, e, *first),
    ref.Reshape: lambda n, name, e, at: n.add_reshape(name, e, at.shape),
    ref.Dropout: lambda n, name, e, at: n.add_dropout(name, e, at.rate, at.seed),
    ref.Conv: lambda n, name, e, at, *first: n.add_conv(
        name, e, at.filters, *convolution(at), at.dilation, at.groups, at.value, *first
    ),
    ref.DepthwiseConv: lambda n, name, e, at, *first: n.add_depthwise_conv(
        name, e, at.multiplier, *convolution(at), at.dilation, at.value, *first
    ),
    ref.SeparableConv: separable,
    ref.Pool: lambda n, name, e, at, *first: n.add_pool(name, e, at.kind, at.window, at.strides, at.padding, *first),
    ref.GlobalPool: lambda n, name, e, at, *first: n.add_global_pool(name, e, at.kind, at.rank, at.keepdims, *first),
    ref.Margins: lambda n, name, e, at, *first: n.add_margins(name, e, at.amounts, *first),
    ref.UpSampling: lambda n, name, e, at, *first: n.add_upsampling(name, e, at.size, at.interpolation, *first),
    ref.Permute: lambda n, name, e, at: n.add_permute(name, e, at.order),
    ref.ChannelsFirst: lambda n, name, e, at: ADD[type(at.inner)](n, name, e, at.inner, True),
    ref.Aggregate: lambda n, name, e, at: n.add_aggregate(
        name,
        e,
        at.how,
        (*at.window, at.depth),
        (*at.strides, 1),
        at.padding if isinstance(at.padding, str) else (*at.padding, (0, 0)),
    ),
    ref.SimpleRNN: recurrent,
    ref.ForgetGateRNN: recurrent,
    ref.LSTM: recurrent,
    ref.GRU: recurrent,
    ref.GoBackwards: lambda n, name, e, at: n.add_recurrent(name, e, cell(at.cell), at.cell.return_sequences, True),
    ref.Bidirectional: lambda n, name, e, at: n.add_bidirectional(
        name, e, *map(cell, at.cells), at.merge, at.cells[0].return_sequences, False
    ),
    ref.BatchNormalization: lambda n, name, e, at: n.add_batch_normalization(
        name, e, at.momentum, at.epsilon, at.center, at.scale
    ),
    ref.LayerNormalization: lambda n, name, e, at: n.add_layer_normalization(
        name, e, at.count, at.epsilon, at.center, at.scale
    ),
    ref.SpatialDropout: lambda n, name, e, at: n.add_spatial_dropout(
        name, e, len(n.edge_shape(e)) - 1, at.rate, at.seed
    ),
    ref.Embedding: lambda n, name, e, at: n.add_embedding(name, e, at.vocabulary, at.units),
}


def source(data) -> _core.Source:
    """Samples for the native core; those of a list may have no steps, as if all were masked."""
    if not isinstance(data, list) or all(map(len, data)):
        return _core.Source(data)
    lengths = np.array([len(part) for part in data])
    return _core.Source(np.concatenate(data), np.cumsum(lengths) - lengths, lengths)


class Native:
    """A native network made, compiled and weighted like the reference one."""

    def __init__(self, net: ref.Network, dtype: str = "float64", winograd: bool = True) -> None:
        self.dtype = dtype
        self.core = _core.Network(dtype, winograd)
        edge = self.core.add_input("input", net.shape, index=isinstance(net.layers[0], ref.Embedding))
        for number, layer in enumerate(net.layers):
            edge = ADD[type(layer)](self.core, f"{type(layer).__name__.lower()}_{number}", edge, layer)
            assert tuple(self.core.edge_shape(edge)) == tuple(net.edges[number + 1])
        self.core.finalize([edge])
        self.core.compile([(net.loss, net.from_logits, 1.0, list(net.metrics))])
        self.core.calls = net.calls
        self.weights = net.weights
        for number, (l1, l2) in enumerate(net.penalties):
            self.core.set_penalty(number, l1, l2)

    @property
    def weights(self) -> list[np.ndarray]:
        return [self.core.get(n) for n in range(len(self.core.parameters))]

    @weights.setter
    def weights(self, values) -> None:
        assert len(values) == len(self.core.parameters)
        for number, value in enumerate(values):
            self.core.set(number, np.asarray(value, dtype=self.dtype))

    @property
    def velocities(self) -> list[np.ndarray]:
        return [self.core.get_velocity(n) for n in range(len(self.core.parameters))]

    def bits(self) -> bytes:
        """Everything that training changes."""
        return b"".join(np.ascontiguousarray(a).tobytes() for a in self.weights + self.velocities)

    def sources(self, batch: Batch):
        return [source(batch.x)], [source(batch.y)], np.arange(len(batch))

    def weight(self, batch: Batch):
        if batch.weight is None:
            return None
        return [batch.weight if np.ndim(batch.weight[0]) == 0 else source(batch.weight)]

    def gradients(self, batch: Batch, training: bool = True):
        result, gradients, inputs = self.core.gradients(*self.sources(batch), self.weight(batch), training)
        for number, parameter in enumerate(self.core.parameters):
            if parameter.name.rsplit("/", 1)[1] in ("moving_mean", "moving_variance"):
                assert gradients[number] is None
                gradients[number] = np.zeros(parameter.shape, self.dtype)  # as the reference has it
        return result, gradients, inputs

    def train(self, batch: Batch, learning_rate=0.1, momentum=0.0, nesterov=False, fused=True):
        options = learning_rate, momentum, nesterov, fused
        return self.core.train_step(*self.sources(batch), self.weight(batch), *options)

    def test(self, batch: Batch):
        return self.core.test_step(*self.sources(batch), self.weight(batch))

    def predict(self, x, training: bool = False) -> np.ndarray:
        return self.core.predict([source(x)], np.arange(len(x)), training)[0]
