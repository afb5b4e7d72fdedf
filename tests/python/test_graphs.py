"""Networks beyond a chain on the native core: gradients against numerical ones, float32, threads, shared weights."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from graph_cases import GRAPHS, Graph, residual
from numerics import assert_close, assert_gradient, numerical_gradient
from tauten import _core


def update(learning_rate: float, momentum: float = 0.0, nesterov: bool = False) -> _core.Update:
    rule = _core.Update("sgd")
    rule.learning_rate, rule.momentum, rule.nesterov = learning_rate, momentum, nesterov
    return rule


def kept(network: _core.Network, number: int) -> bytes:
    velocity = network.get_slot(number, 0)
    return b"" if velocity is None else velocity.tobytes()


def bits(network: _core.Network) -> bytes:
    return b"".join(network.get(i).tobytes() + kept(network, i) for i in range(len(network.parameters)))


@pytest.mark.parametrize("graph", GRAPHS, ids=str)
def test_numerical(graph: Graph) -> None:
    """Every weight, and every value of the inputs."""
    network = graph.network()
    _, gradients, inputs = network.gradients(*graph.arguments())

    def loss() -> float:
        return network.gradients(*graph.arguments())[0].loss

    for number, (parameter, gradient) in enumerate(zip(network.parameters, gradients, strict=True)):
        if gradient is None:
            assert not parameter.trainable
            continue
        value = network.get(number)

        def moved(number=number, value=value) -> float:
            network.set(number, value)
            return loss()

        assert_gradient(gradient, numerical_gradient(moved, value), parameter.name)
        network.set(number, value)
    for data, gradient in zip(graph.x, inputs, strict=True):
        if gradient is None:
            assert (data[0] if isinstance(data, list) else data).dtype.kind == "i"
            continue
        begin = 0
        for sample in data:
            found = gradient[begin : begin + len(sample)] if isinstance(data, list) else gradient[begin]
            begin += len(sample) if isinstance(data, list) else 1
            assert_gradient(found, numerical_gradient(loss, sample), "input")


@pytest.mark.parametrize("graph", GRAPHS, ids=str)
def test_loss_of_the_outputs(graph: Graph) -> None:
    """The loss is the outputs' losses times their weights, and the penalty; each from predictions by hand."""
    network = graph.network()
    arguments = graph.arguments()
    result = network.test_step(*arguments)
    weights = [0.0 if head is None else head[2] for head in graph.heads]
    assert result.loss == pytest.approx(np.dot(result.losses, weights) + result.penalty, rel=1e-14)
    assert len(result.rows) == len(result.metrics) == len(graph.heads)
    outputs = network.predict(arguments[0], arguments[2])
    for i, (head, y, output) in enumerate(zip(graph.heads, graph.y, outputs, strict=True)):
        if head is None:
            assert result.losses[i] == 0
            continue
        y = np.concatenate(y) if isinstance(y, list) else y
        weight = None if graph.weight is None else graph.weight[i]
        expected = tauten.losses.get(head[0])(y, output, weight)
        assert result.losses[i] == pytest.approx(expected, rel=1e-9)
        if "sparse_categorical_accuracy" in head[3]:
            assert result.metrics[i][0] == (output.argmax(-1) == y).mean()


@pytest.mark.parametrize("graph", GRAPHS, ids=str)
@pytest.mark.parametrize("fused", [False, True], ids=["stored", "fused"])
def test_training(graph: Graph, fused: bool) -> None:
    """Steps follow the gradients, penalties included; float32 follows float64."""
    network = graph.network()
    arguments = graph.arguments()
    before = [network.get(i) for i in range(len(network.parameters))]
    _, gradients, _ = network.gradients(*arguments)
    network.train_step(*arguments, update(0.1), fused)
    for i, (old, gradient) in enumerate(zip(before, gradients, strict=True)):
        if gradient is not None:
            assert_close(network.get(i), old - 0.1 * gradient, 1e-14, network.parameters[i].name)
    single = graph.network("float32")
    for _ in range(3):
        single.train_step(*arguments, update(0.1, 0.9, True), fused)
    double = graph.network()
    for _ in range(3):
        double.train_step(*arguments, update(0.1, 0.9, True), False)
    for i in range(len(before)):
        scale = max(float(np.abs(double.get(i)).max()), 0.5)
        assert_close(single.get(i), double.get(i), 2e-5, double.parameters[i].name, scale)


@pytest.mark.parametrize("graph", GRAPHS, ids=str)
def test_threads(graph: Graph) -> None:
    arguments = graph.arguments()
    found = set()
    for threads in (1, 2, 3, 7):
        _core.set_num_threads(threads)  # conftest.py sets it back
        for fused in (False, True):
            network = graph.network("float32")
            for _ in range(2):
                network.train_step(*arguments, update(0.1, 0.9, True), fused)
            batches = arguments[2], arguments[2][:2]
            outputs = [output.tobytes() for batch in batches for output in network.predict(arguments[0], batch)]
            found.add((bits(network), *outputs))
    assert len(found) == 1


def test_sums_in_place() -> None:
    """A normalization adds what is to be added behind it, where nothing stands in between."""
    graph = next(graph for graph in GRAPHS if graph.name == "normalized_sums")
    nodes = dict(line.split(" -> ") for line in graph.network().plan.splitlines() if " -> " in line)
    adding = {name: text.split("adds ")[1] for name, text in nodes.items() if "adds " in text}
    assert adding == {
        "bn_0": "more: with_data", "bn_b": "bn_a: two_norms", "bn_2": "pool: few_positions", "bn_out": "y: at_the_end",
    }  # fmt: skip
    assert {"with_data", "two_norms", "few_positions", "at_the_end"}.isdisjoint(nodes)
    assert {"with_a_sum", "three", "with_conv", "vectors"} < nodes.keys()


