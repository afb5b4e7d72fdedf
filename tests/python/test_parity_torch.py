"""A hundred training steps beside PyTorch on real data, from the same weights: the same weights come out."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

import reference as ref
from data import digits, text
from examples import Case, randomize
from native import Native
from numerics import assert_close
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
from tauten import _core

torch = pytest.importorskip("torch")
functional = torch.nn.functional
torch.set_num_threads(1)  # the networks are small

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}  # of the largest weight; not to be loosened
STEPS, BATCH = 100, 16
SPARSE, DENSE = "sparse_categorical_crossentropy", "categorical_crossentropy"
MSE, BCE = "mean_squared_error", "binary_crossentropy"
VOCABULARY = len(text()[1])


# -- the same layers in PyTorch. w: the layer's weights as torch tensors in Keras' shapes

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
    if net.loss == MSE:
        return functional.mse_loss(o, y)
    if net.loss == BCE:
        return (functional.binary_cross_entropy_with_logits if net.from_logits else functional.binary_cross_entropy)(
            o, y
        )
    classes = o.shape[-1]
    y = y.reshape(-1) if net.loss == SPARSE else y.reshape(-1, classes)
    if net.from_logits:
        return functional.cross_entropy(o.reshape(-1, classes), y)
    share = o.reshape(-1, classes)
    share = (share / share.sum(-1, keepdim=True)).log()
    return functional.nll_loss(share, y) if net.loss == SPARSE else -(y * share).sum(-1).mean()


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


# -- networks, on digits (images, or rows as time steps) and on text

IMAGE, ROWS = (8, 8, 1), (8, 8)
L2 = {0: (0.0, 1e-3)}


def case(name: str, shape, layers, loss: str = SPARSE, from_logits: bool = False, penalties=L2) -> Case:
    return Case(name, shape, layers, loss, from_logits, penalties=penalties)


def both(make, units: int, sequences: bool) -> Bidirectional:
    return Bidirectional(*[make(units, return_sequences=sequences) for _ in range(2)])


NETWORKS = [
    case("mlp", ROWS, [Flatten(), Dense(65, "relu"), Dense(33, "tanh"), Dense(10, "softmax")]),
    case("mlp-logits", ROWS, [Flatten(), Dense(33, "sigmoid"), Dense(10)], SPARSE, True),
    case("mlp-one-hot", ROWS, [Flatten(), Dense(33, "relu"), Dense(10), Activation("softmax")], DENSE),
    case("mlp-mse", ROWS, [Flatten(), Dense(33, "tanh"), Dense(10)], MSE),
    case("softmax-mse", ROWS, [Flatten(), Dense(33, "tanh"), Dense(10, "softmax")], MSE),
    case("mlp-bce", ROWS, [Flatten(), Dense(33, "relu"), Dense(10, "sigmoid")], BCE),
    case("mlp-bce-logits", ROWS, [Flatten(), Dense(33, use_bias=False), Dense(10)], BCE, True),
    case("mlp-l1", ROWS, [Flatten(), Dense(17, "tanh"), Dense(10, "softmax")], penalties={0: (1e-4, 0), 2: (0, 1e-3)}),
    case(
        "lenet",
        IMAGE,
        [
            Conv(17, (5, 5), padding="same", activation="relu"),
            Pool("max", (2, 2)),
            Conv(33, (3, 3), padding="same", activation="relu"),
            Pool("max", (2, 2)),
            Flatten(),
            Dense(33, "relu"),
            Dense(10, "softmax"),
        ],
        penalties={0: (0, 1e-3), 4: (0, 1e-3)},
    ),
    case(
        "cnn-strides",
        IMAGE,
        [
            Conv(16, (3, 2), (2, 1), "same", "tanh"),
            Conv(7, (3, 3), (1, 2), ((1, 0), (2, 1)), "relu", use_bias=False),
            Pool("average", (2, 2), (1, 1), "same"),
            Pool("max", (3, 2), (2, 2), "same"),
            Flatten(),
            Dense(10, "softmax"),
        ],
    ),
    case(
        "conv1d",
        ROWS,
        [Conv(16, (3,), activation="relu"), Pool("max", (2,)), Conv(7, (2,)), Flatten(), Dense(10, "softmax")],
    ),
    case(
        "conv3d",
        (4, 4, 4, 1),
        [Conv(8, (2, 2, 2), activation="tanh"), Pool("average", (2, 2, 2), (1, 1, 1)), Flatten(), Dense(10, "softmax")],
    ),
    case("gelu-silu", ROWS, [Flatten(), Dense(33, "gelu"), Dense(17, "silu"), Dense(10, "softmax")]),
    case("mish-selu", ROWS, [Flatten(), Dense(33, "mish"), Dense(17, "selu"), Dense(10, "softmax")]),
    case(
        "elu-celu", ROWS, [Flatten(), Dense(33, "elu"), Activation("celu"), Dense(17), ELU(0.7), Dense(10, "softmax")]
    ),
    case("leaky-relu6", ROWS, [Flatten(), Dense(33, "leaky_relu"), Dense(17, "relu6"), Dense(10, "softmax")]),
    case("soft", ROWS, [Flatten(), Dense(33, "softplus"), Dense(17, "softsign"), Dense(10, "log_sigmoid")], MSE),
    case("hard", ROWS, [Flatten(), Dense(33, "hard_silu"), Dense(17, "hard_tanh"), Dense(10, "hard_sigmoid")], MSE),
    case("shrink", ROWS, [Flatten(), Dense(33, "tanh_shrink"), Dense(33, "soft_shrink"), Dense(10)], MSE),
    case("hard-shrink", ROWS, [Flatten(), Dense(33, "hard_shrink"), Dense(10, "softmax")]),
    case("log-softmax", ROWS, [Flatten(), Dense(33, "tanh"), Dense(10, "log_softmax")], SPARSE, True),
    case("relu-layers", ROWS, [Flatten(), Dense(33), ReLU(1.5, 0.1, 0.2), Dense(17), ReLU(), Dense(10, "softmax")]),
    case(
        "prelu-images",
        IMAGE,
        [Conv(17, (3, 3)), PReLU((1, 2)), Pool("max", (2, 2)), Flatten(), Dense(10), PReLU(), Dense(10, "softmax")],
    ),
    case("prelu-values", IMAGE, [Conv(7, (3, 3), (2, 2)), PReLU(), Flatten(), Dense(10, "softmax")]),
    case("prelu-steps", ROWS, [Dense(17), PReLU((1,)), SimpleRNN(17), Dense(10, "softmax")]),
    case(
        "batch-norm",
        IMAGE,
        [
            Conv(16, (3, 3), padding="same", use_bias=False),
            BatchNormalization(0.9),
            Activation("relu"),
            Conv(7, (3, 3), activation="relu"),
            BatchNormalization(0.8),
            Flatten(),
            Dense(33, "tanh"),
            BatchNormalization(0.9),
            Dense(10, "softmax"),
        ],
    ),
    case(
        "layer-norm",
        ROWS,
        [Dense(17, "tanh"), LayerNormalization(), LSTM(33), LayerNormalization(epsilon=1e-5), Dense(10, "softmax")],
    ),
    case("layer-norm-images", IMAGE, [Conv(7, (3, 3)), LayerNormalization(3), Flatten(), Dense(10, "softmax")]),
    case(
        "cnn-dilated",
        IMAGE,
        [
            Conv(16, (3, 3), padding="same", activation="relu", dilation=(2, 2)),
            Conv(17, (3, 2), activation="tanh", dilation=(2, 1), value=0.5, padding=((2, 1), (0, 1))),
            Flatten(),
            Dense(10, "softmax"),
        ],
    ),
    case(
        "cnn-groups",
        IMAGE,
        [
            Conv(36, (3, 3), padding="same", activation="relu", value=-0.5),
            Conv(66, (3, 3), (2, 2), "same", "relu", groups=3),
            Conv(66, (2, 2), activation="tanh", groups=66),
            Flatten(),
            Dense(10, "softmax"),
        ],
    ),
    case(
        "cnn-depthwise",
        IMAGE,
        [
            Conv(17, (3, 3), padding="same", activation="relu"),
            DepthwiseConv((3, 3), 2, (2, 2), "same", "relu"),
            Flatten(),
            Dense(10, "softmax"),
        ],
    ),
    case(
        "cnn-separable",
        IMAGE,
        [
            SeparableConv(16, (3, 3), 4, None, "same", "tanh", dilation=(2, 2)),
            DepthwiseConv((2, 2), use_bias=False, value=1.0, padding=((1, 0), (0, 1))),
            Flatten(),
            Dense(10, "softmax"),
        ],
    ),
    case(
        "conv1d-causal",
        ROWS,
        [
            Conv(16, (3,), padding=((2, 0),), activation="relu"),
            Conv(16, (3,), padding=((4, 0),), activation="relu", dilation=(2,), groups=2),
            SeparableConv(9, (2,), 2, (2,)),
            Flatten(),
            Dense(10, "softmax"),
        ],
    ),
    *[
        case(
            f"pool-{kind}-{padding}",
            IMAGE,
            [
                Conv(9, (2, 2), activation="tanh"),
                Pool(kind, (3, 3), (2, 2), padding),
                Pool(kind, (2, 3), (1, 2), ((1, 0), (1, 2))),
                Pool(kind, (2, 2), (1, 1)),
                Flatten(),
                Dense(10, "softmax"),
            ],
        )
        for kind in ("max", "average")
        for padding in ("valid", "same", ((1, 2), (2, 1)))
    ],
    case(
        "grids",
        IMAGE,
        [
            Conv(9, (3, 3), activation="tanh"),
            Margins((2, -1), (0, 1)),
            UpSampling((2, 1)),
            Permute(1, 0, 2),
            Conv(17, (3, 3), (2, 2), activation="tanh"),
            UpSampling((2, 3), "bilinear"),
            GlobalPool("average"),
            Dense(10, "softmax"),
        ],
    ),
    case(
        "channels-first",
        (1, 8, 8),
        [
            ChannelsFirst(Conv(9, (3, 3), padding="same", activation="tanh")),
            ChannelsFirst(Pool("max", (3, 3), (2, 2))),
            ChannelsFirst(Margins((1, 0), (0, 1))),
            ChannelsFirst(Conv(17, (2, 2), activation="tanh")),
            ChannelsFirst(GlobalPool("max", True)),
            Flatten(),
            Dense(10, "softmax"),
        ],
    ),
    case("steps-pooled", ROWS, [SimpleRNN(33, return_sequences=True), GlobalPool("max"), Dense(10, "softmax")]),
    case("rnn", ROWS, [SimpleRNN(33), Dense(10, "softmax")], penalties={0: (0, 1e-3), 1: (0, 1e-3)}),
    case("rnn-relu", ROWS, [SimpleRNN(17, "relu", return_sequences=True), SimpleRNN(7), Dense(10, "softmax")]),
    case("rnn-sequence-mse", ROWS, [SimpleRNN(33, return_sequences=True), Dense(8)], MSE),
    case("lstm", ROWS, [LSTM(33), Dense(10, "softmax")], penalties={0: (0, 1e-3), 1: (0, 1e-3)}),
    case("lstm-no-bias", ROWS, [LSTM(17, use_bias=False, return_sequences=True), LSTM(16), Dense(10, "softmax")]),
    case("lstm-sequence-bce", ROWS, [LSTM(33, return_sequences=True), Dense(8, "sigmoid")], BCE),
    case("gru", ROWS, [GRU(33), Dense(10, "softmax")], penalties={0: (0, 1e-3), 1: (0, 1e-3)}),
    case("gru-no-bias", ROWS, [GRU(17, use_bias=False, return_sequences=True), GRU(16), Dense(10, "softmax")]),
    case("gru-sequence-mse", ROWS, [GRU(33, return_sequences=True), Dense(8)], MSE),
    case("bidirectional-lstm", ROWS, [both(LSTM, 17, True), both(LSTM, 9, False), Dense(10, "softmax")]),
    case("bidirectional-rnn", ROWS, [both(SimpleRNN, 33, True), SimpleRNN(7), Dense(10, "softmax")]),
    case("text", (24,), [Embedding(VOCABULARY, 16), LSTM(33, return_sequences=True), Dense(VOCABULARY, "softmax")]),
    case("text-rnn-logits", (24,), [Embedding(VOCABULARY, 7), SimpleRNN(33), Dense(VOCABULARY)], SPARSE, True),
]


def minibatches(net: ref.Network, count: int):
    """Real inputs and the targets that the network's loss wants."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        if isinstance(net.layers[0], Embedding):
            tokens, steps = text()[0], net.shape[0]
            pieces = np.stack([tokens[s : s + steps + 1] for s in rng.integers(19000, size=BATCH)])
            yield pieces[:, :-1], pieces[:, 1:] if len(net.edges[-1]) > 1 else pieces[:, -1]
            continue
        images, labels = digits()
        index = rng.integers(len(images), size=BATCH)
        x, y = images[index].reshape(BATCH, *net.shape), labels[index]
        if len(net.edges[-1]) > 1:
            yield x, np.roll(images[index], -1, axis=1)  # the next row at every step
        else:
            yield x, y if net.loss == SPARSE else np.eye(10)[y]


