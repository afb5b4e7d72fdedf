"""What every layer of tauten.layers promises. A layer class without a row in TABLE fails the first test."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import reference as ref
import tauten
from examples import Batch, draw, randomize
from numerics import TOLERANCE, assert_close, assert_gradient, numerical_gradient
from tauten import _core, layers


@dataclass
class Row:
    """A layer, the shape of a sample it reads, what comes out, and its twin in the reference."""

    make: Callable[[], layers.Layer]
    input: tuple[int, ...]
    output: tuple[int, ...]
    twin: Callable[[], ref.Layer]
    weights: tuple[tuple[int, ...], ...] = ()
    wrong: tuple[int | None, ...] | None = None  # a sample shape that the layer cannot read, if there is one

    def reference(self) -> ref.Network:
        return ref.Network(self.input, [self.twin()])


POOL = {1: (7, 3), 2: (6, 5, 3), 3: (4, 5, 6, 3)}
HALVED = {1: (3, 3), 2: (3, 2, 3), 3: (2, 2, 3, 3)}


def conv(make, rank: int, strides: int, output: tuple[int, ...]) -> Row:
    return Row(
        lambda: make(4, 3, strides=strides, padding="same", activation="tanh"),
        POOL[rank],
        output,
        lambda: ref.Conv(4, (3,) * rank, (strides,) * rank, "same", "tanh"),
        ((*(3,) * rank, 3, 4), (4,)),
        wrong=POOL[rank][1:],
    )


def pool(make, rank: int, kind: str) -> Row:
    return Row(lambda: make(2), POOL[rank], HALVED[rank], lambda: ref.Pool(kind, (2,) * rank), wrong=POOL[rank][1:])


def spatial(make, rank: int) -> Row:
    shape = POOL[rank]
    return Row(lambda: make(0.5, seed=3), shape, shape, lambda: ref.SpatialDropout(0.5, 3), wrong=shape[1:])


def depthwise(make, rank: int, output: tuple[int, ...]) -> Row:
    return Row(
        lambda: make(3, strides=2, padding="same", depth_multiplier=2, activation="tanh", padding_value=0.5),
        POOL[rank],
        output,
        lambda: ref.DepthwiseConv((3,) * rank, 2, (2,) * rank, "same", "tanh", value=0.5),
        ((*(3,) * rank, 3, 2), (6,)),
        wrong=POOL[rank][1:],
    )


def separable(make, rank: int) -> Row:
    return Row(
        lambda: make(4, 2, padding="same", dilation_rate=2, depth_multiplier=2, activation="tanh"),
        POOL[rank],
        (*POOL[rank][:-1], 4),
        lambda: ref.SeparableConv(4, (2,) * rank, 2, None, "same", "tanh", dilation=(2,) * rank),
        ((*(2,) * rank, 3, 2), (*(1,) * rank, 6, 4), (4,)),
        wrong=POOL[rank][1:],
    )


GLOBAL = [
    (getattr(layers, f"Global{word}Pooling{rank}D"), rank, kind)
    for word, kind in (("Max", "max"), ("Average", "average"))
    for rank in (1, 2, 3)
]
PADDING = (layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
CROPPING = (layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)
UPSAMPLING = (layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D)


def turned(rank: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """channels_first, for the layers of rank 2."""
    return (shape[-1], *shape[:-1]) if rank == 2 else shape


def grid_row(make, rank: int, output: tuple[int, ...], twin: Callable[[], ref.Layer]) -> Row:
    """A layer on a grid; that of rank 2 with the channels first."""
    options = {"data_format": "channels_first"} if rank == 2 else {}
    return Row(
        lambda: make(**options),
        turned(rank, POOL[rank]),
        turned(rank, output),
        lambda: ref.ChannelsFirst(twin()) if options else twin(),
        wrong=POOL[rank][1:],
    )


def global_pool(cls, rank: int, kind: str) -> Row:
    keep = rank == 3
    row = grid_row(
        lambda **o: cls(keepdims=keep, **o), rank, (1, 1, 1, 3) if keep else (3,), lambda: ref.GlobalPool(kind, keep)
    )
    row.output = (1, 1, 1, 3) if keep else (3,)
    return row


def padding(cls, rank: int) -> Row:
    sides = ((1, 2), (0, 1), (2, 0))[:rank]
    output = (*(n + a + b for n, (a, b) in zip(POOL[rank], sides, strict=False)), 3)
    return grid_row(lambda **o: cls(sides[0] if rank == 1 else sides, **o), rank, output, lambda: ref.Margins(*sides))


def cropping(cls, rank: int) -> Row:
    sides = ((1, 2), (0, 1), (2, 0))[:rank]
    output = (*(n - a - b for n, (a, b) in zip(POOL[rank], sides, strict=False)), 3)
    cut = [(-a, -b) for a, b in sides]
    return grid_row(lambda **o: cls(sides[0] if rank == 1 else sides, **o), rank, output, lambda: ref.Margins(*cut))


def upsampling(cls, rank: int) -> Row:
    size = (2, 3, 1)[:rank]
    output = (*(n * s for n, s in zip(POOL[rank], size, strict=False)), 3)
    return grid_row(lambda **o: cls(size[0] if rank == 1 else size, **o), rank, output, lambda: ref.UpSampling(size))


def repeat_vector() -> ref.Layer:
    """(features) -> (4, features): a matrix of ones for an axis of one step."""
    layer = ref.UpSampling((4,))
    build, forward, backward = layer.build, layer.forward, layer.backward
    layer.build = lambda shape: build((1, *shape))
    layer.forward = lambda x, step: forward(x[:, None], step)
    layer.backward = lambda grad: backward(grad)[:, 0]
    return layer


def aggregation(make, rank: int, how: str, output: tuple[int, ...]) -> Row:
    def layer() -> layers.Layer:
        return make(how, 3, 2, 2, "same", window_initializer="random_normal", trainable_window=True)

    def twin() -> ref.Layer:
        return ref.Aggregate({"avg": "average"}.get(how, how), (3,) * rank, 2, (2,) * rank, "same")

    return Row(layer, POOL[rank], output, twin, ((*(3,) * rank, 2),), wrong=POOL[rank][1:])


TABLE = {
    layers.Dense: Row(
        lambda: layers.Dense(5, activation="sigmoid"),
        (4,),
        (5,),
        lambda: ref.Dense(5, "sigmoid"),
        ((4, 5), (5,)),
    ),
    layers.Activation: Row(lambda: layers.Activation("softmax"), (3, 4), (3, 4), lambda: ref.Activation("softmax")),
    layers.ReLU: Row(lambda: layers.ReLU(1.5, 0.1, threshold=0.2), (3, 4), (3, 4), lambda: ref.ReLU(1.5, 0.1, 0.2)),
    layers.LeakyReLU: Row(layers.LeakyReLU, (3, 4), (3, 4), lambda: ref.ReLU(negative_slope=0.3)),
    layers.ELU: Row(lambda: layers.ELU(0.7), (3, 4), (3, 4), lambda: ref.ELU(0.7)),
    layers.PReLU: Row(
        lambda: layers.PReLU("glorot_uniform", shared_axes=[2]),
        (3, 4, 2),
        (3, 4, 2),
        lambda: ref.PReLU((2,)),
        ((3, 1, 2),),
        wrong=(None, 3),
    ),
    layers.Softmax: Row(layers.Softmax, (3, 4), (3, 4), lambda: ref.Activation("softmax")),
    layers.Flatten: Row(layers.Flatten, (3, 2, 2), (12,), ref.Flatten, wrong=(None, 3)),
    layers.Reshape: Row(lambda: layers.Reshape((2, -1)), (3, 4), (2, 6), lambda: ref.Reshape((2, -1)), wrong=(3, 3)),
    layers.Permute: Row(
        lambda: layers.Permute((3, 1, 2)), (3, 2, 4), (4, 3, 2), lambda: ref.Permute(2, 0, 1), wrong=(3, 2)
    ),
    layers.RepeatVector: Row(lambda: layers.RepeatVector(4), (3,), (4, 3), repeat_vector, wrong=(3, 2)),
    **{cls: global_pool(cls, rank, kind) for cls, rank, kind in GLOBAL},
    **{cls: padding(cls, rank) for rank, cls in enumerate(PADDING, 1)},
    **{cls: cropping(cls, rank) for rank, cls in enumerate(CROPPING, 1)},
    **{cls: upsampling(cls, rank) for rank, cls in enumerate(UPSAMPLING, 1)},
    layers.Dropout: Row(lambda: layers.Dropout(0.5, seed=3), (7,), (7,), lambda: ref.Dropout(0.5, 3)),
    layers.SpatialDropout1D: spatial(layers.SpatialDropout1D, 1),
    layers.SpatialDropout2D: spatial(layers.SpatialDropout2D, 2),
    layers.SpatialDropout3D: spatial(layers.SpatialDropout3D, 3),
    layers.BatchNormalization: Row(
        lambda: layers.BatchNormalization(
            momentum=0.9,
            gamma_initializer="uniform",
            beta_initializer="uniform",
            moving_mean_initializer="uniform",
            moving_variance_initializer=tauten.initializers.RandomUniform(0.5, 2.0),
        ),
        (4, 3),
        (4, 3),
        lambda: ref.BatchNormalization(0.9),
        ((3,),) * 4,
    ),
    layers.LayerNormalization: Row(
        lambda: layers.LayerNormalization((-2, -1), gamma_initializer="uniform"),
        (4, 3),
        (4, 3),
        lambda: ref.LayerNormalization(2),
        ((4, 3), (4, 3)),
    ),
    layers.Conv1D: conv(layers.Conv1D, 1, 2, (4, 4)),
    layers.Conv2D: conv(layers.Conv2D, 2, 2, (3, 3, 4)),
    layers.Conv3D: conv(layers.Conv3D, 3, 2, (2, 3, 3, 4)),
    layers.DepthwiseConv1D: depthwise(layers.DepthwiseConv1D, 1, (4, 6)),
    layers.DepthwiseConv2D: depthwise(layers.DepthwiseConv2D, 2, (3, 3, 6)),
    layers.SeparableConv1D: separable(layers.SeparableConv1D, 1),
    layers.SeparableConv2D: separable(layers.SeparableConv2D, 2),
    layers.MaxPooling1D: pool(layers.MaxPooling1D, 1, "max"),
    layers.MaxPooling2D: pool(layers.MaxPooling2D, 2, "max"),
    layers.MaxPooling3D: pool(layers.MaxPooling3D, 3, "max"),
    layers.AveragePooling1D: pool(layers.AveragePooling1D, 1, "average"),
    layers.AveragePooling2D: pool(layers.AveragePooling2D, 2, "average"),
    layers.AveragePooling3D: pool(layers.AveragePooling3D, 3, "average"),
    layers.Aggregation1D: aggregation(layers.Aggregation1D, 1, "max", (4, 2)),
    layers.Aggregation2D: aggregation(layers.Aggregation2D, 2, "avg", (3, 3, 2)),
    layers.Aggregation3D: aggregation(layers.Aggregation3D, 3, "sum", (2, 3, 3, 2)),
    layers.SimpleRNN: Row(
        lambda: layers.SimpleRNN(5, return_sequences=True),
        (4, 3),
        (4, 5),
        lambda: ref.SimpleRNN(5, return_sequences=True),
        ((3, 5), (5, 5), (5,)),
        wrong=(3,),
    ),
    layers.ForgetGateRNN: Row(
        lambda: layers.ForgetGateRNN(5, return_sequences=True, go_backwards=True),
        (4, 3),
        (4, 5),
        lambda: ref.GoBackwards(ref.ForgetGateRNN(5, return_sequences=True)),
        ((3, 10), (5, 10), (10,)),
        wrong=(4, 3, 2),
    ),
    layers.Bidirectional: Row(
        lambda: layers.Bidirectional(
            layers.LSTM(2, return_sequences=True),
            backward_layer=layers.SimpleRNN(3, return_sequences=True, go_backwards=True),
        ),
        (4, 3),
        (4, 5),
        lambda: ref.Bidirectional(ref.LSTM(2, return_sequences=True), ref.SimpleRNN(3, return_sequences=True)),
        ((3, 8), (2, 8), (8,), (3, 3), (3, 3), (3,)),
        wrong=(4, 3, 2),
    ),
    layers.LSTM: Row(
        lambda: layers.LSTM(5), (4, 3), (5,), lambda: ref.LSTM(5), ((3, 20), (5, 20), (20,)), wrong=(4, 3, 2)
    ),
    layers.GRU: Row(
        lambda: layers.GRU(5, dropout=0.3, recurrent_dropout=0.4, seed=2, return_sequences=True),
        (4, 3),
        (4, 5),
        lambda: ref.GRU(5, return_sequences=True).drop(0.3, 0.4, 2),
        ((3, 15), (5, 15), (2, 15)),
        wrong=(4, 3, 2),
    ),
    layers.Masking: Row(
        lambda: layers.Masking(-1.5), (4, 3), (4, 3), lambda: ref.Activation("linear"), wrong=(4, 3, 2)
    ),
    layers.TimeDistributed: Row(
        lambda: layers.TimeDistributed(layers.Dense(5, activation="tanh")),
        (4, 3),
        (4, 5),
        lambda: ref.Dense(5, "tanh"),
        ((3, 5), (5,)),
        wrong=(3,),
    ),
    layers.Embedding: Row(lambda: layers.Embedding(11, 5), (4,), (4, 5), lambda: ref.Embedding(11, 5), ((11, 5),)),
}
NOT_LAYERS_OF_A_MODEL = {layers.Layer, layers.InputLayer}
MERGING = {thing for thing in vars(layers).values() if getattr(thing, "merges", False)}  # test_merging.py

every_layer = pytest.mark.parametrize("row", TABLE.values(), ids=[cls.__name__ for cls in TABLE])


@pytest.fixture(autouse=True)
def same_floatx():
    dtype = tauten.config.floatx()
    yield
    tauten.config.set_floatx(dtype)


def example(row: Row, batch: int, dtype: str = "float64", seed: int = 0) -> Batch:
    return draw(row.reference(), np.random.default_rng(seed), batch).cast(dtype)


def model_of(row: Row, dtype: str = "float32", seed: int = 5) -> tauten.Sequential:
    """The layer alone in a compiled model."""
    tauten.config.set_floatx(dtype)
    tauten.utils.set_random_seed(seed)
    model = tauten.Sequential([tauten.Input(row.input), row.make()])
    model.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "mse")
    return model


def native_of(row: Row, dtype: str = "float64") -> tuple[_core.Network, ref.Network]:
    """The layer alone in a native network, and its twin, with the same random weights."""
    net, twin = _core.Network(dtype), row.reference()
    layer = row.make()
    edge = net.add_input("input", row.input, layer.reads_index)
    net.finalize(list(layer.add_call(net, [edge], [], range(layer.output_count))))
    net.compile([("mean_squared_error", False, 1.0, [])])
    randomize(twin, np.random.default_rng(1))
    for number, w in enumerate(twin.weights):
        net.set(number, w.astype(dtype))
    twin.weights = [net.get(number) for number in range(len(twin.weights))]
    return net, twin


def gradients(net: _core.Network, batch: Batch, training: bool = True):
    return net.gradients([_core.Source(batch.x)], [_core.Source(batch.y)], np.arange(len(batch)), None, training)


def test_every_layer_has_a_row() -> None:
    public = {thing for thing in vars(layers).values() if inspect.isclass(thing) and issubclass(thing, layers.Layer)}
    assert public - NOT_LAYERS_OF_A_MODEL - MERGING == set(TABLE)


@every_layer
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_shapes_dtype_and_values(row: Row, dtype: str) -> None:
    """The declared output shape is what comes out, in the model's dtype, and it is the reference's."""
    model, batch, twin = model_of(row, dtype), example(row, 3, dtype), row.reference()
    assert model.output_shape == (None, *row.output) == (None, *twin.edges[-1])
    assert tuple(w.shape for w in model.get_weights()) == row.weights
    assert all(w.dtype == dtype for w in model.get_weights())
    y = model.predict_on_batch(batch.x)
    assert y.shape == (3, *row.output)
    assert y.dtype == dtype
    twin.weights = model.get_weights()
    assert_close(y, twin.predict(batch.cast("float64").x), TOLERANCE[dtype])


@every_layer
def test_gradients(row: Row) -> None:
    net, twin = native_of(row)
    batch = example(row, 2)
    _, found, (inputs,) = gradients(net, batch)

    def loss() -> float:
        return gradients(net, batch)[0].loss

    states = [number for number, parameter in enumerate(net.parameters) if not parameter.trainable]
    assert [number for number, gradient in enumerate(found) if gradient is None] == states
    for number, w in enumerate(twin.weights):
        if number in states:
            continue

        def moved(number=number, w=w) -> float:
            net.set(number, w)
            return loss()

        assert_gradient(found[number], numerical_gradient(moved, w), net.parameters[number].name)
        net.set(number, w)
    if inputs is not None:
        assert_gradient(inputs, numerical_gradient(loss, batch.x), "inputs")


@every_layer
def test_outputs_are_assigned(row: Row) -> None:
    """Nothing is left of what an earlier, bigger batch put into the workspace: outputs and gradients are assigned."""
    batch, bigger = example(row, 3, "float32"), example(row, 9, "float32", seed=1)
    poison = np.full_like(bigger.x, np.nan if bigger.x.dtype.kind == "f" else 0)
    results = []
    for dirty in (False, True):
        net, _ = native_of(row, "float32")
        if dirty:
            gradients(net, bigger)
            assert (
                np.isnan(net.predict([_core.Source(poison)], np.arange(9), True)[0]).any() or poison.dtype.kind != "f"
            )
        for _ in range(2):
            result, found, inputs = gradients(net, batch)
            arrays = [*found, *inputs, *net.predict([_core.Source(batch.x)], np.arange(3))]
            results.append(repr(result.loss).encode() + b"".join(a.tobytes() for a in arrays if a is not None))
    assert b"nan" not in results[0]
    assert results == [results[0]] * 4


@every_layer
def test_threads(row: Row) -> None:
    """Training and prediction are bit-identical on 1 to 4 threads."""
    results, batch = set(), example(row, 13, "float32")
    for threads in (1, 2, 3, 4):
        _core.set_num_threads(threads)
        model = model_of(row)
        losses = [model.train_on_batch(batch.x, batch.y) for _ in range(3)]
        arrays = [*model.get_weights(), model.predict_on_batch(batch.x), np.array(losses)]
        results.add(b"".join(a.tobytes() for a in arrays))
    assert len(results) == 1


@every_layer
def test_save_and_load(row: Row, tmp_path) -> None:
    """Equal bits come back, and training goes on with equal bits."""
    model, batch = model_of(row), example(row, 5, "float32")
    model.train_on_batch(batch.x, batch.y)
    model.save(tmp_path / "model.safetensors")
    loaded = tauten.models.load_model(tmp_path / "model.safetensors")
    for _ in range(2):
        for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(model.predict_on_batch(batch.x), loaded.predict_on_batch(batch.x))
        assert model.train_on_batch(batch.x, batch.y) == loaded.train_on_batch(batch.x, batch.y)
    model.save_weights(tmp_path / "weights.safetensors")
    other = model_of(row, seed=6)
    other.load_weights(tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(model.predict_on_batch(batch.x), other.predict_on_batch(batch.x))


@every_layer
def test_seed(row: Row) -> None:
    """The same seed gives the same weights; another one gives others (but zeros stay zeros)."""
    first, again, other = (model_of(row, seed=seed).get_weights() for seed in (5, 5, 6))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(first) == len(row.weights)
    if row.weights:
        assert not np.array_equal(first[0], other[0])


@every_layer
def test_training_flag(row: Row) -> None:
    """Only dropout and batch statistics do anything else while training."""
    model, x = model_of(row), example(row, 6, "float32").x
    outside, inside = np.asarray(model(x)), np.asarray(model(x, training=True))
    np.testing.assert_array_equal(outside, np.asarray(model(x, training=False)))
    np.testing.assert_array_equal(outside, model.predict_on_batch(x))
    layer = model.layers[0]
    differs = isinstance(layer, layers.BatchNormalization) or any(getattr(layer, a, 0) > 0 for a in ("rate", "dropout"))
    assert np.array_equal(outside, inside) == (not differs)


@every_layer
def test_config(row: Row) -> None:
    """get_config() survives JSON and makes an equal layer."""
    layer = row.make()
    config = json.loads(json.dumps(layer.get_config()))
    copy = type(layer).from_config(config)
    assert copy.get_config() == layer.get_config()
    assert layers.deserialize(layers.serialize(layer)).get_config() == layer.get_config()
    model, x = model_of(row), example(row, 3, "float32").x
    twin = tauten.Sequential([tauten.Input(row.input), type(layer).from_config(model.layers[0].get_config())])
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin.predict_on_batch(x), model.predict_on_batch(x))


@every_layer
def test_wrong_shapes(row: Row) -> None:
    """A shape that does not fit is refused with the layer's name, when the model is built."""
    with pytest.raises(ValueError, match="Input: shape: expected at least 1, got 0"):
        tauten.Sequential([tauten.Input((0,) * len(row.input)), row.make()])
    if row.wrong is not None:
        layer = row.make()
        with pytest.raises(ValueError, match=rf"^{layer.name}: .*{re.escape(str(row.wrong))}"):
            tauten.Sequential([tauten.Input(row.wrong), layer])


@every_layer
def test_wrong_data(row: Row) -> None:
    """So is data of another shape, none at all, and data that is no numbers; the model stays as it was."""
    model, good = model_of(row), example(row, 3, "float32")
    before = model.predict_on_batch(good.x)
    wrong = [np.stack([good.x, good.x], axis=-1), good.x[:0], np.full(good.x.shape, "a")]
    if len(row.input) > 1:
        wrong.append(good.x[:, :-1])
    for x in wrong:
        with pytest.raises((ValueError, TypeError), match=r"^x: (expected|no samples)"):
            model.train_on_batch(x, good.y[: len(x)])
        with pytest.raises((ValueError, TypeError), match=r"^x: (expected|no samples)"):
            model.predict_on_batch(x)
    np.testing.assert_array_equal(model.predict_on_batch(good.x), before)
