"""The reference network's layers and losses in PyTorch. w: a layer's weights as torch tensors in Keras' shapes."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

import reference as ref
from reference import (
    ELU,
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Bidirectional,
    ChannelsFirst,
    Conv,
    Dense,
    DepthwiseConv,
    Embedding,
    Flatten,
    GlobalPool,
    LayerNormalization,
    Margins,
    Permute,
    Pool,
    PReLU,
    ReLU,
    Reshape,
    SeparableConv,
    SimpleRNN,
    UpSampling,
)

torch = pytest.importorskip("torch")
functional = torch.nn.functional
torch.set_num_threads(1)  # the networks are small

ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: torch.softmax(x, -1),
    "gelu": functional.gelu,
    "silu": functional.silu,
    "mish": functional.mish,
    "elu": functional.elu,
    "celu": functional.celu,
    "selu": functional.selu,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.2),
    "relu6": functional.relu6,
    # functional.hardsigmoid and hardswish have 1/6 in single precision in float64 too
    "hard_sigmoid": lambda x: functional.relu6(x + 3) / 6,
    "hard_silu": lambda x: x * functional.relu6(x + 3) / 6,
    "hard_tanh": functional.hardtanh,
    "hard_shrink": functional.hardshrink,
    "soft_shrink": functional.softshrink,
    "tanh_shrink": functional.tanhshrink,
    "softplus": functional.softplus,
    "log_sigmoid": functional.logsigmoid,
    "softsign": functional.softsign,
    "log_softmax": lambda x: torch.log_softmax(x, -1),
}


def first_channels(x):
    return x.movedim(-1, 1)


def last_channels(x):
    return x.movedim(1, -1)


def padded(layer, x, value: float):
    """Channels first, with the sides that Keras' padding adds."""
    window = layer.window if isinstance(layer, Pool) else ref.convolution.spans(layer.kernel, layer.dilation)
    sides = ref.convolution.paddings(x.shape[1:-1], window, layer.strides, layer.padding)
    return functional.pad(first_channels(x), [e for pair in reversed(sides) for e in pair], value=value)


def dense(layer, x, w):
    return ACTIVATIONS[layer.activation](functional.linear(x, w[0].T, *w[1:]))


def conv(layer, x, w):
    rank = len(layer.kernel)
    run = (functional.conv1d, functional.conv2d, functional.conv3d)[rank - 1]
    kernel = w[0].permute(rank + 1, rank, *range(rank))  # (filters, channels / groups, k_1, ...)
    options = {"stride": layer.strides, "dilation": layer.dilation, "groups": layer.groups}
    y = run(padded(layer, x, layer.value), kernel, *w[1:], **options)
    return ACTIVATIONS[layer.activation](last_channels(y))


def depthwise(layer, x, w):
    """A convolution of as many groups as channels: the filters of channel c are c·m .. c·m + m - 1 there too."""
    twin = deepcopy(layer)
    twin.groups = x.shape[-1]
    return conv(twin, x, [w[0].flatten(-2)[..., None, :], *w[1:]])


def separable(layer, x, w):
    return conv(layer.pointwise, depthwise(layer.depthwise, x, w[:1]), w[1:])


def pool(layer, x, w):
    rank = len(layer.window)
    if layer.kind == "max":
        run = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[rank - 1]
        return last_channels(run(padded(layer, x, -torch.inf), layer.window, layer.strides))
    run = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[rank - 1]
    inside = run(padded(layer, torch.ones_like(x), 0.0), layer.window, layer.strides)
    return last_channels(run(padded(layer, x, 0.0), layer.window, layer.strides) / inside)


def recurrent(layer, x, w):
    """torch.nn.RNN, LSTM or GRU: weight_ih (gates m, d), rows in the order i, f, g, o like Keras' columns; r, z, n."""
    options = {"bias": layer.use_bias, "batch_first": True, "dtype": x.dtype}
    if isinstance(layer, GRU):
        cell = torch.nn.GRU(x.shape[-1], layer.units, **options)
        turned = [torch.cat([a[..., m : 2 * m], a[..., :m], a[..., 2 * m :]], -1) for a in w for m in [layer.units]]
        weights = {"weight_ih_l0": turned[0].T, "weight_hh_l0": turned[1].T}
        if layer.use_bias:
            weights |= {"bias_ih_l0": turned[2][0], "bias_hh_l0": turned[2][1]}
        h, _ = torch.func.functional_call(cell, weights, x)
        return h if layer.return_sequences else h[:, -1]
    if isinstance(layer, LSTM):
        cell = torch.nn.LSTM(x.shape[-1], layer.units, **options)
    else:
        cell = torch.nn.RNN(x.shape[-1], layer.units, nonlinearity=layer.activation, **options)
    weights = {"weight_ih_l0": w[0].T, "weight_hh_l0": w[1].T}
    if layer.use_bias:
        weights |= {"bias_ih_l0": w[2], "bias_hh_l0": torch.zeros_like(w[2])}
    h, _ = torch.func.functional_call(cell, weights, x)
    return h if layer.return_sequences else h[:, -1]