def test_places_move_a_state_in_their_order() -> None:
    """A normalization used twice, whose first place stands in a sum with what comes of the second one."""
    inputs = [tauten.Input((8, 8, 3)), tauten.Input((8, 8, 3))]
    norm = tauten.layers.BatchNormalization(momentum=0.5)
    first, second = map(norm, inputs)
    side = tauten.layers.AveragePooling2D(3, strides=1, padding="same")(tauten.layers.Activation("tanh")(second))
    model = tauten.Model(inputs, tauten.layers.Add()([first, side]))
    model.compile("sgd", "mse")
    model.train_on_batch([np.full((4, 8, 8, 3), 1.0), np.full((4, 8, 8, 3), 10.0)], np.zeros((4, 8, 8, 3)))
    np.testing.assert_allclose(model.get_weights()[2], (0.5 * 1 + 10) * 0.5, rtol=1e-6)


def test_few_samples() -> None:
    """A batch smaller than the team is shared out by what nodes write: the same bits, in training too."""
    graph = next(graph for graph in GRAPHS if graph.build is residual)
    found = set()
    for threads in (1, 2, 4):
        _core.set_num_threads(threads)
        for count in (1, 2, 3):
            network = graph.network("float32")
            sources, targets, index, weight = graph.arguments()
            network.train_step(sources, targets, index[:count], weight, update(0.1))
            found.add((count, bits(network)))
    assert len(found) == 3


def test_places_of_one_layer_are_one_parameter() -> None:
    network = next(graph for graph in GRAPHS if graph.name == "shared").network()
    names = [parameter.name for parameter in network.parameters]
    assert len(names) == len(set(names)) == 10
    assert "bn/moving_mean" in names


def test_networks_share_weights() -> None:
    """What one trains the other predicts with, whichever made the weights; copies of them are made anew."""
    graph = GRAPHS[0]
    arguments = graph.arguments()
    one, other = graph.network("float32", seed=3), graph.network("float32", seed=4)
    for network in (one, other):  # copies of both are made
        network.train_step(*arguments, update(0.1))
    for i in range(len(one.parameters)):
        other.share(i, one, i)

    def outputs(network: _core.Network) -> bytes:
        return network.predict(arguments[0], arguments[2])[0].tobytes()

    assert outputs(one) == outputs(other)
    before = outputs(one)
    for network in (other, one):
        network.train_step(*arguments, update(0.1, 0.9))
        after = outputs(other)
        assert after == outputs(one) != before
        before = after
    alone = graph.network("float32", seed=3)
    for _ in range(3):
        alone.train_step(*arguments, update(0.1))
    del one
    assert outputs(other) == before


def test_refused() -> None:
    def network() -> tuple[_core.Network, int]:
        made = _core.Network()
        return made, made.add_input("x", (4, 6))

    n, e = network()
    a, b = n.add_fork("fork", e, 2)
    wrong = n.add_dense("wide", b, 7, "linear", True)
    for call, words in [
        (lambda: n.add_dense("again", e, 3, "linear", True), ["again", "read by another layer"]),
        (lambda: n.add_merge("m", [a], "add"), ["m", "2 to 64 inputs"]),
        (lambda: n.add_merge("m", [a, a], "add"), ["m", "twice"]),
        (lambda: n.add_merge("m", [a, wrong], "add"), ["m", "(4, 6)", "(4, 7)"]),
        (lambda: n.add_merge("m", [a, wrong], "mean"), ["m", "'mean'"]),
        (lambda: n.add_concatenate("c", [a, wrong], 1), ["c", "axis 1"]),
        (lambda: n.add_concatenate("c", [a, wrong], 3), ["c", "from 1 to 2"]),
        (lambda: n.add_fork("f", a, 1), ["f", "from 2"]),
        (lambda: n.finalize([a]), ["nothing reads", "wide"]),
        (lambda: n.finalize([]), ["1 to 32 outputs"]),
        (lambda: n.finalize([a, wrong, a]), ["twice"]),
    ]:
        with pytest.raises(ValueError) as error:
            call()
        assert all(word in str(error.value) for word in words), str(error.value)
    n.finalize([a, wrong])
    for heads, words in [([None], "2 outputs"), ([None, None], "no output has a loss")]:
        with pytest.raises(ValueError, match=words):
            n.compile(heads)
    with pytest.raises(ValueError, match="shape"):
        two, e = network()
        a, b = two.add_fork("fork", e, 2)
        two.finalize([two.add_dense("same", two.add_dense("same", a, 3, "linear", True), 3, "linear", True), b])


def test_lengths_must_agree() -> None:
    n = _core.Network()
    e = [
        n.add_recurrent(name, n.add_input(name, (None, 2)), _core.Cell("lstm", 3, "tanh", "sigmoid", True), True, False)
        for name in "ab"
    ]
    n.finalize([n.add_merge("sum", e, "add")])
    sequences = [np.ones((k, 2), dtype=np.float32) for k in (2, 3)]
    index = np.arange(2)
    assert n.predict([_core.Source(sequences)] * 2, index)[0].shape == (5, 3)
    with pytest.raises(ValueError, match="same lengths in all inputs"):
        n.predict([_core.Source(sequences), _core.Source(sequences[::-1])], index)
    with pytest.raises(ValueError, match="sum: expected inputs of the same steps"):
        n.predict([_core.Source(sequences), _core.Source(np.ones((2, 3, 2), dtype=np.float32))], index)
