"""Convolutions, pooling and other layers on grids refuse bad arguments and inputs that do not fit, with a reason."""

from __future__ import annotations

from refusals import add, check, refused
from tauten import layers

REFUSED = [
    ("kernel of three in 2D", lambda: layers.Conv2D(2, (3, 3, 3)), ValueError, ["Conv2D: kernel_size", "(3, 3, 3)"]),
    ("kernel of zero", lambda: layers.Conv2D(2, (3, 0)), ValueError, ["Conv2D: kernel_size", "0"]),
    ("strides of zero", lambda: layers.Conv2D(2, 3, strides=0), ValueError, ["Conv2D: strides"]),
    ("padding word", lambda: layers.Conv2D(2, 3, padding="full"), ValueError, ["Conv2D: padding", "'full'", "same"]),
    ("causal in 2D", lambda: layers.Conv2D(2, 3, padding="causal"), ValueError, ["Conv2D: padding", "causal"]),
    ("negative padding", lambda: layers.Conv2D(2, 3, padding=-1), ValueError, ["Conv2D: padding", "-1"]),
    ("padding of three", lambda: layers.Conv2D(2, 3, padding=(1, 1, 1)), ValueError, ["padding", "2 dimensions"]),
    ("dilation of zero", lambda: layers.Conv2D(2, 3, dilation_rate=0), ValueError, ["Conv2D: dilation_rate", "0"]),
    ("dilations", lambda: layers.Conv1D(2, 3, dilation_rate=(1, 2)), ValueError, ["Conv1D: dilation_rate", "(1, 2)"]),
    (
        "strides with dilation",
        lambda: layers.Conv2D(2, 3, strides=(1, 2), dilation_rate=(2, 1)),
        ValueError,
        ["Conv2D", "strides=(1, 2)", "dilation_rate=(2, 1)"],
    ),
    (
        "groups of filters",
        lambda: layers.Conv2D(2, 3, groups=3),
        ValueError,
        ["Conv2D: groups", "3 groups of 2 filters"],
    ),
    ("groups of zero", lambda: layers.Conv2D(2, 3, groups=0), ValueError, ["Conv2D: groups", "at least 1"]),
    (
        "padding of nan",
        lambda: layers.Conv2D(2, 3, padding_value=float("nan")),
        ValueError,
        ["padding_value", "finite"],
    ),
    ("padding as text", lambda: layers.Conv2D(2, 3, padding_value="same"), TypeError, ["padding_value", "'same'"]),
    (
        "no filters of a channel",
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=0),
        ValueError,
        ["depth_multiplier"],
    ),
    ("causal depthwise", lambda: layers.DepthwiseConv1D(3, padding="causal"), ValueError, ["DepthwiseConv1D: padding"]),
    (
        "causal separable",
        lambda: layers.SeparableConv1D(2, 3, padding="causal"),
        ValueError,
        ["SeparableConv1D: padding"],
    ),
    ("separable filters", lambda: layers.SeparableConv2D(0, 3), ValueError, ["SeparableConv2D: filters", "at least 1"]),
    (
        "depthwise kernel_initializer",
        lambda: layers.DepthwiseConv2D(3, kernel_initializer="zeros"),
        TypeError,
        ["DepthwiseConv2D", "kernel_initializer"],
    ),
    (
        "separable constraint",
        lambda: layers.SeparableConv2D(2, 3, pointwise_constraint="hard"),
        ValueError,
        ["SeparableConv2D", "pointwise_constraint"],
    ),
    ("data format", lambda: layers.Conv2D(2, 3, data_format="NCHW"), ValueError, ["Conv2D: data_format", "'NCHW'"]),
    ("data format of Flatten", lambda: layers.Flatten(3), ValueError, ["Flatten: data_format", "3"]),
    ("negative zeros", lambda: layers.ZeroPadding2D(-1), ValueError, ["ZeroPadding2D: padding", "-1"]),
    ("zeros of three", lambda: layers.ZeroPadding1D((1, 2, 3)), ValueError, ["ZeroPadding1D: padding"]),
    ("zeros as a word", lambda: layers.ZeroPadding2D("same"), TypeError, ["ZeroPadding2D: padding", "'same'"]),
    ("cropping fractions", lambda: layers.Cropping2D(1.5), TypeError, ["Cropping2D: cropping", "1.5"]),
    ("cropping of three", lambda: layers.Cropping2D((1, 1, 1)), ValueError, ["Cropping2D: cropping", "2 dimensions"]),
    ("up by zero", lambda: layers.UpSampling2D(0), ValueError, ["UpSampling2D: size", "0"]),
    (
        "bicubic",
        lambda: layers.UpSampling2D(2, None, "bicubic"),
        ValueError,
        ["UpSampling2D: interpolation", "'bicubic'"],
    ),
    ("keepdims", lambda: layers.GlobalMaxPooling2D(keepdims=1), TypeError, ["GlobalMaxPooling2D: keepdims", "1"]),
    ("permute from 0", lambda: layers.Permute((0, 1)), ValueError, ["Permute: dims", "0"]),
    ("permute twice", lambda: layers.Permute((1, 1)), ValueError, ["Permute: dims", "(1, 1)"]),
    ("permute a number", lambda: layers.Permute(2), TypeError, ["Permute: dims", "2"]),
    ("repeat never", lambda: layers.RepeatVector(0), ValueError, ["RepeatVector: n", "0"]),
    (
        "cropping all",
        add((4, 6, 1), lambda: layers.Cropping2D(2, name="cut")),
        ValueError,
        ["cut: (2, 2)", "4", "(4, 6, 1)"],
    ),
    (
        "permute of three",
        add((4, 6, 1), lambda: layers.Permute((2, 1), name="turn")),
        ValueError,
        ["turn", "(4, 6, 1)"],
    ),
    (
        "permute of steps",
        add((None, 3), lambda: layers.Permute((2, 1), name="turn")),
        ValueError,
        ["turn", "(None, 3)"],
    ),
    ("zeros around steps", add((None, 3), lambda: layers.ZeroPadding1D(name="pad")), ValueError, ["pad", "(None, 3)"]),
    ("repeat a matrix", add((4, 3), lambda: layers.RepeatVector(2, name="again")), ValueError, ["again", "(4, 3)"]),
    ("global pool on a vector", add((4,), lambda: layers.GlobalMaxPooling2D(name="top")), ValueError, ["top", "(4,)"]),
    (
        "channels last where they are first",
        add((28, 28, 1), lambda: layers.Conv2D(2, 3, data_format="channels_first", name="first")),
        ValueError,
        ["first: a window of 3", "(28, 28, 1)"],
    ),
    (
        "channels first on a vector",
        add((4,), lambda: layers.MaxPooling2D(data_format="channels_first", name="pool")),
        ValueError,
        ["pool", "behind the channels", "(4,)"],
    ),
    (
        "a window larger than an odd, oblong image",
        add((5, 9, 1), lambda: layers.AveragePooling2D((6, 2), name="pool")),
        ValueError,
        ["pool: a window of 6", "extent of 5", "(5, 9, 1)", "(6, 2)"],
    ),
    ("vast upsampling", add((4, 4, 1), lambda: layers.UpSampling2D(2**40, name="up")), ValueError, ["up"]),
    ("pool of zero", lambda: layers.MaxPooling2D(0), ValueError, ["MaxPooling2D: pool_size"]),
    ("kernel larger than image", add((4, 4, 1), lambda: layers.Conv2D(2, 5, name="big")), ValueError, ["big"]),
    (
        "dilated window larger than image",
        add((8, 8, 1), lambda: layers.Conv2D(2, 3, dilation_rate=4, name="wide")),
        ValueError,
        ["wide", "window of 9", "extent of 8", "dilation_rate (4, 4)"],
    ),
    (
        "groups of channels",
        add((8, 8, 4), lambda: layers.Conv2D(6, 3, groups=3, name="odd")),
        ValueError,
        ["odd: groups", "3 groups of 4 channels"],
    ),
    (
        "padding beyond float32",
        add((8, 8, 4), lambda: layers.DepthwiseConv2D(3, padding=1, padding_value=1e39, name="far")),
        ValueError,
        ["far: padding_value", "1e+39"],
    ),
    ("depthwise on a vector", add((4,), lambda: layers.DepthwiseConv1D(3, name="flat")), ValueError, ["flat"]),
    ("separable on a vector", add((4,), lambda: layers.SeparableConv1D(2, 3, name="flat")), ValueError, ["flat"]),
    ("conv on a vector", add((4,), lambda: layers.Conv2D(2, 3, name="flat")), ValueError, ["flat"]),
    ("pool on a vector", add((4,), lambda: layers.MaxPooling2D(name="pool")), ValueError, ["pool"]),
    ("huge strides", lambda: layers.Conv2D(3, 3, strides=2**70), ValueError, ["Conv2D: strides", "at most"]),
    ("huge dilation", lambda: layers.Conv2D(3, 3, dilation_rate=2**70), ValueError, ["dilation_rate", "at most"]),
    (
        "huge multiplier",
        add((4, 4, 4), lambda: layers.DepthwiseConv2D(3, depth_multiplier=2**46, name="many")),
        ValueError,
        ["many"],
    ),
    (
        "huge dilated window",
        add((4, 4, 4), lambda: layers.Conv2D(3, 3, dilation_rate=2**46, name="far")),
        ValueError,
        ["far", "kernel_size"],
    ),
    ("huge padding", lambda: layers.Conv2D(3, 3, padding=2**70), ValueError, ["Conv2D: padding", "at most"]),
    ("huge pool", lambda: layers.MaxPooling2D(2**70), ValueError, ["MaxPooling2D: pool_size", "at most"]),
]


@refused(REFUSED)
def test_refused_with_a_reason(act, error, words):
    check(act, error, words)