def bidirectional(layer, x, w):
    """The second cell reads x from its end, as torch.nn.LSTM(bidirectional=True) does."""
    forwards, backwards = layer.cells
    options = {"bias": True, "batch_first": True, "dtype": x.dtype, "bidirectional": True}
    kind = torch.nn.LSTM if isinstance(forwards, LSTM) else torch.nn.RNN
    cell = kind(x.shape[-1], forwards.units, **options)
    weights = {}
    for end, part in (("", w[:3]), ("_reverse", w[3:])):
        weights |= {f"weight_ih_l0{end}": part[0].T, f"weight_hh_l0{end}": part[1].T}
        weights |= {f"bias_ih_l0{end}": part[2], f"bias_hh_l0{end}": torch.zeros_like(part[2])}
    h, last = torch.func.functional_call(cell, weights, x)
    if backwards.return_sequences:
        return h
    return torch.cat(list(last[0] if isinstance(last, tuple) else last), dim=-1)


def prelu(layer, x, w):
    """One slope a channel, or one for all, is torch's own; slopes of every value by hand."""
    if layer.shared_axes == tuple(range(1, x.ndim - 1)):
        return last_channels(functional.prelu(first_channels(x), w[0].reshape(-1)))
    return torch.where(x > 0, x, w[0] * x)


def batch_norm(layer, x, w):
    """The batch's statistics. torch's own running variance is the unbiased one, Keras' and ours the biased one."""
    axes, x0 = tuple(range(x.ndim - 1)), x.detach()
    for running, value in zip(w[2:], (x0.mean(axes), x0.var(axes, unbiased=False)), strict=True):
        running.data.lerp_(value, 1 - layer.momentum)
    y = functional.batch_norm(first_channels(x), None, None, w[0], w[1], training=True, eps=layer.epsilon)
    return last_channels(y)


def layer_norm(layer, x, w):
    return functional.layer_norm(x, w[0].shape, w[0], w[1], layer.epsilon)


def channels_first(layer, x, w):
    y = TWINS[type(layer.inner)](layer.inner, x.movedim(1, -1), w)
    return y.movedim(-1, 1) if layer.turned else y


def global_pool(layer, x, w):
    axes = tuple(range(1, x.ndim - 1))
    return x.mean(axes, layer.keepdims) if layer.kind == "average" else x.amax(axes, layer.keepdims)


def margins(layer, x, w):
    return last_channels(functional.pad(first_channels(x), [e for pair in reversed(layer.amounts) for e in pair]))


def upsampling(layer, x, w):
    options = {"align_corners": False} if layer.interpolation == "bilinear" else {}
    scale = tuple(map(float, layer.size))
    return last_channels(functional.interpolate(first_channels(x), None, scale, layer.interpolation, **options))


TWINS = {
    BatchNormalization: batch_norm,
    LayerNormalization: layer_norm,
    ChannelsFirst: channels_first,
    GlobalPool: global_pool,
    Margins: margins,
    UpSampling: upsampling,
    Permute: lambda layer, x, w: x.permute(0, *(axis + 1 for axis in layer.order)),
    Dense: dense,
    Conv: conv,
    DepthwiseConv: depthwise,
    SeparableConv: separable,
    Pool: pool,
    SimpleRNN: recurrent,
    LSTM: recurrent,
    GRU: recurrent,
    Bidirectional: bidirectional,
    Activation: lambda layer, x, w: ACTIVATIONS[layer.activation](x),
    ReLU: lambda layer, x, w: torch.where(x > layer.threshold, x, layer.negative_slope * (x - layer.threshold)).clamp(
        max=layer.max_value
    ),
    ELU: lambda layer, x, w: functional.elu(x, layer.alpha),
    PReLU: prelu,
    Flatten: lambda layer, x, w: x.flatten(1),
    Reshape: lambda layer, x, w: x.reshape(len(x), *layer.shape),
    Embedding: lambda layer, x, w: functional.embedding(x, w[0]),
}


def loss_of(net: ref.Network, o, y):
    """PyTorch's own losses; its BCE and MSE are means over all values, as Keras' are for equal rows."""
    if net.loss == "mean_squared_error":
        return functional.mse_loss(o, y)
    if net.loss == "binary_crossentropy":
        return (functional.binary_cross_entropy_with_logits if net.from_logits else functional.binary_cross_entropy)(
            o, y
        )
    sparse, classes = net.loss == "sparse_categorical_crossentropy", o.shape[-1]
    y = y.reshape(-1) if sparse else y.reshape(-1, classes)
    if net.from_logits:
        return functional.cross_entropy(o.reshape(-1, classes), y)
    share = o.reshape(-1, classes)
    share = (share / share.sum(-1, keepdim=True)).log()
    return functional.nll_loss(share, y) if sparse else -(y * share).sum(-1).mean()


class Twin:
    """The reference network's layers in PyTorch, with weights of the same order and shapes."""

    def __init__(self, net: ref.Network, weights, dtype: str) -> None:
        self.net = net
        self.weights = [torch.tensor(w, dtype=getattr(torch, dtype), requires_grad=True) for w in weights]

    def loss(self, x, y):
        position = 0
        for layer in self.net.layers:
            count = len(layer.weights)
            x = TWINS[type(layer)](layer, x, self.weights[position : position + count])
            position += count
        loss = loss_of(self.net, x, y)
        for w, (l1, l2) in zip(self.weights, self.net.penalties, strict=True):
            loss = loss + l1 * w.abs().sum() + l2 * (w * w).sum() if l1 or l2 else loss
        return loss


def as_torch(array: np.ndarray, dtype: str):
    return torch.tensor(array, dtype=getattr(torch, dtype) if array.dtype.kind == "f" else torch.int64)
