"""Every layer x option x loss x regularizer of the library, as small networks for the gradient checks."""

from __future__ import annotations

from itertools import product

from examples import Case
from reference import (
    ELU,
    GRU,
    LSTM,
    Activation,
    Aggregate,
    BatchNormalization,
    Bidirectional,
    ChannelsFirst,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    Embedding,
    Flatten,
    ForgetGateRNN,
    GlobalPool,
    GoBackwards,
    LayerNormalization,
    Margins,
    Permute,
    Pool,
    PReLU,
    ReLU,
    Reshape,
    SeparableConv,
    SimpleRNN,
    SpatialDropout,
    UpSampling,
)
from reference.activations import FORWARD

ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "softmax")
CELL_ACTIVATIONS = ACTIVATIONS[:-1]
NODE_ACTIVATIONS = tuple(name for name in FORWARD if name not in ACTIVATIONS)  # nodes of their own
MORE_OF_CELLS = ("hard_sigmoid", "hard_tanh", "relu6", "leaky_relu", "elu", "celu", "selu", "softsign")
SIZES = {1: (7,), 2: (6, 5), 3: (4, 5, 3)}  # spatial extents by rank, none a multiple of every stride


def dense_cases():
    for activation, bias in product(ACTIVATIONS, (True, False)):
        yield Case(f"dense-{activation}-bias{bias:d}", (4,), [Dense(3, activation, bias)])
    yield Case("dense-per-step", (4, 3), [Dense(3, "tanh"), Dense(2)])
    yield Case("dense-on-images", (2, 3, 2), [Dense(3, "sigmoid")])
    for activation in ACTIVATIONS:
        yield Case(f"activation-{activation}", (4,), [Dense(3), Activation(activation), Dense(2)])
        yield Case(f"activation-first-{activation}", (3, 4), [Activation(activation)])
    yield Case("reshape-flatten", (2, 6), [Reshape((3, -1)), Dense(2, "tanh"), Flatten(), Dense(2)])
    yield Case("dropout", (5,), [Dropout(0.4, 7), Dense(6, "tanh"), Dropout(0.5, 8), Dense(2)])
    yield Case("dropout-last", (5,), [Dense(6, "tanh"), Dropout(0.3, 2**40 + 5)])
    yield Case("dropout-0", (5,), [Dense(6, "tanh"), Dropout(0.0, 1), Dense(2)])
    yield Case("dropout-relu", (5,), [Dense(6, "relu"), Dropout(0.4, 3), Dense(2)])
    yield Case("dropout-softmax", (5,), [Dense(6, "softmax"), Dropout(0.4, 3), Dense(2)])


def activation_cases():
    """Activations that are nodes, behind every kind of layer, on samples and by time, below those that read an f'."""
    for name in NODE_ACTIVATIONS:
        yield Case(f"node-{name}", (4,), [Dense(3, name), Dense(5, name, False), Dense(2)])
        yield Case(f"node-first-{name}", (3, 4), [Activation(name)])
        images = [Conv(3, (2, 2), activation=name), Pool("max", (2, 2)), Conv(2, (2, 2), activation="tanh")]
        yield Case(f"node-conv-{name}", (6, 5, 1 if name == "exponential" else 2), images)
        steps = [SimpleRNN(3, return_sequences=True), Dense(2, name), LSTM(2, return_sequences=True), Activation(name)]
        yield Case(f"node-steps-{name}", (4, 2), steps, batch=2)
    yield Case("node-behind-relu", (4,), [Dense(6, "tanh"), Activation("gelu"), Dense(2), Activation("silu")])
    flat = [Dense(3, "mish"), Flatten(), Activation("gelu"), Dropout(0.4, 3), Dense(2, "elu")]
    yield Case("node-flatten", (3, 4), flat)
    yield Case("node-logits", (4,), [Dense(3, "log_softmax")], "categorical_crossentropy", True)
    text = [Embedding(5, 2), Activation("selu"), LSTM(3, return_sequences=True), Dense(3, "gelu"), GRU(2)]
    yield Case("node-text", (None,), text, lengths=(4, 1, 5, 2), weighted=True)
    for name, layer in {
        "relu": ReLU(),
        "relu-all": ReLU(1.5, 0.1, 0.2),
        "relu-capped": ReLU(0.5),
        "relu-leaky": ReLU(negative_slope=0.3),
        "relu-threshold": ReLU(threshold=0.3),
        "elu": ELU(0.7),
        "elu-negative": ELU(-0.7),
    }.items():
        yield Case(f"layer-{name}", (4,), [Dense(5), layer, Dense(2)])
        yield Case(f"layer-{name}-conv", (5, 4, 1), [Conv(2, (2, 2), padding="same"), layer, Pool("average", (2, 2))])


def prelu_cases():
    for axes in ((), (1,), (2,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 3)):
        name = "".join(map(str, axes))
        yield Case(f"prelu-images-{name}", (4, 3, 2), [Conv(3, (2, 2), padding="same"), PReLU(axes), Conv(2, (2, 2))])
    yield Case("prelu-first", (3, 4), [PReLU()], weighted=True)
    yield Case("prelu-dense", (4,), [Dense(5, "tanh"), PReLU(), Dense(3), PReLU((1,))], penalties={2: (0.01, 0.02)})
    yield Case("prelu-volume", (3, 2, 4, 2), [PReLU((1, 3)), Flatten(), Dense(2)])
    yield Case("prelu-high-rank", (2, 3, 2, 2, 2), [PReLU((2, 5)), Flatten(), Dense(2)])
    stack = [SimpleRNN(3, return_sequences=True), PReLU((1,)), LSTM(2, return_sequences=True), PReLU((1, 2))]
    yield Case("prelu-steps", (4, 2), stack)
    yield Case("prelu-own-steps", (4, 2), [SimpleRNN(3, return_sequences=True), PReLU(), GRU(2)])
    lengths = (4, 1, 5, 2)
    yield Case("prelu-unequal", (None, 2), [Dense(3), *stack[1:]], lengths=lengths, weighted=True)
    stack = [LSTM(3, return_sequences=True), PReLU((1,)), LSTM(2)]
    yield Case("prelu-stepless", (None, 2), stack, lengths=(0, 3, 0, 2))


