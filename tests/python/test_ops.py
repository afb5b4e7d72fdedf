"""tauten.ops: the chapter's convolution and aggregation on arrays, against plain loops, by hand and numerically."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from data import digits
from numerics import TOLERANCE, assert_close, assert_gradient, numerical_gradient
from tauten import _core, layers, ops

KINDS = ("sum", "avg", "max")


# -- the reference: plain loops over outputs and the window, straight from the chapter


def sides(padding, shape, window, strides):
    if isinstance(padding, int):
        return [(padding, padding)] * len(shape)
    if padding == "same":
        totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(shape, window, strides, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    return [(0, 0)] * len(shape) if padding == "valid" else list(padding)


def plain(x, w, how, strides=1, padding=0, outside=None, delta=None):
    """y, or, for a delta, (dx, dw). outside: what stands outside x; None: nothing."""
    strides = (strides,) * x.ndim if isinstance(strides, int) else strides
    around = sides(padding, x.shape, w.shape, strides)
    outputs = [(n + sum(p) - k) // s + 1 for n, p, k, s in zip(x.shape, around, w.shape, strides, strict=True)]
    y, dx, dw = np.zeros(outputs), np.zeros(x.shape), np.zeros(w.shape)
    for o in np.ndindex(*outputs):
        products, places = [], []
        for a in np.ndindex(*w.shape):
            at = tuple(i * s - p[0] + j for i, s, p, j in zip(o, strides, around, a, strict=True))
            inside = all(0 <= i < n for i, n in zip(at, x.shape, strict=True))
            if inside or outside is not None:
                products.append((x[at] if inside else outside) * w[a])
                places.append((at if inside else None, a))
        if how == "max":
            shares = [float(i == int(np.argmax(products))) for i in range(len(products))]
            y[o] = max(products)
        else:
            shares = [1 / len(products) if how == "avg" else 1.0] * len(products)
            y[o] = sum(p * share for p, share in zip(products, shares, strict=True))
        for (at, a), share in zip(places, shares if delta is not None else (), strict=delta is not None):
            dw[a] += share * delta[o] * (outside if at is None else x[at])
            if at is not None:
                dx[at] += share * delta[o] * w[a]
    return y if delta is None else (dx, dw)


SHAPES = [
    ((7,), (3,)),
    ((1,), (1,)),
    ((40,), (5,)),
    ((6, 5), (3, 2)),
    ((9, 21), (2, 4)),
    ((5, 4, 6), (2, 3, 3)),
    ((4, 4, 3), (2, 2, 3)),
    ((3, 5, 19), (2, 2, 1)),
]
SLIDES = [(1, 0), (2, 0), (3, "same"), (1, "same"), (1, "pairs"), (2, "pairs"), (1, "valid")]


def case(shapes, slide, seed=0):
    rng = np.random.default_rng(seed)
    (x, w), (strides, padding) = shapes, slide
    if padding == "pairs":
        padding = [(min(k - 1, i), min(k - 1, 1)) for i, k in enumerate(w)]
    return rng.normal(size=x), rng.normal(size=w), {"strides": strides, "padding": padding}


@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("slide", SLIDES, ids=str)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_aggregate(shapes, slide, how: str, dtype: str) -> None:
    """Values and gradients, in float64 and float32, in every dimension, stride and padding."""
    x, w, options = case(shapes, slide)
    x, w = x.astype(dtype), w.astype(dtype)
    wide = x.astype(np.float64), w.astype(np.float64)
    y = ops.aggregate(x, w, how, **options)
    assert y.dtype == dtype
    expected = plain(*wide, how, **options)
    assert_close(y, expected, TOLERANCE[dtype])
    delta = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    found = ops.aggregate_gradient(x, w, delta, how, **options)
    assert all(array.dtype == dtype for array in found)
    for array, wanted in zip(found, plain(*wide, how, delta=delta.astype(np.float64), **options), strict=True):
        assert_close(array, wanted, TOLERANCE[dtype])


@pytest.mark.parametrize("value", [0.0, -1.5])
@pytest.mark.parametrize("slide", [*SLIDES, (2, 4)], ids=str)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_conv(shapes, slide, value: float) -> None:
    """The same for the convolution, where what stands outside takes part; padding may be larger than the window."""
    x, w, options = case(shapes, slide)
    y = ops.conv(x, w, **options, padding_value=value)
    assert_close(y, plain(x, w, "sum", outside=value, **options), 1e-12)
    delta = np.random.default_rng(1).normal(size=y.shape)
    found = ops.conv_gradient(x, w, delta, **options, padding_value=value)
    for array, wanted in zip(found, plain(x, w, "sum", outside=value, delta=delta, **options), strict=True):
        assert_close(array, wanted, 1e-12)


@pytest.mark.parametrize("how", [*KINDS, "conv"])
@pytest.mark.parametrize("shapes", [s for s in SHAPES if np.prod(s[0]) < 100], ids=str)
def test_numerical(shapes, how: str) -> None:
    """Gradients against numerical ones of Σ y ⊙ t, every element of x and w."""
    for seed in range(200):
        x, w, options = case(shapes, (2, "same"), seed)
        if how == "conv":
            options["padding_value"] = 0.7
            forward, backward = ops.conv, ops.conv_gradient
        else:
            forward = lambda x, w, **o: ops.aggregate(x, w, how, **o)  # noqa: E731
            backward = lambda x, w, d, **o: ops.aggregate_gradient(x, w, d, how, **o)  # noqa: E731
        products = np.sort((x.reshape(-1, 1) * w.reshape(1, -1)).reshape(-1))
        if how != "max" or len(products) < 2 or np.diff(products).min() > 1e-3:
            break
    t = np.random.default_rng(1).normal(size=forward(x, w, **options).shape)
    found = backward(x, w, t, **options)
    for array, gradient in zip((x, w), found, strict=True):
        assert_gradient(gradient, numerical_gradient(lambda: (forward(x, w, **options) * t).sum(), array), how)


# -- the chapter, by hand


def test_chapter_convolutions_by_hand() -> None:
    """26.3.1: n - k + 1 outputs a dimension; a filter shallower than the input slides over the channels as well."""
    np.testing.assert_array_equal(ops.conv([1, 3, -1, 2, 3, 1, -2], [1, 0, 2]), [-1, 7, 5, 4, -1])
    x = np.array([[1, 2, 2, 1], [3, 1, 4, 2], [2, 1, 3, 4], [1, 2, 3, 1]])
    np.testing.assert_array_equal(ops.conv(x, [[1, 0], [0, 1]]), [[2, 6, 4], [4, 4, 8], [4, 4, 4]])
    # 3 x 3 x 3 with 2 x 2 x 2: every output is the sum of two neighbouring channels' 2D convolutions
    x, w = np.arange(27.0).reshape(3, 3, 3), np.arange(8.0).reshape(2, 2, 2)
    y = ops.conv(x, w)
    assert y.shape == (2, 2, 2)
    for q in range(2):
        expected = ops.conv(x[:, :, q], w[:, :, 0]) + ops.conv(x[:, :, q + 1], w[:, :, 1])
        np.testing.assert_array_equal(y[:, :, q], expected)
    # as deep as the input: no freedom to move
    assert ops.conv(x, np.ones((2, 2, 3))).shape == (2, 2, 1)


def test_chapter_padding_and_strides_by_hand() -> None:
    """26.3.3: p = (k - 1) / 2 keeps the size; stride s gives ⌊(n - k) / s⌋ + 1."""
    x = np.arange(1.0, 26).reshape(5, 5)
    assert ops.conv(x, np.ones((3, 3)), padding=1).shape == (5, 5)
    np.testing.assert_array_equal(
        ops.conv(x, np.ones((3, 3)), padding=1)[0, :2], [1 + 2 + 6 + 7, 1 + 2 + 3 + 6 + 7 + 8]
    )
    np.testing.assert_array_equal(ops.conv(x, np.ones((3, 3)), padding=1, padding_value=1)[0, 0], 16 + 5)
    np.testing.assert_array_equal(ops.conv(x, [[1, 0], [0, 0]], strides=2), [[1, 3], [11, 13]])


def test_chapter_pooling_by_hand() -> None:
    """26.3.4: maximum and average of the element-wise product; s = k and weights of 1 are plain pooling."""
    x = np.array([[1, 2, 2, 1], [3, 1, 4, 2], [2, 1, 3, 4], [1, 2, 3, 1]])
    np.testing.assert_array_equal(ops.aggregate(x, np.ones((2, 2)), strides=2), [[3, 4], [2, 4]])
    np.testing.assert_array_equal(ops.aggregate(x, np.ones((2, 2)), "avg", 2), [[1.75, 2.25], [1.5, 2.75]])
    np.testing.assert_array_equal(ops.aggregate(x, [[2, 1], [1, -1]], "max", 2), [[3, 4], [4, 6]])
    # over channels: 3 channels, depth 2
    x = np.array([[[1.0, 5, 2], [4, 0, 3]]])
    np.testing.assert_array_equal(ops.aggregate(x, np.ones((1, 2, 2))), [[[5, 5]]])
    np.testing.assert_array_equal(ops.aggregate(x, np.ones((1, 1, 2)), "avg"), [[[3, 3.5], [2, 1.5]]])


def test_first_maximum_takes_the_gradient() -> None:
    x = np.array([[1.0, 1], [1, 1]])
    dx, dw = ops.aggregate_gradient(x, np.ones((2, 2)), [[2.0]])
    np.testing.assert_array_equal(dx, [[2, 0], [0, 0]])
    np.testing.assert_array_equal(dw, [[2, 0], [0, 0]])


def test_nan_wins() -> None:
    """As in max-pooling; and what is not finite passes through sums."""
    x = np.array([1.0, np.nan, 5, 2])
    np.testing.assert_array_equal(ops.aggregate(x, [1, 1]), [np.nan, np.nan, 5])
    np.testing.assert_array_equal(ops.conv(x, [1, 1]), [np.nan, np.nan, 7])
    np.testing.assert_array_equal(ops.conv_gradient(x, [1, 1], [1, 1, 1])[0], [1, 2, 2, 1])


# -- against others


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv_against_scipy(rank: int) -> None:
    signal = pytest.importorskip("scipy.signal")
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(11, 9, 7)[:rank]), rng.normal(size=(3, 5, 3)[:rank])
    assert_close(ops.conv(x, w), signal.correlate(x, w, "valid"), 1e-12)
    assert_close(ops.conv(x, w, padding="same"), signal.correlate(x, w, "same"), 1e-12)
    assert_close(ops.conv(x, w, padding=[(k - 1, k - 1) for k in w.shape]), signal.correlate(x, w, "full"), 1e-12)


def test_against_scipy_ndimage() -> None:
    """On a handwritten digit: correlation and the plain maximum with nothing outside."""
    ndimage = pytest.importorskip("scipy.ndimage")
    image, w = digits()[0][3], np.random.default_rng(0).normal(size=(3, 3))
    assert_close(ops.conv(image, w, padding="same"), ndimage.correlate(image, w, mode="constant"), 1e-12)
    found = ops.aggregate(image, np.ones((3, 3)), padding="same")
    np.testing.assert_array_equal(found, ndimage.maximum_filter(image, 3, mode="constant", cval=-np.inf))


def test_the_same_as_layers() -> None:
    """One filter over one channel is a convolution layer's; with a shallow filter Conv3D's on (n, n, m, 1)."""
    tauten.utils.set_random_seed(0)
    x = np.stack([digits()[0][i] for i in range(3)], axis=-1).astype(np.float32)
    w = np.random.default_rng(0).normal(size=(3, 3, 2)).astype(np.float32)
    model = tauten.Sequential([tauten.Input((8, 8, 3, 1)), layers.Conv3D(1, (3, 3, 2), use_bias=False)])
    model.set_weights([w[..., None, None]])
    assert_close(ops.conv(x, w), model.predict(x[None, ..., None])[0, ..., 0], 1e-5)
    model = tauten.Sequential([tauten.Input((8, 8, 3)), layers.Aggregation2D("sum", 3, depth=2, strides=1)])
    model.set_weights([w])
    np.testing.assert_array_equal(ops.conv(x, w), model.predict(x[None])[0])


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_layer_with_ones_is_pooling(kind: str, padding: str) -> None:
    x = digits()[0][:5, ..., None] * np.arange(1, 4)
    pool = {"max": layers.MaxPooling2D, "avg": layers.AveragePooling2D}[kind](3, padding=padding)
    plain_one = tauten.Sequential([tauten.Input((8, 8, 3)), pool])
    general = tauten.Sequential([tauten.Input((8, 8, 3)), layers.Aggregation2D(kind, 3, padding=padding)])
    assert_close(general.predict(x), plain_one.predict(x), 1e-6)


# -- the layer's window


def test_window_is_fixed_unless_asked_for() -> None:
    """26.3.4: "the filter weights are fixed at 1 and are not updated during backpropagation"."""
    x, y = digits()
    x, weights = x[:100, ..., None], {}
    for trainable in (False, True):
        tauten.utils.set_random_seed(1)
        window = layers.Aggregation2D("avg", 2, depth=2, trainable_window=trainable, window_regularizer="l2")
        model = tauten.Sequential(
            [
                tauten.Input((8, 8, 1)),
                layers.Conv2D(4, 3),
                window,
                layers.Flatten(),
                layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile(tauten.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        assert [v.path for v in model.non_trainable_weights] == [] if trainable else [window.name + "/window"]
        np.testing.assert_array_equal(window.get_weights()[0], np.ones((2, 2, 2)))
        penalised = model.evaluate(x, y[:100], verbose=0)
        model.fit(x, y[:100], epochs=2, verbose=0)
        weights[trainable] = window.get_weights()[0], penalised
    np.testing.assert_array_equal(weights[False][0], np.ones((2, 2, 2)))
    assert np.abs(weights[True][0] - 1).max() > 1e-3
    assert weights[True][1] == pytest.approx(weights[False][1] + 0.01 * 8, rel=1e-5)  # a fixed window costs nothing


# -- the machine


def test_same_bits_on_any_number_of_threads() -> None:
    x, w = np.random.default_rng(0).normal(size=(60, 50, 40)), np.random.default_rng(1).normal(size=(3, 3, 5))
    delta = np.random.default_rng(2).normal(size=(58, 48, 36))
    threads, found = tauten.config.num_threads(), set()
    try:
        for count in (1, 2, 4):
            tauten.config.set_num_threads(count)
            arrays = [ops.conv(x, w), *ops.conv_gradient(x, w, delta)]
            arrays += [ops.aggregate(x, w), *ops.aggregate_gradient(x, w, delta)]
            found.add(b"".join(array.tobytes() for array in arrays))
    finally:
        tauten.config.set_num_threads(threads)
    assert len(found) == 1


def test_dtypes() -> None:
    for dtypes, expected in {
        ("float32", "float32"): "float32",
        ("float16", "float32"): "float32",
        ("uint8", "float32"): "float32",
        ("float32", "float64"): "float64",
        ("int64", "int64"): "float64",
        ("bool", "uint8"): "float32",
    }.items():
        y = ops.conv(np.ones(5, dtypes[0]), np.ones(2, dtypes[1]))
        assert y.dtype == expected
        np.testing.assert_array_equal(y, 2)
    x = np.asfortranarray(np.arange(20.0).reshape(4, 5))[::-1]
    np.testing.assert_array_equal(ops.conv(x, [[1.0]]), x)


def test_arguments_stay_as_they_are() -> None:
    x, w = np.arange(6.0), np.ones(2)
    y = ops.conv(x, w)
    y[:] = 0
    dx, dw = ops.conv_gradient(x, w, np.ones(5))
    dx[:], dw[:] = 0, 0
    np.testing.assert_array_equal(x, np.arange(6))
    np.testing.assert_array_equal(w, 1)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.conv(ones(2, 2, 2, 2), ones(1, 1, 1, 1)), ValueError, r"conv: x: expected 1 to 3 dim"),
        (lambda: ops.conv(3.0, 2.0), ValueError, r"conv: x: expected 1 to 3 dimensions, got shape \(\)"),
        (lambda: ops.conv(ones(2, 2), ones(2)), ValueError, r"conv: w: expected as many dimensions as x, 2"),
        (lambda: ops.conv(ones(2), ones(3)), ValueError, r"conv: w: expected a window that fits into x \(2,\)"),
        (lambda: ops.conv(ones(2), ones(0)), ValueError, r"conv: w: expected at least one value"),
        (lambda: ops.conv(ones(2), ["a"]), TypeError, r"conv: w: expected real numbers"),
        (lambda: ops.conv(ones(2), ones(1) * 1j), TypeError, r"conv: w: expected real numbers"),
        (lambda: ops.conv(ones(2), ones(1), strides=0), ValueError, r"conv: strides: expected at least 1"),
        (lambda: ops.conv(ones(2), ones(1), strides=(1, 1)), ValueError, r"conv: strides: expected"),
        (lambda: ops.conv(ones(2), ones(1), padding=-1), ValueError, r"conv: padding: expected at least 0"),
        (lambda: ops.conv(ones(2), ones(1), padding="full"), ValueError, r"conv: padding: expected one of"),
        (lambda: ops.conv(ones(2), ones(1), 1, 0, np.nan), ValueError, r"conv: padding_value: expected a finite"),
        (lambda: ops.aggregate(ones(2), ones(1), "min"), ValueError, r"aggregate: how: expected one of"),
        (lambda: ops.aggregate(ones(4), ones(2), padding=2), ValueError, r"aggregate: padding of \(2, 2\)"),
        (lambda: ops.conv_gradient(ones(4), ones(2), ones(4)), ValueError, r"conv_gradient: delta: .*\(3,\)"),
        (lambda: ops.aggregate_gradient(ones(4), ones(2), "a"), TypeError, r"aggregate_gradient: delta: expected real"),
    ],
)
def test_bad_input(call, error, message: str) -> None:
    with pytest.raises(error, match=rf"^ops\.{message}"):
        call()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Aggregation2D("min"), "Aggregation2D: how: expected one of"),
        (lambda: layers.Aggregation2D(window_size=(2, 2, 2)), "Aggregation2D: window_size: expected an integer or 2"),
        (lambda: layers.Aggregation2D(depth=0), "Aggregation2D: depth: expected at least 1"),
        (lambda: layers.Aggregation2D(padding="causal"), "Aggregation2D: padding: expected one of"),
        (lambda: layers.Aggregation2D(data_format="channels_first"), "Aggregation2D: data_format"),
    ],
)
def test_bad_layer_arguments(make, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            lambda: layers.Aggregation2D(depth=4, name="agg"),
            "agg: depth: expected at most the input's 3 channels",
        ),
        (lambda: layers.Aggregation2D(window_size=7, name="agg"), r"agg: a window of 7 does not fit an extent of 6"),
        (
            lambda: layers.Aggregation1D(name="agg"),
            r"agg: expected an input of 1 spatial extent",
        ),
        (lambda: layers.Aggregation2D(padding=2, name="agg"), r"agg: padding of \(2, 2\) would leave windows of 2"),
    ],
)
def test_layers_that_do_not_fit(layer, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        tauten.Sequential([tauten.Input((6, 5, 3)), layer()])


# -- the gradient that is given


@pytest.mark.parametrize("activation", ["linear", "tanh", "softmax", "sigmoid"])
def test_pull_back(activation: str) -> None:
    """∂(Σ y ⊙ t) of a network, numerically; below a softmax or sigmoid, of what it reads."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(3, 4)), rng.normal(size=(3, 5))
    net = _core.Network("float64")
    net.finalize([net.add_dense("dense", net.add_input("input", (4,)), 5, activation, True)])
    net.set(0, rng.normal(size=(4, 5)))
    net.set_penalty(0, 0.0, 0.5)  # is no part of a given gradient
    bare = _core.Network("float64")
    bare.finalize([bare.add_dense("dense", bare.add_input("input", (4,)), 5, "linear", True)])
    bare.set(0, net.get(0))
    ends = activation in ("softmax", "sigmoid")
    for below in (False, True):
        result, (dw, db), (dx,) = net.pull_back([_core.Source(x)], [_core.Source(t)], np.arange(3), below)
        read = bare if below and ends else net

        def total(read=read) -> float:
            return float((read.predict([_core.Source(x)], np.arange(3))[0] * t).sum())

        assert result.loss == pytest.approx(total(), rel=1e-12)
        assert_gradient(dx, numerical_gradient(total, x), "x")
        for number, found in enumerate((dw, db)):
            weight = net.get(number)

            def moved(number=number, weight=weight, read=read) -> float:
                read.set(number, weight)
                return total()

            assert_gradient(found, numerical_gradient(moved, weight), "weight")
            read.set(number, weight)
