"""Bad input: an error that names who refuses it, what was expected and what came; before anything is trained."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from tauten import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4))
LABELS = np.array([0, 1, 2, 0, 1, 2])
SEQUENCES = [RNG.normal(size=(n, 2)) for n in (3, 5, 2)]


def model(loss="sparse_categorical_crossentropy", activation="softmax", metrics=None, units=3):
    made = tauten.Sequential([tauten.Input((4,), name="in"), layers.Dense(units, activation, name="out")], name="net")
    made.compile("sgd", loss, metrics=metrics)
    return made


def binary():
    return model("binary_crossentropy", "sigmoid", units=1)


def categorical():
    return model("categorical_crossentropy")


def mse():
    return model("mse", None)


def steps(return_sequences=True):
    made = tauten.Sequential(
        [
            tauten.Input((None, 2), name="in"),
            layers.LSTM(3, return_sequences=return_sequences, name="cell"),
            layers.Dense(3, "softmax", name="out"),
        ],
        name="steps",
    )
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made


def tokens():
    made = tauten.Sequential(
        [tauten.Input((None,)), layers.Embedding(5, 2, name="table"), layers.LSTM(2), layers.Dense(2, "softmax")]
    )
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made


def with_value(array, value, *where):
    array = np.array(array, dtype=float)
    array[where] = value
    return array


def add(first, *rest):
    return lambda: tauten.Sequential([tauten.Input(first), *(make() for make in rest)])


CONSTRUCTION = [
    ("units of zero", lambda: layers.Dense(0), ValueError, ["Dense: units", "at least 1", "0"]),
    ("units as text", lambda: layers.Dense("ten"), TypeError, ["Dense: units", "'ten'"]),
    ("units as fraction", lambda: layers.Dense(2.5), TypeError, ["Dense: units", "2.5"]),
    ("units as bool", lambda: layers.Dense(True), TypeError, ["Dense: units", "True"]),
    ("unknown activation", lambda: layers.Dense(2, "relu7"), ValueError, ["Dense: activation", "relu7", "softmax"]),
    ("own activation", lambda: layers.Dense(2, lambda x: x), TypeError, ["Dense: activation", "Python function"]),
    ("activation object", lambda: layers.Dense(2, 3), TypeError, ["Dense: activation", "3"]),
    ("unknown initializer", lambda: layers.Dense(2, kernel_initializer="xavier"), ValueError, ["xavier", "glorot"]),
    ("unknown regularizer", lambda: layers.Dense(2, kernel_regularizer="l4"), ValueError, ["l4", "elastic_net"]),
    ("use_bias as text", lambda: layers.Dense(2, use_bias="no"), TypeError, ["Dense: use_bias", "'no'"]),
    ("unknown argument", lambda: layers.Dense(2, unit=3), TypeError, ["Dense", "'unit'"]),
    (
        "constraint",
        lambda: layers.Dense(2, kernel_constraint="max_norm"),
        ValueError,
        ["kernel_constraint", "max_norm"],
    ),
    ("layer dtype", lambda: layers.Dense(2, dtype="float16"), ValueError, ["dtype", "set_floatx"]),
    ("activity penalty", lambda: layers.Dense(2, activity_regularizer="l2"), ValueError, ["activity_regularizer"]),
    ("name with slash", lambda: layers.Dense(2, name="a/b"), ValueError, ["Dense: name", "a/b"]),
    ("empty name", lambda: layers.Dense(2, name=""), ValueError, ["Dense: name"]),
    ("rate of one", lambda: layers.Dropout(1.0), ValueError, ["Dropout: rate", "[0, 1)"]),
    ("negative rate", lambda: layers.Dropout(-0.1), ValueError, ["Dropout: rate", "-0.1"]),
    ("rate of nan", lambda: layers.Dropout(float("nan")), ValueError, ["Dropout: rate", "finite"]),
    ("noise_shape", lambda: layers.Dropout(0.5, noise_shape=(1, 2)), ValueError, ["noise_shape"]),
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
        lambda: layers.SeparableConv2D(2, 3, pointwise_constraint="non_neg"),
        ValueError,
        ["SeparableConv2D", "pointwise_constraint"],
    ),
    ("data format", lambda: layers.Conv2D(2, 3, data_format="NCHW"), ValueError, ["Conv2D: data_format", "'NCHW'"]),
    ("data format of Flatten", lambda: layers.Flatten(3), ValueError, ["Flatten: data_format", "3"]),
    ("image data format", lambda: tauten.config.set_image_data_format(None), ValueError, ["channels_first", "None"]),
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
    ("gelu in a cell", lambda: layers.LSTM(2, "gelu"), ValueError, ["LSTM: activation", "gelu", "hard_sigmoid"]),
    (
        "swish in a gate",
        lambda: layers.GRU(2, recurrent_activation="swish"),
        ValueError,
        ["GRU: recurrent_activation", "silu", "hard_sigmoid"],
    ),
    ("shrinking ReLU", lambda: layers.ReLU(negative_slope=-0.1), ValueError, ["ReLU: negative_slope", "-0.1"]),
    ("ReLU below zero", lambda: layers.ReLU(-1), ValueError, ["ReLU: max_value", "-1"]),
    ("ReLU of text", lambda: layers.ReLU(threshold="a"), TypeError, ["ReLU: threshold", "'a'"]),
    ("slope of None", lambda: layers.LeakyReLU(None), TypeError, ["LeakyReLU: negative_slope", "None"]),
    ("ELU of nan", lambda: layers.ELU(float("nan")), ValueError, ["ELU: alpha", "finite"]),
    ("PReLU of axis 0", lambda: layers.PReLU(shared_axes=[0]), ValueError, ["PReLU: shared_axes", "0"]),
    ("PReLU constraint", lambda: layers.PReLU(alpha_constraint="max_norm"), ValueError, ["PReLU", "alpha_constraint"]),
    (
        "PReLU of an axis too many",
        add((3, 4), lambda: layers.PReLU(shared_axes=[1, 3], name="slopes")),
        ValueError,
        ["slopes: shared_axes", "from 1 to 2", "(3, 4)", "3"],
    ),
    (
        "PReLU of unknown steps",
        add((None, 4), lambda: layers.PReLU(name="slopes")),
        ValueError,
        ["slopes", "time steps", "(None, 4)", "shared_axes=[1]"],
    ),
    ("softmax of axis 1", lambda: layers.Softmax(1), ValueError, ["Softmax: axis", "-1", "1"]),
    ("softmax of two axes", lambda: layers.Softmax([1, 2]), ValueError, ["Softmax: axis", "[1, 2]"]),
    ("softmax in a cell", lambda: layers.LSTM(2, "softmax"), ValueError, ["LSTM: activation", "softmax"]),
    (
        "bidirectional dense",
        lambda: layers.Bidirectional(layers.Dense(2)),
        TypeError,
        ["Bidirectional", "recurrent", "Dense"],
    ),
    ("bidirectional merge", lambda: layers.Bidirectional(layers.LSTM(2), "add"), ValueError, ["merge_mode", "'add'"]),
    (
        "bidirectional same way",
        lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2)),
        ValueError,
        ["Bidirectional", "go_backwards"],
    ),
    (
        "bidirectional sequences",
        lambda: layers.Bidirectional(
            layers.LSTM(2), backward_layer=layers.LSTM(2, return_sequences=True, go_backwards=True)
        ),
        ValueError,
        ["Bidirectional", "return_sequences"],
    ),
    (
        "bidirectional units",
        lambda: layers.Bidirectional(layers.LSTM(2), "sum", backward_layer=layers.LSTM(3, go_backwards=True)),
        ValueError,
        ["Bidirectional", "units", "2 and 3"],
    ),
    (
        "recurrent dropout",
        lambda: layers.LSTM(2, recurrent_dropout=1),
        ValueError,
        ["LSTM: recurrent_dropout", "got 1"],
    ),
    ("cell dropout", lambda: layers.GRU(2, dropout=-0.1), ValueError, ["GRU: dropout", "-0.1"]),
    ("stateful", lambda: layers.SimpleRNN(2, stateful=1), TypeError, ["SimpleRNN: stateful", "True or False"]),
    ("two outputs", lambda: layers.Bidirectional(layers.LSTM(2), None), ValueError, ["merge_mode=None", "'concat'"]),
    ("return state", lambda: layers.LSTM(2, return_state=True), ValueError, ["LSTM: return_state", "step()"]),
    ("reset after", lambda: layers.GRU(2, reset_after=0), TypeError, ["GRU: reset_after", "True or False"]),
    ("mask_zero", lambda: layers.Embedding(3, 2, mask_zero=1), TypeError, ["Embedding: mask_zero", "True or False"]),
    ("vocabulary of zero", lambda: layers.Embedding(0, 2), ValueError, ["Embedding: input_dim"]),
    ("reshape to zero", lambda: layers.Reshape((0, 3)), ValueError, ["Reshape: target_shape"]),
    ("reshape with two -1", lambda: layers.Reshape((-1, -1)), ValueError, ["Reshape: target_shape", "-1"]),
    ("reshape to a number", lambda: layers.Reshape(3), TypeError, ["Reshape: target_shape"]),
    ("input as number", lambda: tauten.Input(4), TypeError, ["Input: shape", "4"]),
    ("input of zero", lambda: tauten.Input((4, 0)), ValueError, ["Input: shape", "0"]),
    ("input_dim of Input", lambda: tauten.Input((4,), input_dim=3), TypeError, ["Input", "'input_dim'"]),
    ("input of text", lambda: tauten.Input((4,), dtype="str"), ValueError, ["Input: dtype"]),
    ("batch_size in Input", lambda: tauten.Input((4,), batch_size=3), ValueError, ["batch_size"]),
    ("no layers but one", lambda: tauten.Sequential(layers.Dense(2)), TypeError, ["list of layers"]),
    ("a class for a layer", lambda: tauten.Sequential([layers.Dense]), TypeError, ["expected a layer"]),
    ("a model for a layer", lambda: tauten.Sequential([tauten.Sequential()]), TypeError, ["expected a layer"]),
    (
        "same names",
        add((4,), lambda: layers.Dense(2, name="a"), lambda: layers.Dense(2, name="a")),
        ValueError,
        ["'a'"],
    ),
    ("two inputs", add((4,), lambda: tauten.Input((4,), name="two")), ValueError, ["must come first", "two"]),
    ("late embedding", add((4,), lambda: layers.Dense(2), lambda: layers.Embedding(3, 2)), ValueError, ["first layer"]),
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
    ("lstm on a vector", add((4,), lambda: layers.LSTM(2, name="cell")), ValueError, ["cell"]),
    ("pool on a vector", add((4,), lambda: layers.MaxPooling2D(name="pool")), ValueError, ["pool"]),
    ("reshape of another size", add((4,), lambda: layers.Reshape((3, 2), name="fold")), ValueError, ["fold"]),
    ("unknown floatx", lambda: tauten.config.set_floatx("float16"), ValueError, ["float16", "float64"]),
    ("no threads", lambda: tauten.config.set_num_threads(0), ValueError, ["set_num_threads", "0"]),
    ("threads as text", lambda: tauten.config.set_num_threads("all"), TypeError, ["set_num_threads", "all"]),
    ("huge units", lambda: layers.Dense(2**70), ValueError, ["Dense: units", "at most", str(2**70)]),
    ("vast units", lambda: layers.Dense(10**5000), ValueError, ["Dense: units", "bits"]),
    ("huge cell", lambda: layers.LSTM(2**70), ValueError, ["LSTM: units", "at most"]),
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
    ("huge reshape", lambda: layers.Reshape((3, 2**70)), ValueError, ["Reshape: target_shape", "at most"]),
    ("huge seed", lambda: layers.Dropout(0.5, seed=2**70), ValueError, ["Dropout: seed", "at most"]),
    ("huge input", lambda: tauten.Input((2**70,)), ValueError, ["Input: shape", "at most"]),
    ("huge vocabulary", lambda: layers.Embedding(2**70, 2), ValueError, ["Embedding: input_dim", "at most"]),
    ("huge rate", lambda: tauten.optimizers.SGD(10**400), ValueError, ["SGD: learning_rate", "float64"]),
    ("half a surrogate", lambda: layers.Dense(2, name="a\ud800"), ValueError, ["Dense: name", "Unicode"]),
    ("steps of images", add((None, 4, 5), lambda: layers.Dense(2)), ValueError, ["input_layer", "(None, features)"]),
    ("threshold", lambda: tauten.metrics.MeanSquaredError(threshold=0.5), TypeError, ["threshold"]),
    ("threshold of classes", lambda: tauten.metrics.CategoricalAccuracy(threshold=0.5), TypeError, ["threshold"]),
    ("other threshold", lambda: tauten.metrics.BinaryAccuracy(threshold=0.3), ValueError, ["threshold=0.3"]),
    ("axis of squares", lambda: tauten.losses.MeanSquaredError(axis=-1), TypeError, ["axis"]),
    ("input_dim of zero", lambda: layers.Dense(2, input_dim=0), ValueError, ["Dense: input_dim", "0"]),
    ("weights of nan", lambda: _built([[[np.nan]] * 4, [0.0]]), ValueError, ["finite", "out/kernel"]),
    ("weights too large", lambda: _built([[[1e39]] * 4, [0.0]]), ValueError, ["out/kernel", "beyond float32"]),
    ("masked weights", lambda: _built([np.ma.ones((4, 1)), [0.0]]), TypeError, ["masked"]),
    ("ragged weights", lambda: _built([[[0.0], [0.0, 1.0]], [0.0]]), TypeError, ["set_weights"]),
    (
        "initializer too large",
        lambda: _built(bias_initializer=tauten.initializers.Constant(1e300)),
        ValueError,
        ["out/bias", "beyond float32"],
    ),
    (
        "initializer of nan",
        lambda: _built(kernel_initializer=lambda shape, dtype: np.full(shape, np.nan)),
        ValueError,
        ["out/kernel", "NaN"],
    ),
    (
        "threads by the sextillion",
        lambda: tauten.config.set_num_threads(10**30),
        ValueError,
        ["set_num_threads", "at most 1024"],
    ),
    ("negative seed", lambda: tauten.utils.set_random_seed(-1), ValueError, ["seed"]),
]

COMPILE = [
    ("optimizer", lambda: model().compile("adam", "mse"), ValueError, ["adam", "sgd"]),
    ("no loss", lambda: model().compile("sgd"), ValueError, ["loss is needed"]),
    ("loss", lambda: model().compile("sgd", "hinge"), ValueError, ["hinge", "mean_squared_error"]),
    ("python loss", lambda: model().compile("sgd", lambda y, p: 0), TypeError, ["Python functions"]),
    ("metric", lambda: model().compile("sgd", "mse", metrics=["auc"]), ValueError, ["auc", "binary_accuracy"]),
    ("metrics as text", lambda: model().compile("sgd", "mse", metrics="mae"), ValueError, ["list", "'mae'"]),
    ("two of a name", lambda: model().compile("sgd", "mse", metrics=["mae", "mae"]), ValueError, ["unique", "mae"]),
    ("metric called loss", lambda: model().compile("sgd", "mse", metrics=[tauten.metrics.MeanSquaredError("loss")]),
     ValueError, ["'loss'"]),
    ("metric of other targets", lambda: model(metrics=["mae"]), ValueError, ["'mae'", "class numbers"]),
    ("sparse metric", lambda: model("mse", None, ["sparse_categorical_accuracy"]), ValueError,
     ["sparse_categorical_accuracy", "output's shape"]),
    ("crossentropy without softmax", lambda: model("categorical_crossentropy", "relu"), ValueError,
     ["softmax", "'relu'", "'out'", "from_logits=True"]),
    ("binary without sigmoid", lambda: model("binary_crossentropy", None), ValueError, ["sigmoid", "'linear'"]),
    ("logits after softmax", lambda: model(tauten.losses.CategoricalCrossentropy(from_logits=True)), ValueError,
     ["logits", "'softmax'", "'out'"]),
    ("crossentropy behind a node", lambda: model("categorical_crossentropy", "log_softmax"), ValueError,
     ["softmax", "'log_softmax'", "'out'"]),
    ("crossentropy behind a layer", lambda: tauten.Sequential([tauten.Input((3,)), layers.ReLU(name="open")])
     .compile("sgd", "categorical_crossentropy"), ValueError, ["softmax", "'relu'", "'open'"]),
    ("logits behind a Softmax", lambda: tauten.Sequential([tauten.Input((3,)), layers.Softmax(name="out")])
     .compile("sgd", tauten.losses.CategoricalCrossentropy(from_logits=True)), ValueError, ["logits", "'softmax'"]),
    ("one class", lambda: model(units=1), ValueError, ["two classes", "binary_crossentropy"]),
    ("loss_weights", lambda: model().compile("sgd", "mse", loss_weights=[2]), ValueError,
     ["compile: loss_weights=[2]"]),
    ("weighted_metrics", lambda: model().compile("sgd", "mse", weighted_metrics=["mae"]), ValueError,
     ["compile: weighted_metrics"]),
    ("run_eagerly", lambda: model().compile("sgd", "mse", run_eagerly=True), ValueError, ["compile: run_eagerly=True"]),
    ("unknown of compile", lambda: model().compile("sgd", "mse", metric=[]), TypeError, ["compile", "'metric'"]),
    ("fit without compile", lambda: tauten.Sequential([layers.Dense(1)]).fit(X, X[:, :1]), RuntimeError, ["compile()"]),
    ("fit without layers", lambda: _empty().fit(X, X), ValueError, ["no layers"]),
]  # fmt: skip

DATA = [
    ("no x", lambda: model().fit(), ValueError, ["x", "no data"]),
    ("no y", lambda: model().fit(X), ValueError, ["y", "no data"]),
    ("dict", lambda: model().fit({"a": X}, LABELS), TypeError, ["x", "dict"]),
    ("generator", lambda: model().fit((row for row in X), LABELS), TypeError, ["x", "generator"]),
    ("text", lambda: model().fit("data.csv", LABELS), TypeError, ["x", "str"]),
    ("empty", lambda: model().fit(X[:0], LABELS[:0]), ValueError, ["x", "no samples", "(0, 4)"]),
    ("empty list", lambda: model().fit([], []), ValueError, ["x", "no samples"]),
    ("a number", lambda: model().fit(3.0, LABELS), ValueError, ["x", "single number"]),
    ("dtype str", lambda: model().fit(X.astype(str), LABELS), TypeError, ["x", "dtype <U"]),
    ("dtype complex", lambda: model().fit(X + 1j, LABELS), TypeError, ["x", "complex128"]),
    ("dtype object", lambda: model().fit(X.astype(object), LABELS), TypeError, ["x", "object"]),
    ("dtype date", lambda: model().predict(np.zeros((2, 4), "M8[s]")), TypeError, ["x", "datetime64"]),
    ("wrong width", lambda: model().fit(X[:, :3], LABELS), ValueError, ["x", "(4,)", "(6, 3)", "'net'", "'in'"]),
    ("wrong rank", lambda: model().fit(X[None], LABELS), ValueError, ["x", "(4,)", "(1, 6, 4)"]),
    ("one sample", lambda: model().predict(X[0]), ValueError, ["x", "(4,)", "x[None]"]),
    ("array in a list", lambda: model().predict([X]), ValueError, ["x", "(4,)", "pass the array itself"]),
    ("uneven rows", lambda: model().predict([[1, 2, 3, 4], [1, 2]]), ValueError, ["x", "one length", "2 to 4"]),
    ("uneven nested", lambda: steps().predict([[[1, 2], [1]]]), TypeError, ["x[0]", "numbers"]),
    ("numbers to build on", lambda: _lazy().fit(X[:, 0], LABELS), ValueError, ["reshape(-1, 1)"]),
    ("lengths differ", lambda: model().fit(X, LABELS[:5]), ValueError, ["y", "6", "5"]),
    ("nan in x", lambda: model().fit(with_value(X, np.nan, 2, 1), LABELS), ValueError, ["x", "1 of 6", "number 2"]),
    ("inf in x", lambda: model().evaluate(with_value(X, -np.inf, 3), LABELS), ValueError, ["x", "NaN or infinity"]),
    ("nan on a batch", lambda: model().train_on_batch(with_value(X, np.nan, 0), LABELS), ValueError, ["x", "number 0"]),
    ("too large", lambda: model().fit(with_value(X, 1e300, 4), LABELS), ValueError, ["x", "too large for float32"]),
    ("nan in y", lambda: mse().fit(X, with_value(X[:, :3], np.nan, 5)), ValueError, ["y", "number 5"]),
    ("nan in a list", lambda: steps().fit([with_value(s, np.nan, 0) for s in SEQUENCES], LABELS[:3]), ValueError,
     ["x"]),
    ("label too large", lambda: model().fit(X, LABELS + 1), ValueError, ["y", "[0, 3)", "3", "'out'"]),
    ("negative label", lambda: model().fit(X, LABELS - 1), ValueError, ["y", "[0, 3)", "-1"]),
    ("half a label", lambda: model().fit(X, LABELS + 0.5), ValueError, ["y", "whole numbers", "class numbers"]),
    ("nan label", lambda: model().fit(X, with_value(LABELS, np.nan, 1)), ValueError, ["y", "whole numbers"]),
    ("text labels", lambda: model().fit(X, np.array(list("abcabc"))), TypeError, ["y", "<U1"]),
    ("one-hot for sparse", lambda: model().fit(X, np.eye(3)[LABELS]), ValueError, ["y", "'categorical_crossentropy'"]),
    ("labels for one-hot", lambda: categorical().fit(X, LABELS), ValueError,
     ["y", "(3,)", "sparse_categorical_crossentropy", "to_categorical"]),
    ("one-hot width", lambda: categorical().fit(X, np.eye(4)[LABELS]), ValueError, ["y", "(3,)", "(6, 4)", "'out'"]),
    ("one-hot above one", lambda: categorical().fit(X, 2 * np.eye(3)[LABELS]), ValueError, ["y", "[0, 1]", "2.0"]),
    ("binary above one", lambda: binary().fit(X, LABELS), ValueError, ["y", "[0, 1]", "binary_crossentropy", "2"]),
    ("binary below zero", lambda: binary().fit(X, np.sign(X[:, 0])), ValueError, ["y", "[0, 1]", "-1"]),
    ("target width", lambda: mse().fit(X, X), ValueError, ["y", "(3,)", "(6, 4)", "'out'"]),
    ("weights differ", lambda: model().fit(X, LABELS, sample_weight=np.ones(5)), ValueError, ["sample_weight", "(6,)"]),
    ("weights of steps", lambda: model().fit(X, LABELS, sample_weight=np.ones((6, 2))), ValueError, ["sample_weight"]),
    ("nan weight", lambda: model().fit(X, LABELS, sample_weight=with_value(LABELS, np.nan, 0)), ValueError,
     ["sample_weight", "NaN"]),
    ("text weight", lambda: model().fit(X, LABELS, sample_weight=["a"] * 6), TypeError, ["sample_weight"]),
    ("validation_data", lambda: model().fit(X, LABELS, validation_data=X), ValueError, ["validation_data", "(x, y)"]),
    ("validation x", lambda: model().fit(X, LABELS, validation_data=(X[:, :2], LABELS)), ValueError,
     ["validation_data: x", "(6, 2)"]),
    ("validation y", lambda: model().fit(X, LABELS, validation_data=(X, LABELS + 9)), ValueError,
     ["validation_data: y", "11"]),
    ("split of one", lambda: model().fit(X, LABELS, validation_split=1.0), ValueError, ["validation_split"]),
    ("negative split", lambda: model().fit(X, LABELS, validation_split=-0.1), ValueError, ["validation_split"]),
    ("split of nothing", lambda: model().fit(X, LABELS, validation_split=0.95), ValueError, ["validation_split", "6"]),
    ("batch of zero", lambda: model().fit(X, LABELS, batch_size=0), ValueError, ["batch_size", "0"]),
    ("batch of half", lambda: model().evaluate(X, LABELS, batch_size=1.5), TypeError, ["batch_size", "1.5"]),
    ("epochs of zero", lambda: model().fit(X, LABELS, epochs=0), ValueError, ["epochs", "0"]),
    ("shuffle as text", lambda: model().fit(X, LABELS, shuffle="batch"), TypeError, ["shuffle", "batch"]),
    ("validation batch of zero", lambda: model().fit(X, LABELS, validation_split=0.5, validation_batch_size=0),
     ValueError, ["validation_batch_size", "0"]),
    ("validation batch of False", lambda: model().fit(X, LABELS, validation_batch_size=False), TypeError,
     ["validation_batch_size", "False"]),
    ("a class as callbacks", lambda: model().fit(X, LABELS, callbacks=tauten.callbacks.Callback), TypeError,
     ["callbacks", "objects of class"]),
    ("a class among callbacks", lambda: model().fit(X, LABELS, callbacks=[tauten.callbacks.History]), TypeError,
     ["callbacks", "objects of class"]),
    ("a number as callbacks", lambda: model().predict(X, callbacks=3), TypeError, ["callbacks", "got 3"]),
    ("masked x", lambda: model().fit(np.ma.masked_less(X, 0), LABELS), TypeError, ["x", "masked"]),
    ("masked y", lambda: model().fit(X, np.ma.array(LABELS)), TypeError, ["y", "masked"]),
    ("masked samples", lambda: steps().predict([np.ma.array(s) for s in SEQUENCES]), TypeError, ["x[0]", "masked"]),
    ("class_weight", lambda: model().fit(X, LABELS, class_weight={0: 1}), TypeError, ["class_weight"]),
    ("token too large", lambda: tokens().fit([[1, 5], [2]], [0, 1]), ValueError, ["x", "'table'", "[0, 5)", "5"]),
    ("negative token", lambda: tokens().predict(np.array([[1, -1]])), ValueError, ["x", "'table'", "-1"]),
    ("half a token", lambda: tokens().predict(np.array([[0.5, 1]])), ValueError, ["x", "'table'", "whole numbers"]),
    ("steps without features", lambda: steps().predict([np.zeros(3)]), ValueError, ["x", "(None, 2)"]),
    ("no steps", lambda: steps().predict([np.zeros((0, 2)), np.zeros((1, 2))]), ValueError, ["x[0]", "empty"]),
    ("features differ", lambda: steps().predict([np.zeros((3, 2)), np.zeros((3, 3))]), ValueError, ["x[1]", "(3, 3)"]),
    ("wrong features", lambda: steps().predict([np.zeros((3, 4))]), ValueError, ["x", "(None, 2)", "'steps'"]),
    ("steps of y", lambda: steps().fit(SEQUENCES, [np.zeros(3, int), np.zeros(4, int), np.zeros(2, int)]), ValueError,
     ["y[1]", "5 steps", "4"]),
    ("steps of y in arrays", lambda: steps().fit(np.zeros((2, 5, 2)), np.zeros((2, 4), int)), ValueError,
     ["y", "5 steps", "(2, 4)"]),
    ("list of y", lambda: steps().fit(np.zeros((2, 5, 2)), [[0, 1], [0, 1, 2]]), ValueError, ["y", "one length"]),
    ("lists for fixed steps", lambda: _fixed().predict(SEQUENCES), ValueError, ["x", "2 to 5", "Input((None, ...))"]),
    ("other fixed steps", lambda: _fixed().predict(np.zeros((2, 5, 2))), ValueError,
     ["x", "(4, 2)", "Input((None, 2))"]),
    ("lists for fixed outputs", lambda: steps(False).fit(SEQUENCES, [[0], [1], [2, 2]]), ValueError,
     ["y", "one length"]),
    ("integers asked for", lambda: _integers().predict(X), ValueError, ["x", "whole numbers", "integer Input"]),
    ("training as text", lambda: model()(X, training="yes"), TypeError, ["training"]),
]  # fmt: skip


def _lazy():
    made = tauten.Sequential([layers.Dense(3, "softmax")])
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made


def _empty():
    made = tauten.Sequential()
    made.compile("sgd", "mse")
    return made


def _fixed():
    return tauten.Sequential([tauten.Input((4, 2)), layers.LSTM(3)])


def _built(weights=None, **arguments):
    made = tauten.Sequential([tauten.Input((4,)), layers.Dense(1, name="out", **arguments)])
    made.set_weights(weights if weights is not None else made.get_weights())


def _integers():
    return tauten.Sequential([tauten.Input((4,), dtype="int32"), layers.Dense(2)])


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [pytest.param(*case[1:], id=case[0].replace(" ", "-")) for case in CONSTRUCTION + COMPILE + DATA],
)
def test_refused_with_a_reason(act, error, words):
    with pytest.raises(error) as info:
        act()
    assert type(info.value) is error
    for word in words:
        assert word in str(info.value), str(info.value)


def test_bad_data_change_nothing():
    made = model()
    before = made.get_weights()
    for act in (
        lambda: made.fit(X, LABELS + 1, verbose=0),
        lambda: made.fit(X, LABELS, validation_data=(X, LABELS + 1), verbose=0),
        lambda: made.train_on_batch(with_value(X, np.nan, 0), LABELS),
    ):
        with pytest.raises(ValueError):
            act()
    for a, b in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert made.optimizer.iterations == 0


def test_a_failed_compile_leaves_the_old_one():
    made = model()
    with pytest.raises(ValueError, match="sigmoid"):
        made.compile("sgd", "binary_crossentropy")
    assert made.loss.native == "sparse_categorical_crossentropy"
    assert np.isfinite(made.evaluate(X, LABELS, verbose=0))


def test_a_layer_belongs_to_one_model():
    made = model()
    with pytest.raises(ValueError, match=r"belongs to model 'net'.*from_config"):
        tauten.Sequential([tauten.Input((4,)), made.layers[0]])


def test_keras_arguments_that_change_nothing():
    model().compile(
        "sgd", "sparse_categorical_crossentropy", loss_weights=None, weighted_metrics=None, run_eagerly=False,
        steps_per_execution=1, jit_compile="auto", auto_scale_loss=True,
    )  # fmt: skip
    tauten.metrics.BinaryAccuracy(threshold=0.5)
    tauten.losses.CategoricalCrossentropy(label_smoothing=0.0, axis=-1)


def test_numpy_arrays_as_shapes():
    made = tauten.Sequential([tauten.Input(np.array([3])), layers.Reshape(np.array([3, 1]))])
    made.add(layers.Conv1D(2, np.array([2]), padding=np.array([1, 0])))
    assert made.output_shape == (None, 3, 2)
    assert tauten.Sequential.from_config(made.get_config()).output_shape == (None, 3, 2)


def test_input_dim_is_an_input_shape():
    made = tauten.Sequential([layers.Dense(1, input_dim=3)])
    assert made.input_shape == (None, 3)
    assert tauten.Sequential.from_config(made.get_config()).input_shape == (None, 3)


def test_bad_weights_change_nothing():
    made = model()
    before = made.get_weights()
    for bad in (np.nan, np.inf, 1e39):
        with pytest.raises(ValueError, match="out/bias"):
            made.set_weights([before[0] + 1, with_value(before[1], bad, 0)])
        with pytest.raises(ValueError, match="out/bias"):
            made.weights[1].assign(with_value(before[1], bad, 0))
    for a, b in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_unaligned_arrays_are_copied():
    made = model()
    expected = made.predict(X, verbose=0)
    shifted = np.frombuffer(b"0" + X.tobytes(), dtype=X.dtype, offset=1).reshape(X.shape)
    packed = np.zeros(len(X), dtype=np.dtype([("tag", "u1"), ("x", "f8", (4,)), ("y", "i8")]))
    packed["x"], packed["y"] = X, LABELS
    assert not shifted.flags.aligned
    assert not packed["x"].flags.aligned
    for x in (shifted, packed["x"]):
        np.testing.assert_array_equal(made.predict(x, verbose=0), expected)
    assert made.evaluate(packed["x"], packed["y"], verbose=0) == made.evaluate(X, LABELS, verbose=0)
    cell = steps()
    halves = [np.frombuffer(b"0" + s.tobytes(), dtype=s.dtype, offset=1).reshape(s.shape) for s in SEQUENCES]
    for a, b in zip(cell.predict(halves, verbose=0), cell.predict(SEQUENCES, verbose=0), strict=True):
        np.testing.assert_array_equal(a, b)
    bias = np.frombuffer(b"0" + np.ones(3, np.float32).tobytes(), dtype=np.float32, offset=1)
    made.weights[1].assign(bias)
    assert made.get_weights()[1].tolist() == [1, 1, 1]


def test_predict_takes_nan():
    assert np.isnan(model().predict(with_value(X, np.nan, 1), verbose=0)[1]).all()


def test_huge_shapes_do_not_overflow():
    made = tauten.Sequential()
    with pytest.raises(ValueError, match="vast"):
        for layer in (tauten.Input((2**31,)), layers.Dense(2**31, name="vast"), layers.Dense(2**31, name="vaster")):
            made.add(layer)
        made.get_weights()