def loss_cases():
    outputs = [("mean_squared_error", a, False) for a in ACTIVATIONS]
    for name in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        outputs += [(name, "softmax", False), (name, "linear", True), (name, "tanh", True)]
    bce = "binary_crossentropy"
    outputs += [(bce, "sigmoid", False), (bce, "linear", True), (bce, "relu", True)]
    for loss, activation, logits in outputs:
        name = f"{loss}-{activation}-logits{logits:d}"
        for shape, weighted in (((4,), False), ((3, 4), True)):
            layers = [Dense(3, "tanh"), Dense(4, activation)]
            yield Case(f"{name}-rank{len(shape)}", shape, layers, loss, logits, weighted=weighted)
    # the loss after a layer of its own, and after one without weights between
    yield Case("ce-activation", (4,), [Dense(3), Activation("softmax")], "categorical_crossentropy")
    yield Case("ce-reshape", (6,), [Dense(6), Reshape((2, 3)), Activation("softmax")], "categorical_crossentropy")
    yield Case("bce-activation", (4,), [Dense(3), Activation("sigmoid")], bce, weighted=True)
    yield Case("bce-one-unit", (4,), [Dense(1, "sigmoid")], bce)
    yield Case("mse-images", (5, 4, 2), [Conv(2, (2, 2), activation="tanh")], weighted=True)
    yield Case("ce-images", (4, 4, 1), [Conv(3, (2, 2), activation="softmax")], "categorical_crossentropy")
    yield Case("ce-many-classes", (3,), [Dense(37, "softmax")], "sparse_categorical_crossentropy", batch=2)


def penalty_cases():
    penalties = {"l1": (0.01, 0.0), "l2": (0.0, 0.02), "l1l2": (0.01, 0.03)}
    for name, p in penalties.items():
        yield Case(f"{name}-dense", (3,), [Dense(3, "tanh"), Dense(2)], penalties={0: p, 3: p})
        yield Case(f"{name}-conv", (5, 4, 1), [Conv(2, (3, 2))], penalties={0: p}, weighted=True)
        yield Case(f"{name}-rnn", (3, 2), [SimpleRNN(3)], penalties={0: p, 1: p})
        yield Case(f"{name}-lstm", (3, 2), [LSTM(2)], penalties={0: p, 1: p})
        yield Case(f"{name}-embedding", (3,), [Embedding(4, 2), Flatten()], penalties={0: p})


def conv_cases():
    for rank, padding, stride in product((1, 2, 3), ("valid", "same", "explicit"), (1, 2, 3)):
        kernel = (3, 2, 2)[:rank]
        sides = tuple(zip((2, 0, 1), (0, 1, 2), strict=True))[:rank] if padding == "explicit" else padding
        strides = (stride, 1 + stride % 2, stride)[:rank]
        shape = (*SIZES[rank], 2)
        layers = [Conv(2, kernel, strides, sides, "tanh")]
        yield Case(f"conv{rank}d-{padding}-stride{stride}", shape, layers, batch=2)
    for rank, activation, bias in product((1, 2, 3), ACTIVATIONS, (True, False)):
        if rank != 2 and bias:
            continue
        layers = [Conv(3, (2,) * rank, activation=activation, use_bias=bias)]
        yield Case(f"conv{rank}d-{activation}-bias{bias:d}", (*SIZES[rank], 1), layers, batch=1)
    yield Case("conv2d-1x1", (3, 3, 3), [Conv(4, (1, 1), activation="relu")])
    yield Case("conv2d-1x1-stride2", (5, 4, 2), [Conv(2, (1, 1), (2, 2))])
    yield Case("conv2d-whole", (3, 4, 2), [Conv(3, (3, 4)), Flatten(), Dense(2)])
    yield Case("conv2d-stride-over-kernel", (7, 7, 1), [Conv(2, (2, 2), (3, 3), "same"), Conv(1, (2, 2))])
    yield Case("conv2d-twice", (5, 5, 1), [Conv(2, (3, 3), (2, 1), "same", "relu"), Conv(2, (2, 3), (1, 2))])
    yield Case("conv2d-no-bias-twice", (5, 5, 1), [Conv(2, (3, 3), use_bias=False), Conv(2, (2, 2))])
    yield Case("conv1d-sequence", (6, 3), [Conv(2, (3,), activation="tanh", padding="same"), SimpleRNN(2)])


def winograd_cases():
    """Channels enough for Winograd in float64 (a vector of them), extents that are no multiple of a tile."""
    for shape, kernel, padding, activation in (
        ((11,), (3,), "same", "relu"),
        ((14,), (5,), "valid", "tanh"),
        ((9,), (7,), ((3, 1),), "linear"),
        ((5, 6), (3, 3), "same", "relu"),
        ((3, 12), (1, 5), "valid", "sigmoid"),
        ((3, 5, 6), (2, 3, 3), "same", "tanh"),
    ):
        name = (
            f"winograd{len(shape)}d-{'x'.join(map(str, kernel))}-{padding if isinstance(padding, str) else 'explicit'}"
        )
        layers = [
            Conv(8, (1,) * len(shape), activation=activation),
            Conv(9, kernel, padding=padding, activation="tanh"),
        ]
        yield Case(name, (*shape, 1), layers, batch=3)


WIDE = {1: (9,), 2: (7, 6), 3: (7, 4, 4)}  # room for dilated windows
EXPLICIT = ((2, 0), (0, 1), (1, 2))


