"""Networks to train beside another library, on digits (images, or rows as time steps) and on text."""

from __future__ import annotations

from copy import deepcopy

import numpy as np

import reference as ref
from data import digits, text
from examples import Case, randomize
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
    SeparableConv,
    SimpleRNN,
    UpSampling,
)

BATCH = 16
SPARSE, DENSE = "sparse_categorical_crossentropy", "categorical_crossentropy"
MSE, BCE = "mean_squared_error", "binary_crossentropy"
VOCABULARY = len(text()[1])
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


def build(case: Case) -> ref.Network:
    net = ref.Network(case.shape, deepcopy(case.layers), case.loss, case.from_logits)
    randomize(net, np.random.default_rng(3))
    for number, penalty in case.penalties.items():
        net.penalties[number] = penalty
    return net


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
