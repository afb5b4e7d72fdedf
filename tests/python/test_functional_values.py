"""Functional models compute what the reference computes: outputs, losses, gradients, steps; any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from data import digits
from numerics import TOLERANCE, assert_all_close, assert_close
from tauten import _core
from twins import GRAPHS

every_graph = pytest.mark.parametrize("make", GRAPHS, ids=[make.__name__ for make in GRAPHS])


def built(make, dtype="float64", samples=5):
    """The model, compiled, its twins, and data: a list an input and an output."""
    x, labels = digits()
    before = tauten.config.floatx()
    tauten.config.set_floatx(dtype)
    try:
        twins, outputs, xs, ys, heads = make(x[:samples, :, :, None], labels[:samples])
        model = twins.model(*outputs)
    finally:
        tauten.config.set_floatx(before)
    losses = [None if head is None else head.loss for head in heads]
    weights = [1.0 if head is None else head.weight for head in heads]
    model.compile(tauten.optimizers.SGD(0.1), loss=losses, loss_weights=weights)
    return model, twins, xs, ys, heads


@every_graph
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_outputs_and_gradients(make, dtype):
    model, twins, xs, ys, heads = built(make, dtype)
    expected = twins.graph.forward(xs)
    found = model.predict(xs if len(xs) > 1 else xs[0], verbose=0)
    for ours, theirs in zip(found if isinstance(found, list) else [found], expected, strict=True):
        assert ours.dtype == dtype
        assert_close(ours, theirs, TOLERANCE[dtype], "output")
    loss, by_layer, of_inputs = twins.graph.gradients(xs, ys, heads)
    feed = model._feed(xs if len(xs) > 1 else xs[0], ys if len(ys) > 1 else ys[0], None)
    result, gradients, inputs = model._network().gradients(feed.x.sources, feed.y, np.arange(len(xs[0])), None)
    assert result.loss == pytest.approx(loss, rel=100 * TOLERANCE[dtype])
    by_variable = dict(zip(map(id, model._graph.variables), gradients, strict=True))
    ours, theirs = [], []
    for layer, twin in twins.pairs.items():
        for variable, gradient in zip(layer.weights, by_layer[id(twin)], strict=True):
            if variable.name.startswith("moving"):
                assert by_variable[id(variable)] is None
            else:
                ours.append(by_variable[id(variable)])
                theirs.append(gradient)
    assert_all_close(ours, theirs, dtype, "gradient")
    if all(x.dtype.kind == "f" for x in xs):
        assert_all_close(inputs, of_inputs, dtype, "∂E/∂x")


@every_graph
def test_a_step_follows_the_gradients(make):
    model, twins, xs, ys, heads = built(make)
    _, by_layer, _ = twins.graph.gradients(xs, ys, heads)
    model.train_on_batch(xs if len(xs) > 1 else xs[0], ys if len(ys) > 1 else ys[0])
    for layer, twin in twins.pairs.items():
        trained = [variable.numpy() for variable in layer.trainable_weights]
        for number, (new, old) in enumerate(zip(trained, twin.weights, strict=False)):
            assert_close(new, old - 0.1 * by_layer[id(twin)][number], 1e-12, f"{layer.name} {number}")


@every_graph
def test_the_same_bits_on_any_threads(make):
    found = set()
    for threads in (1, 2, 5):
        _core.set_num_threads(threads)  # conftest.py sets it back
        model, _, xs, ys, _ = built(make, "float32", 9)
        x, y = xs if len(xs) > 1 else xs[0], ys if len(ys) > 1 else ys[0]
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        few = [array[:2] for array in xs]
        outputs = model.predict_on_batch(few if len(xs) > 1 else few[0])
        outputs = outputs if isinstance(outputs, list) else [outputs]
        found.add((*(w.tobytes() for w in model.get_weights()), *(o.tobytes() for o in outputs)))
    assert len(found) == 1