def conv_option_cases():
    for rank, padding, dilation in product((1, 2, 3), ("valid", "same", "explicit"), (1, 2, 3)):
        sides = EXPLICIT[:rank] if padding == "explicit" else padding
        kernel, dilations = (3, 2, 2)[:rank], (dilation, 1 + dilation % 3, 2)[:rank]
        options = {"dilation": dilations, "value": 0.7 if padding == "explicit" else 0.0}
        name = f"{rank}d-{padding}-dilation{dilation}"
        yield Case(f"conv{name}", (*WIDE[rank], 2), [Conv(3, kernel, None, sides, "tanh", **options)], batch=2)
        yield Case(
            f"conv{name}-groups",
            (*WIDE[rank], 4),
            [Conv(6, kernel, None, sides, "tanh", groups=2, **options)],
            batch=1,
        )
        layers = [DepthwiseConv(kernel, dilation, None, sides, "tanh", **options)]
        yield Case(f"depthwise{name}", (*WIDE[rank], 2), layers, batch=2)
    # two layers: the gradient of the first passes through the second one's input gradient
    for stride, dilation in product((1, 2, 3), (1, 2, 3, 4)):
        options = {"dilation": (dilation, 1 + dilation % 2)}
        steps = (stride, 1 + stride % 2)
        for padding, value in (("same", 0.0), (((1, 0), (2, 1)), -0.4)):
            name = f"stride{stride}-dilation{dilation}-value{value}"
            first = Conv(4, (2, 2), activation="tanh")
            yield Case(
                f"conv2d-{name}", (8, 7, 1), [first, Conv(2, (2, 3), steps, padding, value=value, **options)], batch=1
            )
            yield Case(
                f"conv2d-groups-{name}",
                (8, 7, 1),
                [first, Conv(2, (2, 3), steps, padding, groups=2, value=value, **options)],
                batch=1,
            )
            for multiplier in (1, 3):
                second = DepthwiseConv((2, 3), multiplier, steps, padding, value=value, **options)
                yield Case(f"depthwise2d-{name}-multiplier{multiplier}", (8, 7, 1), [first, second], batch=1)
    for activation, bias in product(ACTIVATIONS, (True, False)):
        name = f"{activation}-bias{bias:d}"
        layers = [DepthwiseConv((3, 2), 2, activation=activation, use_bias=bias)]
        yield Case(f"depthwise2d-{name}", (4, 5, 3), layers, batch=2)
        yield Case(f"conv1d-groups-{name}", (5, 6), [Conv(3, (2,), None, "same", activation, bias, groups=3)], batch=2)
        below = [Dense(4, activation), DepthwiseConv((2, 2), 1 + bias, padding="same"), Conv(2, (2, 2), groups=2)]
        yield Case(f"depthwise2d-over-{name}", (4, 3, 2), below, batch=1)
        yield Case(f"separable2d-{name}", (4, 3, 3), [SeparableConv(2, (2, 2), 2, None, "same", activation, bias)])
    for rank in (1, 3):
        layers = [Dense(3, "tanh"), SeparableConv(2, (2,) * rank, padding="same", dilation=(2,) * rank, value=0.5)]
        yield Case(f"separable{rank}d", (*SIZES[rank], 2), layers, batch=1)
    yield Case("conv2d-as-many-groups", (4, 5, 3), [Dense(3, "relu"), Conv(6, (3, 2), groups=3, activation="tanh")])
    yield Case("conv1d-one-channel-groups", (7, 1), [Conv(2, (2,), groups=1), Conv(4, (3,), groups=2, dilation=(2,))])
    yield Case("conv1d-causal-dilated", (7, 2), [Conv(3, (3,), padding=((4, 0),), dilation=(2,), activation="tanh")])
    # more taps than a product takes at once
    yield Case("conv1d-many-taps", (70, 2), [Conv(2, (66,), dilation=(1,), groups=2), DepthwiseConv((3,))], batch=1)
    yield Case("conv2d-many-taps", (18, 18, 1), [Conv(1, (9, 9), dilation=(2, 2), activation="tanh")], batch=1)
    many = [Dense(2, "tanh"), DepthwiseConv((9, 8), 2, padding="same", activation="relu")]
    yield Case("depthwise2d-many-taps", (5, 4, 1), many, batch=1)
    # groups that fill several panels and parts of one
    yield Case("conv1d-wide-groups", (5, 10), [Conv(94, (2,), groups=2), Conv(3, (2,))], batch=2)
    yield Case("conv1d-wide-groups-below", (5, 3), [Conv(94, (2,)), Conv(4, (2,), groups=2)], batch=1)
    yield Case("depthwise1d-wide", (6, 37), [DepthwiseConv((3,), activation="relu")], batch=2)
    yield Case("padding-value-valid", (5, 4, 2), [Conv(2, (2, 2), value=3.0), DepthwiseConv((2, 2), value=3.0)])
    yield Case("padding-value-relu", (5, 4, 1), [Conv(2, (3, 3), None, "same", "relu", value=1.0)])
    penalties = {0: (0.01, 0.02), 1: (0.0, 0.01)}
    yield Case("l1l2-separable", (4, 4, 2), [SeparableConv(2, (2, 2), 2)], penalties=penalties, weighted=True)
    yield Case("l1l2-groups", (4, 4, 4), [Conv(6, (2, 2), groups=2)], penalties={0: (0.01, 0.02), 1: (0.02, 0.01)})
    lenet = [
        Conv(4, (3, 3), padding="same", activation="relu"),
        DepthwiseConv((3, 3), 2, (2, 2), "same", "relu"),
        Conv(6, (1, 1), groups=2, activation="relu"),
        SeparableConv(3, (2, 2), activation="tanh"),
        Flatten(),
        Dense(3, "softmax"),
    ]
    yield Case("mobile", (6, 6, 1), lenet, "sparse_categorical_crossentropy", batch=2, penalties={2: (0, 0.01)})


