"""Networks beyond a chain, built on the native core, with a batch of digits for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data import digits, text
from tauten import _core

Build = Callable[[_core.Network], list[int]]
CE, MSE, BCE = "sparse_categorical_crossentropy", "mean_squared_error", "binary_crossentropy"


@dataclass
class Graph:
    """A network with its data. x and y: an array an input and an output, or a list of arrays of unequal length."""

    name: str
    build: Build
    x: list[Any]
    y: list[Any]
    heads: list[tuple[str, bool, float, list[str]] | None]
    weight: list[Any] | None = None
    penalties: tuple[float, float] = (0.0, 0.0)
    names: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return self.name

    def network(self, dtype: str = "float64", winograd: bool = True, seed: int = 3) -> _core.Network:
        """Closed, compiled, with small random weights that are the same for every float type."""
        network = _core.Network(dtype, winograd)
        network.finalize(self.build(network))
        network.compile(self.heads)
        generator = np.random.default_rng(seed)
        for number, parameter in enumerate(network.parameters):
            value = generator.uniform(-0.5, 0.5, parameter.shape)
            if parameter.name.endswith("moving_variance"):
                value = np.abs(value) + 0.5
            network.set(number, value.astype(dtype))
            if parameter.trainable:
                network.set_penalty(number, *self.penalties)
        return network

    def arguments(self) -> tuple[Any, ...]:
        """What training, testing and gradients take."""
        sources = [_core.Source(x) for x in self.x]
        targets = [None if y is None else _core.Source(y) for y in self.y]
        return sources, targets, np.arange(len(self.x[0])), self.weight


def _images(count: int = 5) -> np.ndarray:
    return np.ascontiguousarray(digits()[0][:count, :, :, None])


def _labels(count: int = 5) -> np.ndarray:
    return digits()[1][:count]


def _lines(lengths: tuple[int, ...], extent: int | None = None) -> list[np.ndarray]:
    """Rows of digits as steps of eight values."""
    rows = digits()[0].reshape(-1, 8)[40:]
    begins = np.cumsum([0, *lengths])
    return [np.ascontiguousarray(rows[a : a + n]) for a, n in zip(begins, lengths, strict=False)]


def _conv(
    n: _core.Network, name: str, e: int, filters: int, size: int = 3, activation: str = "linear", strides: int = 1
) -> int:
    return n.add_conv(name, e, filters, (size, size), (strides, strides), "same", activation, True)


def _dense(n: _core.Network, name: str, e: int, units: int, activation: str = "linear") -> int:
    return n.add_dense(name, e, units, activation, True)


def _cell(kind: str, units: int) -> _core.Cell:
    return _core.Cell(kind, units, "tanh", "sigmoid", True)


def residual(n: _core.Network) -> list[int]:
    """conv - [conv - BN - tanh - conv - + - tanh] - [with stride 2, a 1x1 convolution beside] - pooling - softmax."""
    e = _conv(n, "stem", n.add_input("x", (8, 8, 1)), 4, activation="tanh")
    a, b = n.add_fork("stem_fork", e, 2)
    a = n.add_activation("tanh_a", n.add_batch_normalization("bn", _conv(n, "a1", a, 4), 0.9, 1e-3, True, True), "tanh")
    e = n.add_activation("tanh_1", n.add_merge("sum_1", [_conv(n, "a2", a, 4), b], "add"), "tanh")
    a, b = n.add_fork("fork_2", e, 2)
    a = _conv(n, "b2", _conv(n, "b1", a, 6, activation="sigmoid", strides=2), 6)
    e = n.add_merge("sum_2", [a, _conv(n, "short", b, 6, 1, strides=2)], "add")
    e = n.add_global_pool("pool", n.add_activation("tanh_2", e, "tanh"), "average", 2)
    return [_dense(n, "out", e, 10, "softmax")]


def _norm(n: _core.Network, name: str, e: int) -> int:
    return n.add_batch_normalization(name, e, 0.9, 1e-3, True, True)


def normalized_sums(n: _core.Network) -> list[int]:
    """Sums of what a normalization writes: with data, with another normalization, with a sum, with what cannot be added
    in place; of samples that are blocks of their own and of few positions; of rows."""
    x, more, rows = n.add_input("x", (8, 8, 1)), n.add_input("more", (8, 8, 3)), n.add_input("rows", (6,))
    e = n.add_merge("with_data", [_norm(n, "bn_0", _conv(n, "stem", x, 3)), more], "add")
    a, b, c, d = n.add_fork("fork_1", n.add_activation("tanh_1", e, "tanh"), 4)
    both = [_norm(n, "bn_a", _conv(n, "a", a, 3, activation="tanh")), _norm(n, "bn_b", _conv(n, "b", b, 3, 1))]
    e = n.add_merge("with_a_sum", [c, n.add_merge("two_norms", both, "add")], "add")
    e = n.add_merge("three", [e, n.add_activation("tanh_d", _norm(n, "bn_d", d), "tanh")], "add")
    a, b, c = n.add_fork("fork_2", n.add_pool("pool", e, "average", (2, 2), (2, 2), "valid"), 3)
    e = n.add_merge("few_positions", [a, _norm(n, "bn_2", _conv(n, "b_2", b, 3))], "add")
    e = n.add_merge("with_conv", [n.add_activation("sigmoid_2", e, "sigmoid"), _conv(n, "c_2", c, 3)], "add")
    e = _dense(n, "code", n.add_flatten("flat", e), 6, "tanh")
    e = n.add_merge("vectors", [_norm(n, "bn_rows", rows), _dense(n, "again", e, 6)], "add")
    e, out = n.add_fork("fork_3", e, 2)
    out = n.add_merge("at_the_end", [_norm(n, "bn_out", out), n.add_input("y", (6,))], "add")
    return [_dense(n, "out", e, 10, "softmax"), out]


def branches(n: _core.Network) -> list[int]:
    """Inception: windows of 1, 3 and 5 and a pooling side by side."""
    e = _conv(n, "stem", n.add_input("x", (8, 8, 1)), 3, activation="sigmoid")
    a, b, c, d = n.add_fork("fork", e, 4)
    a = _conv(n, "one", a, 2, 1, "tanh")
    b = _conv(n, "three", b, 3, 3, "tanh")
    c = _conv(n, "five", c, 2, 5, "sigmoid")
    d = n.add_pool("pool", d, "average", (3, 3), (1, 1), "same")
    e = n.add_concatenate("join", [a, b, c, d], 3)
    return [_dense(n, "out", n.add_flatten("flat", _conv(n, "last", e, 3, strides=2)), 10, "softmax")]


def excited(n: _core.Network) -> list[int]:
    """Squeeze and excitation: channels times what the whole image says; then a value a position, and one a sample."""
    e = _conv(n, "stem", n.add_input("x", (8, 8, 1)), 4, activation="tanh")
    a, b, c = n.add_fork("fork", e, 3)
    gate = n.add_global_pool("squeeze", a, "average", 2, True)
    gate = _conv(n, "gate", gate, 4, 1, "sigmoid")
    e = n.add_merge("excite", [b, gate], "multiply")
    position = _conv(n, "position", c, 1, 3, "sigmoid")
    e, more = n.add_fork("again", n.add_merge("position_wise", [position, e], "multiply"), 2)
    scalar = n.add_reshape("scalar", _dense(n, "one", n.add_flatten("flat", more), 1, "tanh"), (1, 1, 1))
    e = n.add_merge("shift", [e, scalar], "subtract")
    return [_dense(n, "out", n.add_flatten("flat_2", e), 10, "softmax")]


def kinds(n: _core.Network) -> list[int]:
    """Every merge, of two and three inputs, with and without an activation behind."""
    x = n.add_fork("x_fork", n.add_input("x", (64,)), 8)
    d = [_dense(n, f"d{i}", e, 6, "tanh") for i, e in enumerate(x)]
    a = n.add_merge("average", d[:3], "average")
    b = n.add_activation("max_tanh", n.add_merge("maximum", d[3:5], "maximum"), "tanh")
    c = n.add_merge("minimum", [a, b, d[5]], "minimum")
    e = n.add_activation("product_sigmoid", n.add_merge("multiply", [c, d[6]], "multiply"), "sigmoid")
    e = n.add_merge("subtract", [e, d[7]], "subtract")
    return [_dense(n, "out", e, 10, "softmax")]


def two_in_two_out(n: _core.Network) -> list[int]:
    """An image and its rows' sums; a class, and the image again. An inner edge is an output and goes on."""
    image, sums = n.add_input("image", (8, 8, 1)), n.add_input("sums", (8,))
    e = _dense(n, "code", n.add_flatten("flat", _conv(n, "conv", image, 3, activation="tanh", strides=2)), 6, "tanh")
    code, also, third = n.add_fork("code_fork", e, 3)
    e = n.add_concatenate("both", [code, _dense(n, "of_sums", sums, 4, "sigmoid")], 1)
    return [_dense(n, "class", e, 10, "softmax"), _dense(n, "image_again", also, 64, "sigmoid"), third]