def as_torch(array: np.ndarray, dtype: str):
    return torch.tensor(array, dtype=getattr(torch, dtype) if array.dtype.kind == "f" else torch.int64)


def build(case: Case) -> ref.Network:
    net = ref.Network(case.shape, deepcopy(case.layers), case.loss, case.from_logits)
    randomize(net, np.random.default_rng(3))
    for number, penalty in case.penalties.items():
        net.penalties[number] = penalty
    return net


@pytest.mark.parametrize("case", NETWORKS, ids=str)
def test_reference(case: Case) -> None:
    """The reference's own loss and gradients against PyTorch's autograd."""
    net = build(case)
    twin = Twin(net, net.weights, "float64")
    for x, y in minibatches(net, 2):
        inputs = as_torch(x, "float64").requires_grad_(x.dtype.kind == "f")
        loss = twin.loss(inputs, as_torch(y, "float64"))
        loss.backward()
        found = net.gradients(x, y)
        assert_close(found.loss, loss.item(), 1e-12, "loss")
        for number, (g, w) in enumerate(zip(found.gradients, twin.weights, strict=True)):
            wanted = np.zeros_like(g) if w.grad is None else w.grad.numpy()  # states have none
            assert_close(g, wanted, 1e-12, f"gradient {number}")
            w.grad = None
        if inputs.grad is not None:
            assert_close(found.inputs, inputs.grad.numpy(), 1e-12, "gradient of the inputs")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", NETWORKS, ids=str)