def pool_cases():
    for kind, rank, padding in product(("max", "average"), (1, 2, 3), ("valid", "same", "explicit")):
        sides = ((1, 1), (0, 1), (1, 0))[:rank] if padding == "explicit" else padding
        for window, strides in ((2, None), (3, 2), (2, 1), (2, 3)):
            windows = (window, 2, 2)[:rank]
            layers = [Pool(kind, windows, strides and (strides,) * len(windows), sides)]
            yield Case(f"{kind}{rank}d-{padding}-{window}-{strides}", (*SIZES[rank], 2), layers, batch=1)
        pooled = [Dense(2), Pool(kind, (2,) * rank, None, sides), Flatten(), Dense(2)]
        yield Case(f"{kind}{rank}d-{padding}-between", (*SIZES[rank], 1), pooled, batch=1)


def grid_cases():
    """Layers that move positions, behind a layer whose f' they apply and before one that wants a halo."""
    small = {1: (5,), 2: (4, 3), 3: (3, 4, 2)}
    pairs = ((1, 2), (0, 1), (2, 0))
    for rank in (1, 2, 3):
        shape, ones = (*small[rank], 2), (1,) * rank
        between = {
            "pad": Margins(*pairs[:rank]),
            "crop": Margins(*((-1, -1), (0, -1), (0, -1))[:rank]),
            "pad-crop": Margins(*((-2, 3), (1, -1), (-1, 1))[:rank]),
            "repeat": UpSampling((2, 3, 1)[:rank]),
            "turn": Permute(*range(rank, -1, -1)),
        }
        for name, layer in between.items():
            yield Case(f"{name}{rank}d", shape, [layer], batch=2)
            stack = [Conv(3, ones, activation="tanh"), layer, Conv(2, (2,) * rank, padding="same"), Flatten(), Dense(1)]
            yield Case(f"{name}{rank}d-between", shape, stack, batch=2)
        for kind, keepdims in product(("max", "average"), (False, True)):
            yield Case(f"global-{kind}{rank}d-keep{keepdims:d}", shape, [GlobalPool(kind, keepdims)], batch=2)
        for kind in ("max", "average"):
            stack = [Conv(3, (2,) * rank, activation="sigmoid", padding="same"), GlobalPool(kind), Dense(2)]
            yield Case(f"global-{kind}{rank}d-between", shape, stack, batch=2)
    bilinear = [Conv(2, (1, 1), activation="relu"), UpSampling((2, 3), "bilinear"), Conv(1, (2, 2), padding="same")]
    yield Case("bilinear", (3, 2, 2), [UpSampling((3, 2), "bilinear")])
    yield Case("bilinear-one", (1, 4, 1), [UpSampling((2, 1), "bilinear")])
    yield Case("bilinear-between", (3, 2, 1), bilinear, batch=2)
    for order in ((1, 0, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0), (2, 1, 0)):
        yield Case(f"permute-{order}", (3, 2, 4), [Dense(3, "tanh"), Permute(*order), Dense(2)], batch=2)
    yield Case("permute-5d", (2, 1, 3, 2, 2), [Dense(2, "tanh"), Permute(4, 0, 2, 1, 3), Dense(1)], batch=2)
    yield Case("permute-4d", (2, 3, 2, 2), [Dense(2, "relu"), Permute(2, 0, 3, 1), Dense(1)], batch=2)
    yield Case("permute-ones", (1, 3, 1), [Dense(2, "tanh"), Permute(1, 0, 2), Dense(1)], batch=2)
    yield Case("permute-identity", (2, 3), [Dense(2), Permute(0, 1), Dense(1)])
    yield Case("permute-back", (2, 3), [Dense(4, "tanh"), Permute(1, 0), Permute(1, 0), Dense(1)])
    yield Case(
        "permute-back-reshape", (2, 3), [Dense(4, "tanh"), Permute(1, 0), Permute(1, 0), Reshape((4, 2)), Dense(1)]
    )
    yield Case("permute-back-last", (2, 3), [Dense(4, "tanh"), Permute(1, 0), Permute(1, 0)])
    yield Case("permute-activation", (2, 3), [Dense(4), Permute(1, 0), Activation("tanh"), Dense(1)])
    yield Case("permute-sigmoid", (2, 3), [Dense(4), Permute(1, 0), Activation("sigmoid")], "binary_crossentropy")
    steps = [LSTM(3, return_sequences=True), Permute(1, 0), Permute(1, 0), LSTM(2), Dense(1)]
    yield Case("permute-back-steps", (4, 2), steps)
    yield Case("rnn-permute", (4, 2), [SimpleRNN(3, return_sequences=True), Permute(1, 0), Dense(2)])
    yield Case("repeat-vector", (3,), [Dense(2, "tanh"), Reshape((1, 2)), UpSampling((4,)), SimpleRNN(2)])
    for kind in ("max", "average"):
        pool = [Dense(3, "tanh"), GlobalPool(kind), Dense(2)]
        yield Case(f"global-{kind}-rnn", (4, 2), [SimpleRNN(3, "relu", return_sequences=True), GlobalPool(kind)])
        yield Case(f"global-{kind}-embedding", (4,), [Embedding(5, 3), GlobalPool(kind), Dense(2)])
        yield Case(f"unequal-global-{kind}", (None, 2), pool, lengths=(3, 1, 4, 2), weighted=True)
        yield Case(f"unequal-global-{kind}-keep", (None, 2), [GlobalPool(kind, True), Flatten()], lengths=(3, 1))
        lstm = [LSTM(3, return_sequences=True), GlobalPool(kind), Dense(2)]
        yield Case(f"unequal-lstm-global-{kind}", (None, 2), lstm, lengths=(2, 5, 1))
        yield Case(f"stepless-global-{kind}", (None, 2), pool, lengths=(0, 3, 0, 2), weighted=True)