def shared(n: _core.Network) -> list[int]:
    """The same convolution, normalization and dense layer on two halves of an image (a siamese network), and two batch
    statistics."""
    codes = []
    for name in ("left", "right"):
        e = n.add_input(name, (8, 4, 1))
        e = n.add_conv("conv", e, 3, (3, 3), (1, 1), "same", "tanh", True)
        e = n.add_batch_normalization("bn", e, 0.9, 1e-3, True, True)
        codes.append(n.add_dense("code", n.add_flatten("flat_" + name, e), 5, "tanh", True))
    return [_dense(n, "out", n.add_merge("difference", codes, "subtract"), 10, "softmax")]


def sequences(n: _core.Network) -> list[int]:
    """Two recurrent layers side by side on sequences of unequal length, added, joined with the input; an output a step
    and one a sequence."""
    a, b, c = n.add_fork("x_fork", n.add_input("x", (None, 8)), 3)
    lstm = n.add_recurrent("lstm", a, _cell("lstm", 5), True, False)
    gru = n.add_recurrent("gru", b, _cell("gru", 5), True, True)
    e = n.add_merge("sum", [lstm, gru], "add")
    steps, rest = n.add_fork("fork", n.add_concatenate("join", [e, c], 2), 2)
    last = n.add_recurrent("last", rest, _cell("simple_rnn", 4), False, False)
    return [_dense(n, "each", steps, 3, "softmax"), _dense(n, "whole", last, 1)]