def test_training(case: Case, dtype: str) -> None:
    """SGD with momentum (every other network Nesterov's) and penalties."""
    net = build(case)
    native = Native(net, dtype)
    twin = Twin(net, native.weights, dtype)
    nesterov = NETWORKS.index(case) % 2 == 1
    optimizer = torch.optim.SGD(twin.weights, lr=0.02, momentum=0.9, nesterov=nesterov)
    data, losses = list(minibatches(net, STEPS)), []
    for x, y in data:
        optimizer.zero_grad()
        loss = twin.loss(as_torch(x, dtype), as_torch(y, dtype))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    arrays = [np.concatenate(part) for part in zip(*data, strict=True)]
    x, y = (_core.Source(a.astype(dtype) if a.dtype.kind == "f" else a) for a in arrays)
    start = native.weights
    for step, expected in enumerate(losses):
        index = np.arange(step * BATCH, (step + 1) * BATCH)
        result = native.core.train_step([x], y, index, None, 0.02, 0.9, nesterov)
        assert result.loss == pytest.approx(expected, rel=10 * TOLERANCE[dtype])
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    for number, (found, wanted, old) in enumerate(zip(native.weights, twin.weights, start, strict=True)):
        wanted = wanted.detach().numpy()
        assert np.abs(wanted - old).max() > 100 * TOLERANCE[dtype], "nothing was learned: the comparison proves nothing"
        assert_close(found, wanted, TOLERANCE[dtype], native.core.parameters[number].name)
