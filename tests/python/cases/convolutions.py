"""Convolutions: plain, by Winograd, with dilation, groups and padding values; depthwise and separable ones."""

from __future__ import annotations

from itertools import product

from cases.shared import ACTIVATIONS, SIZES
from examples import Case
from reference import Conv, Dense, DepthwiseConv, Flatten, SeparableConv, SimpleRNN

WIDE = {1: (9,), 2: (7, 6), 3: (7, 4, 4)}  # room for dilated windows
EXPLICIT = ((2, 0), (0, 1), (1, 2))


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
    """Channels and extents for which Winograd pays in float64; tiles that reach beyond the outputs where it does so."""
    for shape, kernel, padding, activation, channels, filters in (
        ((17,), (3,), "same", "relu", 8, 9),
        ((14,), (5,), "valid", "tanh", 8, 9),
        ((10,), (7,), ((3, 1),), "linear", 16, 16),
        ((5, 8), (3, 3), "same", "relu", 8, 9),
        ((3, 12), (1, 5), "valid", "sigmoid", 8, 9),
        ((3, 5, 6), (2, 3, 3), "same", "tanh", 8, 9),
    ):
        sides = padding if isinstance(padding, str) else "explicit"
        layers = [
            Conv(channels, (1,) * len(shape), activation=activation),
            Conv(filters, kernel, padding=padding, activation="tanh"),
        ]
        yield Case(f"winograd{len(shape)}d-{'x'.join(map(str, kernel))}-{sides}", (*shape, 1), layers, batch=3)


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
