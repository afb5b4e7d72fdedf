"""Layers, Input and Sequential refuse bad arguments, inputs that do not fit and bad weights, with a reason."""

from __future__ import annotations

import numpy as np

import tauten
from refusals import add, check, refused
from tauten import layers

REFUSED = [
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
        lambda: layers.Dense(2, kernel_constraint="hard"),
        ValueError,
        ["kernel_constraint", "hard"],
    ),
    ("layer dtype", lambda: layers.Dense(2, dtype="float16"), ValueError, ["dtype", "set_floatx"]),
    ("activity penalty", lambda: layers.Dense(2, activity_regularizer="l2"), ValueError, ["activity_regularizer"]),
    ("name with slash", lambda: layers.Dense(2, name="a/b"), ValueError, ["Dense: name", "a/b"]),
    ("empty name", lambda: layers.Dense(2, name=""), ValueError, ["Dense: name"]),
    ("rate of one", lambda: layers.Dropout(1.0), ValueError, ["Dropout: rate", "[0, 1)"]),
    ("negative rate", lambda: layers.Dropout(-0.1), ValueError, ["Dropout: rate", "-0.1"]),
    ("rate of nan", lambda: layers.Dropout(float("nan")), ValueError, ["Dropout: rate", "finite"]),
    ("noise_shape", lambda: layers.Dropout(0.5, noise_shape=(1, 2)), ValueError, ["noise_shape"]),
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
    ("PReLU constraint", lambda: layers.PReLU(alpha_constraint="hard"), ValueError, ["PReLU", "alpha_constraint"]),
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
    ("batch_size in Input", lambda: tauten.Input((4,), batch_size=0), ValueError, ["batch_size"]),
    ("no layers but one", lambda: tauten.Sequential(layers.Dense(2)), TypeError, ["list of layers"]),
    ("a class for a layer", lambda: tauten.Sequential([layers.Dense]), TypeError, ["expected a layer"]),
    ("a number for a layer", lambda: tauten.Sequential([3]), TypeError, ["expected a layer"]),
    (
        "an empty model for a layer",
        add((4,), lambda: tauten.Sequential(name="void")),
        ValueError,
        ["model 'void' has no layers"],
    ),
    (
        "same names",
        add((4,), lambda: layers.Dense(2, name="a"), lambda: layers.Dense(2, name="a")),
        ValueError,
        ["'a'"],
    ),
    ("two inputs", add((4,), lambda: tauten.Input((4,), name="two")), ValueError, ["must come first", "two"]),
    ("late embedding", add((4,), lambda: layers.Dense(2), lambda: layers.Embedding(3, 2)), ValueError, ["first layer"]),
    ("lstm on a vector", add((4,), lambda: layers.LSTM(2, name="cell")), ValueError, ["cell"]),
    ("reshape of another size", add((4,), lambda: layers.Reshape((3, 2), name="fold")), ValueError, ["fold"]),
    ("huge units", lambda: layers.Dense(2**70), ValueError, ["Dense: units", "at most", str(2**70)]),
    ("vast units", lambda: layers.Dense(10**5000), ValueError, ["Dense: units", "bits"]),
    ("huge cell", lambda: layers.LSTM(2**70), ValueError, ["LSTM: units", "at most"]),
    ("huge reshape", lambda: layers.Reshape((3, 2**70)), ValueError, ["Reshape: target_shape", "at most"]),
    ("huge seed", lambda: layers.Dropout(0.5, seed=2**70), ValueError, ["Dropout: seed", "at most"]),
    ("huge input", lambda: tauten.Input((2**70,)), ValueError, ["Input: shape", "at most"]),
    ("huge vocabulary", lambda: layers.Embedding(2**70, 2), ValueError, ["Embedding: input_dim", "at most"]),
    ("half a surrogate", lambda: layers.Dense(2, name="a\ud800"), ValueError, ["Dense: name", "Unicode"]),
    ("steps of images", add((None, 4, 5), lambda: layers.Dense(2)), ValueError, ["input_layer", "(None, features)"]),
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
]


def _built(weights=None, **arguments):
    made = tauten.Sequential([tauten.Input((4,)), layers.Dense(1, name="out", **arguments)])
    made.set_weights(weights if weights is not None else made.get_weights())


@refused(REFUSED)
def test_refused_with_a_reason(act, error, words):
    check(act, error, words)
