"""Bad input: an error that names who refuses it, what was expected and what came; before anything is trained."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from refusals import check, refused
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


SETTINGS = [
    ("unknown floatx", lambda: tauten.config.set_floatx("float16"), ValueError, ["float16", "float64"]),
    ("image data format", lambda: tauten.config.set_image_data_format(None), ValueError, ["channels_first", "None"]),
    ("no threads", lambda: tauten.config.set_num_threads(0), ValueError, ["set_num_threads", "0"]),
    ("threads as text", lambda: tauten.config.set_num_threads("all"), TypeError, ["set_num_threads", "all"]),
    ("huge rate", lambda: tauten.optimizers.SGD(10**400), ValueError, ["SGD: learning_rate", "float64"]),
    ("threshold", lambda: tauten.metrics.MeanSquaredError(threshold=0.5), TypeError, ["threshold"]),
    ("threshold of classes", lambda: tauten.metrics.CategoricalAccuracy(threshold=0.5), TypeError, ["threshold"]),
    ("other threshold", lambda: tauten.metrics.BinaryAccuracy(threshold=1.3), ValueError, ["threshold", "1.3"]),
    ("axis of squares", lambda: tauten.losses.MeanSquaredError(axis=-1), TypeError, ["axis"]),
    (
        "threads by the sextillion",
        lambda: tauten.config.set_num_threads(10**30),
        ValueError,
        ["set_num_threads", "at most 1024"],
    ),
    ("negative seed", lambda: tauten.utils.set_random_seed(-1), ValueError, ["seed"]),
]

COMPILE = [
    ("optimizer", lambda: model().compile("lion", "mse"), ValueError, ["lion", "adam", "sgd"]),
    ("no loss", lambda: model().compile("sgd"), ValueError, ["loss is needed"]),
    ("loss", lambda: model().compile("sgd", "ctc"), ValueError, ["ctc", "mean_squared_error"]),
    ("metric", lambda: model().compile("sgd", "mse", metrics=["iou"]), ValueError, ["iou", "binary_accuracy"]),
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
    ("loss_weights", lambda: model().compile("sgd", "mse", loss_weights=[2, 1]), ValueError,
     ["compile: loss_weights", "1 output", "got 2"]),
    ("loss_weights as text", lambda: model().compile("sgd", "mse", loss_weights="2"), TypeError,
     ["compile: loss_weights", "'2'"]),
    ("loss_weights below 0", lambda: model().compile("sgd", "mse", loss_weights=[-1]), ValueError,
     ["compile: loss_weights", "'out'", "-1"]),
    ("weighted_metrics", lambda: model().compile("sgd", "mse", weighted_metrics="mae"), ValueError, ["list", "'mae'"]),
    ("run_eagerly", lambda: model().compile("sgd", "mse", run_eagerly=True), ValueError, ["compile: run_eagerly=True"]),
    ("unknown of compile", lambda: model().compile("sgd", "mse", metric=[]), TypeError, ["compile", "'metric'"]),
    ("fit without compile", lambda: tauten.Sequential([layers.Dense(1)]).fit(X, X[:, :1]), RuntimeError, ["compile()"]),
    ("fit without layers", lambda: _empty().fit(X, X), ValueError, ["no layers"]),
]  # fmt: skip

DATA = [
    ("no x", lambda: model().fit(), ValueError, ["x", "no data"]),
    ("no y", lambda: model().fit(X), ValueError, ["y", "no data"]),
    ("dict", lambda: model().fit({"a": X}, LABELS), ValueError, ["x", "1 input", "['a']"]),
    ("generator and y", lambda: model().fit((row for row in X), LABELS), ValueError, ["y", "generator", "batches"]),
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
    ("class_weight", lambda: model().fit(X, LABELS, class_weight=[1, 2]), TypeError, ["class_weight", "dict"]),
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


def _integers():
    return tauten.Sequential([tauten.Input((4,), dtype="int32"), layers.Dense(2)])


@refused(SETTINGS + COMPILE + DATA)
def test_refused_with_a_reason(act, error, words):
    check(act, error, words)


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