def first_cases():
    """channels_first: (channels, ...) outside."""

    def first(*layers):
        return [ChannelsFirst(layer) for layer in layers]

    for rank in (1, 2, 3):
        shape = (2, *SIZES[rank])
        window = (2,) * rank
        layers = {
            "conv": Conv(3, window, (2, 1, 1)[:rank], "same", "tanh"),
            "max": Pool("max", window, (1,) * rank),
            "average": Pool("average", window, None, "same"),
            "global": GlobalPool("average"),
            "global-keep": GlobalPool("max", True),
            "pad": Margins(*((1, 0), (0, 2), (1, 1))[:rank]),
            "repeat": UpSampling((2, 1, 2)[:rank]),
            "flatten": Flatten(),
        }
        for name, layer in layers.items():
            yield Case(f"first-{name}{rank}d", shape, first(layer), batch=1 if rank == 3 else 2)
    stack = first(Conv(3, (3, 2), activation="relu"), Pool("max", (2, 2)), Margins((1, 0), (0, 1)), Conv(2, (2, 2)))
    yield Case("first-stack", (2, 6, 5), [*stack, ChannelsFirst(Flatten()), Dense(2)], batch=2)
    yield Case(
        "first-conv-activation", (2, 4, 3), [*first(Conv(2, (2, 2))), Activation("tanh"), *first(Conv(1, (2, 2)))]
    )
    yield Case("first-conv-dense", (2, 4, 3), [*first(Conv(2, (2, 2), activation="sigmoid")), Dense(2)], batch=2)
    yield Case("first-one-channel", (1, 4, 4), first(Conv(1, (2, 2)), Pool("max", (2, 2)), Conv(2, (1, 1))), batch=2)
    yield Case("first-sigmoid", (2, 3, 3), first(Conv(1, (2, 2), activation="sigmoid")), "binary_crossentropy")
    yield Case("first-sigmoids", (2, 3, 3), first(Conv(2, (2, 2), activation="sigmoid")), "binary_crossentropy")
    last = [Dense(4, "sigmoid"), Reshape((2, 2))]
    yield Case("sigmoid-reshape", (2,), last, "binary_crossentropy")
    last = [Dense(4), Dropout(0.3, 1), Activation("sigmoid"), Permute(1, 0), Flatten()]
    yield Case("sigmoid-alone-permute-flatten", (3, 2), last, "binary_crossentropy")
    bilinear = first(UpSampling((2, 2), "bilinear"), Conv(2, (2, 2), activation="tanh"), GlobalPool("max", True))
    yield Case("first-bilinear", (2, 2, 3), bilinear, batch=2)


def aggregate_cases():
    for how, rank, padding in product(("max", "average", "sum"), (1, 2, 3), ("valid", "same", "explicit")):
        sides = ((1, 1), (0, 1), (1, 0))[:rank] if padding == "explicit" else padding
        for window, strides, depth in ((2, None, 1), (3, 2, 2), (2, 1, 3), (2, 3, 2)):
            windows = (window, 2, 2)[:rank]
            layers = [Aggregate(how, windows, depth, strides and (strides,) * len(windows), sides)]
            yield Case(
                f"aggregate-{how}{rank}d-{padding}-{window}-{strides}-{depth}", (*SIZES[rank], 3), layers, batch=1
            )
        between = [Dense(3, "tanh"), Aggregate(how, (2,) * rank, 2, None, sides), Flatten(), Dense(2)]
        yield Case(f"aggregate-{how}{rank}d-{padding}-between", (*SIZES[rank], 1), between, batch=2)
    halos = [
        Conv(4, (3, 3), padding="same", activation="relu"),
        Aggregate("sum", (2, 2), 3, (1, 1)),
        Conv(2, (3, 3), padding="same"),
    ]
    yield Case("aggregate-between-halos", (5, 6, 1), halos, batch=2, penalties={2: (0.01, 0.02)})
    yield Case(
        "aggregate-of-rnn", (4, 2), [SimpleRNN(4, return_sequences=True), Aggregate("average", (3,), 2, (1,), "same")]
    )
    deep = [Aggregate("max", (2, 2), 2, (1, 1)), Aggregate("sum", (2, 1), 4, (1, 2))]
    yield Case("aggregate-twice", (4, 5, 5), deep, batch=2, weighted=True)


def reset_first(*arguments, **options) -> GRU:
    return GRU(*arguments, **options, reset_after=False)