def shared_recurrent(n: _core.Network) -> list[int]:
    """One LSTM over two inputs of as many steps, and twice in a row over a third; one embedding for two inputs."""
    hidden = []
    for name in ("a", "b"):
        e = n.add_embedding("table", n.add_input(name, (None,), True), 90, 4)
        hidden.append(n.add_recurrent("lstm", e, _cell("lstm", 4), True, False))
    e = n.add_merge("product", hidden, "multiply")
    e = n.add_recurrent("lstm", e, _cell("lstm", 4), True, False)
    return [_dense(n, "out", e, 3, "softmax")]


def fixed_steps(n: _core.Network) -> list[int]:
    """Recurrent layers of a known number of steps meet what reads sample by sample: along the steps, and spread over
    them."""
    a, b, c = n.add_fork("x_fork", n.add_input("x", (8, 8)), 3)
    a = n.add_recurrent("rnn", a, _cell("simple_rnn", 4), True, False)
    b = n.add_recurrent("forget", b, _cell("forget_gate_rnn", 4), True, False)
    e = n.add_concatenate("along", [a, b], 1)
    c = n.add_reshape("one", n.add_recurrent("last", c, _cell("gru", 4), False, False), (1, 4))
    e = n.add_merge("spread", [e, c], "multiply")
    return [_dense(n, "out", n.add_flatten("flat", e), 10, "softmax")]


def passing(kind: str, drop: float) -> Build:
    """An encoder's states, of sequences of unequal length, begin a decoder of a fixed number of steps and one against
    time; of both all h, last h and states behind the last step are read, here and there by two."""

    def build(n: _core.Network) -> list[int]:
        x, again = n.add_fork("x_fork", n.add_input("x", (None, 8)), 2)
        d = n.add_input("d", (4, 8))
        cell = _core.Cell(kind, 3, "tanh", "sigmoid", True, drop, drop, 5)
        each, *states = n.add_recurrent_states("encoder", x, [], cell, True, False, True)
        forks = [n.add_fork("state", state, 3) for state in states]
        begin = [fork[0] for fork in forks]
        begin[0] = _dense(n, "turned", begin[0], 3, "tanh")  # whose f' the decoder applies
        last, *ends = n.add_recurrent_states("decoder", d, begin, cell, False, False, True)
        against = n.add_recurrent_states("against", again, [fork[1] for fork in forks], cell, True, True, True)
        all_ends = n.add_concatenate("ends", [*ends, *against[1:], *(fork[2] for fork in forks)], 1)
        return [
            _dense(n, "class", n.add_concatenate("both", [last, all_ends], 1), 10, "softmax"),
            _dense(n, "each", n.add_merge("sum", [each, against[0]], "add"), 3, "softmax"),
        ]

    return build


def both_ways(n: _core.Network) -> list[int]:
    """A pair's two outputs and four states, which begin another pair whose h are multiplied; what nobody reads."""
    x, again, third = n.add_fork("x_fork", n.add_input("x", (None, 8)), 3)
    pair = _cell("lstm", 3), _cell("gru", 3)
    one, other, h, c, g = n.add_bidirectional_states("pair", x, [], *pair, "none", True, True, True)
    more = n.add_bidirectional_states("more", again, [h, c, g], *pair, "mul", False, False, True)
    only = n.add_recurrent_states("memory", third, [], _cell("lstm", 3), True, False, True)  # c alone is read
    last = n.add_concatenate("last", [more[0], more[2], more[3], only[2]], 1)
    return [_dense(n, "class", last, 10, "softmax"), n.add_merge("sum", [one, other], "subtract")]


LENGTHS = (4, 2, 6, 1, 3)
_WORDS = [text()[0][40 + 9 * i : 40 + 9 * i + n].astype(np.int64) for i, n in enumerate(LENGTHS)]
_IMAGES = _images()

GRAPHS = [
    Graph("residual", residual, [_IMAGES], [_labels()], [(CE, False, 1.0, ["sparse_categorical_accuracy"])]),
    Graph(
        "normalized_sums", normalized_sums,
        [
            _IMAGES, np.concatenate([_IMAGES[::-1], _IMAGES / 2, _IMAGES**2], -1), _IMAGES[:, 1:7, 3, 0].copy(),
            _IMAGES[:, 2, 1:7, 0].copy(),
        ],
        [_labels(), _IMAGES[:, 5, 1:7, 0].copy()], [(CE, False, 1.0, []), (MSE, False, 0.5, [])],
    ),
    Graph("branches", branches, [_IMAGES], [_labels()], [(CE, False, 1.0, [])], penalties=(1e-3, 1e-2)),
    Graph("excited", excited, [_IMAGES], [_labels()], [(CE, False, 1.0, [])]),
    Graph("kinds", kinds, [_IMAGES.reshape(5, 64)], [_labels()], [(CE, False, 1.0, [])]),
    Graph(
        "two_in_two_out", two_in_two_out, [_IMAGES, _IMAGES.sum((2, 3)) / 8],
        [_labels(), _IMAGES.reshape(5, 64).copy(), None],
        [(CE, False, 0.7, ["sparse_categorical_accuracy"]), (BCE, False, 2.0, ["mean_squared_error"]), None],
        [np.array([1, 0.5, 2, 0, 1.5]), None, None], (0.0, 1e-2),
    ),
    Graph(
        "shared", shared, [_IMAGES[:, :, :4].copy(), _IMAGES[:, :, 4:].copy()], [_labels()], [(CE, False, 1.0, [])],
        penalties=(1e-3, 1e-2),
    ),
    Graph(
        "sequences", sequences, [_lines(LENGTHS)],
        [[np.arange(n) % 3 for n in LENGTHS], np.array([[n / 6] for n in LENGTHS])],
        [(CE, False, 1.0, ["sparse_categorical_accuracy"]), (MSE, False, 0.5, [])],
    ),
    Graph(
        "shared_recurrent", shared_recurrent, [_WORDS, [word[::-1].copy() for word in _WORDS]],
        [[np.arange(n) % 3 for n in LENGTHS]], [(CE, False, 1.0, [])],
    ),
    *(
        Graph(
            f"passing_{kind}", passing(kind, drop), [_lines(LENGTHS), _IMAGES[:, :4, :, 0].copy()],
            [_labels(), [np.arange(n) % 3 for n in LENGTHS]], [(CE, False, 1.0, []), (CE, False, 0.5, [])],
        )
        for kind, drop in [
            ("simple_rnn", 0.0), ("forget_gate_rnn", 0.3), ("lstm", 0.0), ("gru", 0.0), ("reset_first_gru", 0.3),
        ]
    ),
    Graph(
        "both_ways", both_ways, [_lines(LENGTHS)], [_labels(), [row[:, :3].copy() for row in _lines(LENGTHS)]],
        [(CE, False, 1.0, []), (MSE, False, 0.5, [])],
    ),
    Graph("fixed_steps", fixed_steps, [_IMAGES[..., 0].copy()], [_labels()], [(CE, False, 1.0, [])]),
]  # fmt: skip