def recurrent_cases():
    for activation, bias, sequences in product(CELL_ACTIVATIONS, (True, False), (True, False)):
        layers = [SimpleRNN(3, activation, bias, sequences)]
        yield Case(f"rnn-{activation}-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for activation, gate in product(CELL_ACTIVATIONS, CELL_ACTIVATIONS):
        layers = [LSTM(2, activation, gate, True, True)]
        yield Case(f"lstm-{activation}-{gate}", (3, 2), layers, batch=2)
    for bias, sequences in product((True, False), (True, False)):
        layers = [LSTM(3, use_bias=bias, return_sequences=sequences)]
        yield Case(f"lstm-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for activation, gate in product(CELL_ACTIVATIONS, CELL_ACTIVATIONS[1:]):  # a linear gate lets h grow without bound
        layers = [ForgetGateRNN(2, activation, gate, True, True)]
        yield Case(f"forget-gate-{activation}-{gate}", (3, 2), layers, batch=2)
    for bias, sequences in product((True, False), (True, False)):
        layers = [ForgetGateRNN(3, use_bias=bias, return_sequences=sequences)]
        yield Case(f"forget-gate-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for activation, gate in product(CELL_ACTIVATIONS, CELL_ACTIVATIONS[1:]):
        layers = [GRU(2, activation, gate, True, True)]
        yield Case(f"gru-{activation}-{gate}", (3, 2), layers, batch=2)
    for bias, sequences in product((True, False), (True, False)):
        layers = [GRU(3, use_bias=bias, return_sequences=sequences)]
        yield Case(f"gru-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for activation, gate in product(CELL_ACTIVATIONS, CELL_ACTIVATIONS[1:]):
        layers = [reset_first(2, activation, gate, True, True)]
        yield Case(f"reset-first-{activation}-{gate}", (3, 2), layers, batch=2)
    for bias, sequences in product((True, False), (True, False)):
        layers = [reset_first(3, use_bias=bias, return_sequences=sequences)]
        yield Case(f"reset-first-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for number, activation in enumerate(MORE_OF_CELLS):
        gate = ("hard_sigmoid", "hard_tanh", "softsign")[number % 3]  # an open one lets h grow without bound
        yield Case(f"rnn-{activation}", (4, 2), [SimpleRNN(3, activation, return_sequences=True)])
        for cell in (ForgetGateRNN, LSTM, GRU, reset_first):
            name = f"cell-{cell.__name__}"
            yield Case(f"{name}-{activation}-{gate}", (3, 2), [cell(2, activation, gate, True, True)], batch=2)
            yield Case(f"{name}-tanh-{activation}", (3, 2), [cell(3, "tanh", activation)], batch=2)
    for cell, sequences in product((SimpleRNN, ForgetGateRNN, LSTM, GRU, reset_first), (True, False)):
        for rates in ((0.0, 0.4), (0.3, 0.0), (0.3, 0.4)):
            dropping = cell(3, return_sequences=sequences).drop(*rates, seed=7)
            name = f"cell-dropout-{cell.__name__}-sequences{sequences:d}-{rates[0]}-{rates[1]}"
            yield Case(name, (4, 5), [Dense(5, "tanh"), dropping])
    both = [cell(2).drop(0.3, 0.5, seed) for seed, cell in enumerate((GRU, LSTM))]
    yield Case("cell-dropout-bidirectional", (4, 2), [Dropout(0.3, 1), Bidirectional(*both), Dropout(0.3, 2)])
    yield Case("conv-cell-dropout", (6, 3), [Conv(3, (3,), activation="tanh"), LSTM(2).drop(0.3, 0.4, 5)])
    for cell, sequences in product((SimpleRNN, ForgetGateRNN, LSTM, GRU, reset_first), (True, False)):
        name = f"{cell.__name__}-sequences{sequences:d}"
        yield Case(f"backwards-{name}", (4, 2), [GoBackwards(cell(3, return_sequences=sequences))])
        for merge in ("concat", "sum", "ave", "mul"):
            both = [cell(3, return_sequences=sequences) for _ in range(2)]
            yield Case(f"bidirectional-{name}-{merge}", (4, 2), [Dense(2, "tanh"), Bidirectional(*both, merge)])
    mixed = Bidirectional(LSTM(2, use_bias=False, return_sequences=True), SimpleRNN(3, "relu", return_sequences=True))
    yield Case("bidirectional-mixed", (4, 2), [mixed, LSTM(2)])
    yield Case(
        "bidirectional-conv",
        (6, 3),
        [Bidirectional(LSTM(2, return_sequences=True), LSTM(2, return_sequences=True)), Conv(2, (3,))],
    )
    yield Case("conv-bidirectional", (6, 3), [Conv(2, (3,), activation="tanh"), Bidirectional(LSTM(2), LSTM(2))])
    yield Case("bidirectional-one-step", (1, 3), [Bidirectional(LSTM(2), LSTM(2))])
    yield Case("rnn-one-step", (1, 3), [SimpleRNN(2)])
    yield Case("lstm-one-step", (1, 3), [LSTM(2, return_sequences=True)])
    yield Case("lstm-run-time-steps", (None, 2), [LSTM(2, return_sequences=True)], lengths=(3, 3))
    yield Case("embedding", (4,), [Embedding(5, 3)])
    yield Case("embedding-images", (3, 2), [Embedding(4, 3)])
    yield Case("embedding-flatten", (4,), [Embedding(3, 2), Flatten(), Dense(2)])


def unequal_cases():
    ce, lengths = "sparse_categorical_crossentropy", (4, 1, 5, 2)
    for sequences, weighted in product((True, False), (True, False)):
        stacks = {
            "rnn": [SimpleRNN(3, return_sequences=sequences), Dense(2)],
            "rnn-relu": [SimpleRNN(3, "relu", return_sequences=sequences), Dense(2)],
            "lstm": [LSTM(3, return_sequences=sequences), Dense(2)],
            "lstm-lstm": [LSTM(2, return_sequences=True), LSTM(2, return_sequences=sequences)],
            "reset-first": [Dense(2, "tanh"), reset_first(3, return_sequences=sequences).drop(0.3, 0.4, 3), Dense(2)],
            "reset-first-backwards": [GoBackwards(reset_first(3, return_sequences=sequences)), Dense(2)],
            "gru": [Dense(2, "tanh"), GRU(3, return_sequences=sequences), Dense(2)],
            "gru-dropping": [Dense(2, "tanh"), GRU(3, return_sequences=sequences).drop(0.3, 0.4, 3)],
            "backwards-gru": [GoBackwards(GRU(3, return_sequences=sequences)), Dense(2)],
            "backwards-dropping": [GoBackwards(LSTM(3, return_sequences=sequences).drop(0.3, 0.4, 3)), Dense(2)],
            "forget-gate": [Dense(2, "tanh"), ForgetGateRNN(3, return_sequences=sequences), Dense(2)],
            "backwards-rnn": [GoBackwards(SimpleRNN(3, return_sequences=sequences)), Dense(2)],
            "backwards-lstm": [Dense(2, "tanh"), GoBackwards(LSTM(3, return_sequences=sequences))],
            "backwards-forget": [GoBackwards(ForgetGateRNN(3, return_sequences=sequences)), Dense(2)],
            "both": [Dense(2, "tanh"), Bidirectional(*[LSTM(3, return_sequences=sequences) for _ in range(2)])],
            "both-rnn": [Bidirectional(*[SimpleRNN(3, return_sequences=sequences) for _ in range(2)]), Dense(2)],
            "both-mul": [Bidirectional(*[ForgetGateRNN(2, return_sequences=sequences) for _ in range(2)], "mul")],
            "dense-lstm": [Dense(2, "tanh"), LSTM(2, return_sequences=sequences), Activation("tanh")],
            "dropout-lstm": [Dropout(0.4, 5), LSTM(3, return_sequences=sequences), Dropout(0.3, 6), Dense(2)],
        }
        for name, layers in stacks.items():
            name = f"unequal-{name}-sequences{sequences:d}-weights{weighted:d}"
            yield Case(name, (None, 2), layers, lengths=lengths, weighted=weighted)
    yield Case("unequal-dense", (None, 3), [Dense(3, "softmax")], ce, lengths=lengths)
    text = [Embedding(5, 2), LSTM(3, return_sequences=True), LSTM(2, return_sequences=True), Dense(5, "softmax")]
    yield Case("unequal-text", (None,), text, ce, lengths=lengths, weighted=True)
    yield Case("unequal-text-last", (None,), [Embedding(4, 2), LSTM(3), Dense(3, "softmax")], ce, lengths=lengths)
    yield Case("unequal-one", (None, 2), [LSTM(2, return_sequences=True)], lengths=(5,))


def step_weight_cases():
    ce = "sparse_categorical_crossentropy"
    yield Case("step-weights-lstm", (4, 2), [LSTM(3, return_sequences=True), Dense(2)], weighted="steps")
    yield Case("step-weights-text", (4,), [Embedding(5, 2), Dense(3, "softmax")], ce, weighted="steps")
    yield Case("step-weights-conv", (6, 2), [Conv(3, (3,), padding="same")], weighted="steps")
    stack = [Dense(2, "tanh"), SimpleRNN(3, return_sequences=True), Dense(3, "softmax")]
    yield Case("step-weights-unequal", (None, 2), stack, ce, lengths=(2, 5, 1, 3), weighted="steps")
    both = [Bidirectional(*[LSTM(2, return_sequences=True) for _ in range(2)]), Dense(1, "sigmoid")]
    yield Case("step-weights-sigmoid", (None, 2), both, "binary_crossentropy", lengths=(2, 4), weighted="steps")


def stepless_cases():
    """Samples of no steps, as those are whose steps are all masked: they end in the zero state."""
    for sequences in (True, False):
        stacks = {
            "rnn": [SimpleRNN(3, return_sequences=sequences), Dense(2)],
            "lstm": [Dense(2, "tanh"), LSTM(3, return_sequences=sequences), Activation("sigmoid"), Dense(2, "tanh")],
            "lstm-lstm": [LSTM(2, return_sequences=True), Dropout(0.4, 5), LSTM(2, return_sequences=sequences)],
            "forget-gate": [ForgetGateRNN(3, return_sequences=sequences)],
            "backwards-lstm": [GoBackwards(LSTM(3, return_sequences=sequences)), Dense(2, "softmax")],
            "both": [Bidirectional(*[LSTM(3, return_sequences=sequences) for _ in range(2)]), Dense(2)],
            "both-ave": [Bidirectional(*[SimpleRNN(2, return_sequences=sequences) for _ in range(2)], "ave")],
        }
        for name, layers in stacks.items():
            weighted = "steps" if sequences else True
            yield Case(f"stepless-{name}-{sequences:d}", (None, 2), layers, lengths=(0, 3, 0, 2, 1), weighted=weighted)
    yield Case("stepless-all", (None, 2), [LSTM(3), Dense(2)], lengths=(0, 0))
    text = [Embedding(5, 2), LSTM(3), Dense(4, "softmax")]
    yield Case("stepless-text", (None,), text, "sparse_categorical_crossentropy", lengths=(2, 0, 3))


def stack_cases():
    ce = "sparse_categorical_crossentropy"
    lenet = [
        Conv(2, (3, 3), padding="same", activation="relu"),
        Pool("max", (2, 2)),
        Conv(3, (2, 2), activation="relu"),
        Flatten(),
        Dropout(0.3, 11),
        Dense(3, "softmax"),
    ]
    yield Case("lenet", (6, 6, 1), lenet, ce, batch=2, penalties={0: (0, 0.01), 4: (0.01, 0)})
    average = [Conv(2, (3,), activation="tanh"), Pool("average", (2,)), Conv(2, (2,)), Flatten(), Dense(2)]
    yield Case("conv1d-pool-conv-flatten-dense", (9, 2), average)
    volume = [Conv(2, (2, 2, 2), activation="relu"), Pool("max", (1, 2, 2)), Flatten(), Dense(2)]
    yield Case("conv3d-pool-flatten-dense", (3, 5, 3, 1), volume, batch=1)
    text = [Embedding(5, 3), LSTM(3, return_sequences=True), LSTM(2, return_sequences=True), Dense(5, "softmax")]
    yield Case("embedding-lstm-lstm-dense", (4,), text, ce, batch=2)
    yield Case("reshape-rnn", (3, 4, 1), [Reshape((3, 4)), SimpleRNN(3), Dense(3, "softmax")], ce)
    yield Case("rnn-reshape-conv", (4, 2), [SimpleRNN(4, return_sequences=True), Reshape((4, 2, 2)), Conv(2, (2, 2))])
    yield Case("lstm-flatten-dense", (3, 2), [LSTM(3, return_sequences=True), Flatten(), Dense(2, "softmax")], ce)
    # the same memory under other shapes behind a layer that lies by time
    steps = [LSTM(5, return_sequences=True), Dense(6, "tanh"), Reshape((6, 4)), Flatten(), Dense(2)]
    yield Case("lstm-dense-reshape-flatten-dense", (4, 3), steps)
    steps = [LSTM(5, return_sequences=True), Dense(6, "sigmoid"), Reshape((6, 4)), Reshape((2, 12))]
    yield Case("lstm-dense-reshape-reshape", (4, 3), steps)
    yield Case("rnn-lstm-dropout", (4, 2), [SimpleRNN(3, return_sequences=True), Dropout(0.5, 9), LSTM(2), Dense(1)])
    yield Case("dropout-conv", (5, 5, 1), [Conv(3, (2, 2), activation="tanh"), Dropout(0.4, 1), Conv(2, (2, 2))])
    yield Case("mlp-deep", (4,), [Dense(5, "relu"), Dense(5, "sigmoid"), Dense(5, "relu"), Dense(2)])
    yield Case("images-to-steps", (3, 4, 2), [Conv(3, (2, 2)), Reshape((2, -1)), LSTM(2, return_sequences=True)])


def normalization_cases():
    ce = "sparse_categorical_crossentropy"
    for center, scale in product((True, False), (True, False)):
        name, options = f"center{center:d}-scale{scale:d}", {"center": center, "scale": scale}
        yield Case(
            f"batch-norm-{name}", (5,), [Dense(4, use_bias=False), BatchNormalization(**options), Dense(2)], batch=6
        )
        yield Case(f"layer-norm-{name}", (5,), [Dense(4), LayerNormalization(**options), Dense(2)])
    for activation in ACTIVATIONS:  # above, below and between
        between = [
            Dense(4, activation, activation != "linear"),
            BatchNormalization(0.9),
            Activation(activation),
            Dense(2),
        ]
        yield Case(f"batch-norm-{activation}", (5,), between, batch=6)
        between = [Dense(4, activation), LayerNormalization(epsilon=0.01), Activation(activation), Dense(2)]
        yield Case(f"layer-norm-{activation}", (5,), between)
    yield Case("batch-norm-first", (5,), [BatchNormalization(), Dense(2)], batch=7, weighted=True)
    yield Case(
        "batch-norm-last", (5,), [Dense(4, use_bias=False), BatchNormalization()], batch=7, penalties={2: (0.01, 0.02)}
    )
    yield Case(
        "batch-norm-softmax-last",
        (5,),
        [Dense(4, use_bias=False), BatchNormalization(), Activation("softmax")],
        ce,
        batch=7,
    )
    yield Case(
        "batch-norm-sigmoid-last",
        (5,),
        [Dense(4, use_bias=False), BatchNormalization(), Activation("sigmoid")],
        batch=7,
    )
    yield Case(
        "batch-norm-twice", (5,), [BatchNormalization(0.5), Activation("tanh"), BatchNormalization(), Dense(2)], batch=7
    )
    yield Case("batch-norm-one-sample", (3, 2), [Dense(4, use_bias=False), BatchNormalization(), Dense(2)], batch=1)
    yield Case("layer-norm-first", (5,), [LayerNormalization(), Dense(2)], weighted=True)
    yield Case("layer-norm-last", (5,), [Dense(4), LayerNormalization()], penalties={2: (0.01, 0.02)})
    for make in (BatchNormalization, LayerNormalization):
        name = make.__name__.removesuffix("Normalization").lower() + "-norm"
        for rank in (1, 2, 3):
            same = {"padding": "same", "activation": "relu"}  # halos on both sides
            layers = [Conv(3, (2,) * rank, **same), make(), Conv(2, (3,) * rank, padding="same")]
            yield Case(f"{name}-conv{rank}d", (*SIZES[rank], 2), layers, batch=2)
        pooled = [
            Conv(3, (3, 3), use_bias=False),
            make(),
            Activation("relu"),
            Pool("max", (2, 2)),
            Flatten(),
            Dropout(0.3, 2),
            make(),
        ]
        yield Case(f"{name}-pool", (6, 6, 1), [*pooled, Dense(3, "softmax")], ce, batch=5)
        steps = [LSTM(3, return_sequences=True), make(), Activation("tanh"), GRU(2, return_sequences=True), make()]
        yield Case(f"{name}-steps", (4, 2), [Dense(3, "tanh"), make(), *steps], weighted="steps")
        yield Case(f"{name}-steps-flatten", (4, 2), [SimpleRNN(3, return_sequences=True), make(), Flatten(), Dense(2)])
        yield Case(f"{name}-rank4", (2, 2, 3, 2, 3), [make(), Dense(2)], batch=2)
        yield Case(f"{name}-embedding", (4,), [Embedding(5, 3), make(), Dense(2)], batch=4)
    for count in (2, 3):
        layers = [Conv(2, (2, 2), activation="relu"), LayerNormalization(count), Conv(2, (2, 2), padding="same")]
        yield Case(f"layer-norm-axes{count}", (4, 5, 2), layers, batch=2)
    yield Case("layer-norm-axes-of-steps", (4, 3), [LSTM(3, return_sequences=True), LayerNormalization(2), Dense(2)])
    unequal = [Dense(3, "tanh"), LayerNormalization(), LSTM(3, return_sequences=True), LayerNormalization(), Dense(2)]
    yield Case("layer-norm-unequal", (None, 2), unequal, lengths=(4, 1, 5, 2), weighted=True)
    yield Case("layer-norm-stepless", (None, 2), [*unequal[:2], LSTM(3), LayerNormalization()], lengths=(0, 3, 0, 2))
    yield Case("spatial-dropout-1d", (5, 3), [Conv(4, (2,), activation="relu"), SpatialDropout(0.4, 7), Dense(2)])
    yield Case("spatial-dropout-2d", (4, 3, 3), [Dropout(0.2, 3), SpatialDropout(0.4, 2**40 + 5), Conv(2, (2, 2))])
    yield Case("spatial-dropout-3d", (3, 2, 3, 5), [Dense(9, "tanh"), SpatialDropout(0.5, 8), Dense(2)], batch=2)
    unequal = [Dense(5, "tanh"), SpatialDropout(0.4, 5), LSTM(3, return_sequences=True), SpatialDropout(0.3, 6)]
    yield Case("spatial-dropout-unequal", (None, 2), unequal, lengths=(4, 1, 5, 2))


CASES = [
    case
    for cases in (
        dense_cases,
        activation_cases,
        prelu_cases,
        loss_cases,
        penalty_cases,
        conv_cases,
        winograd_cases,
        conv_option_cases,
        pool_cases,
        grid_cases,
        first_cases,
        aggregate_cases,
        recurrent_cases,
        unequal_cases,
        step_weight_cases,
        stepless_cases,
        stack_cases,
        normalization_cases,
    )
    for case in cases()
]
NAMES = [case.name for case in CASES]
assert len(set(NAMES)) == len(NAMES)
