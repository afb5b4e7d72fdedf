"""Activations that are nodes of their own, the layers for them, and PReLU."""

from __future__ import annotations

from cases.shared import ACTIVATIONS
from examples import Case
from reference import ELU, GRU, LSTM, Activation, Conv, Dense, Dropout, Embedding, Flatten, Pool, PReLU, ReLU, SimpleRNN
from reference.activations import FORWARD

NODE_ACTIVATIONS = tuple(name for name in FORWARD if name not in ACTIVATIONS)  # nodes of their own


def activation_cases():
    """Activations that are nodes, behind every kind of layer, on samples and by time, below those that read an f'."""
    for name in NODE_ACTIVATIONS:
        yield Case(f"node-{name}", (4,), [Dense(3, name), Dense(5, name, False), Dense(2)])
        yield Case(f"node-first-{name}", (3, 4), [Activation(name)])
        images = [Conv(3, (2, 2), activation=name), Pool("max", (2, 2)), Conv(2, (2, 2), activation="tanh")]
        yield Case(f"node-conv-{name}", (6, 5, 1 if name == "exponential" else 2), images)
        steps = [SimpleRNN(3, return_sequences=True), Dense(2, name), LSTM(2, return_sequences=True), Activation(name)]
        yield Case(f"node-steps-{name}", (4, 2), steps, batch=2)
    yield Case("node-behind-relu", (4,), [Dense(6, "tanh"), Activation("gelu"), Dense(2), Activation("silu")])
    flat = [Dense(3, "mish"), Flatten(), Activation("gelu"), Dropout(0.4, 3), Dense(2, "elu")]
    yield Case("node-flatten", (3, 4), flat)
    yield Case("node-logits", (4,), [Dense(3, "log_softmax")], "categorical_crossentropy", True)
    text = [Embedding(5, 2), Activation("selu"), LSTM(3, return_sequences=True), Dense(3, "gelu"), GRU(2)]
    yield Case("node-text", (None,), text, lengths=(4, 1, 5, 2), weighted=True)
    for name, layer in {
        "relu": ReLU(),
        "relu-all": ReLU(1.5, 0.1, 0.2),
        "relu-capped": ReLU(0.5),
        "relu-leaky": ReLU(negative_slope=0.3),
        "relu-threshold": ReLU(threshold=0.3),
        "elu": ELU(0.7),
        "elu-negative": ELU(-0.7),
    }.items():
        yield Case(f"layer-{name}", (4,), [Dense(5), layer, Dense(2)])
        yield Case(f"layer-{name}-conv", (5, 4, 1), [Conv(2, (2, 2), padding="same"), layer, Pool("average", (2, 2))])


def prelu_cases():
    for axes in ((), (1,), (2,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 3)):
        name = "".join(map(str, axes))
        yield Case(f"prelu-images-{name}", (4, 3, 2), [Conv(3, (2, 2), padding="same"), PReLU(axes), Conv(2, (2, 2))])
    yield Case("prelu-first", (3, 4), [PReLU()], weighted=True)
    yield Case("prelu-dense", (4,), [Dense(5, "tanh"), PReLU(), Dense(3), PReLU((1,))], penalties={2: (0.01, 0.02)})
    yield Case("prelu-volume", (3, 2, 4, 2), [PReLU((1, 3)), Flatten(), Dense(2)])
    yield Case("prelu-high-rank", (2, 3, 2, 2, 2), [PReLU((2, 5)), Flatten(), Dense(2)])
    stack = [SimpleRNN(3, return_sequences=True), PReLU((1,)), LSTM(2, return_sequences=True), PReLU((1, 2))]
    yield Case("prelu-steps", (4, 2), stack)
    yield Case("prelu-own-steps", (4, 2), [SimpleRNN(3, return_sequences=True), PReLU(), GRU(2)])
    lengths = (4, 1, 5, 2)
    yield Case("prelu-unequal", (None, 2), [Dense(3), *stack[1:]], lengths=lengths, weighted=True)
    stack = [LSTM(3, return_sequences=True), PReLU((1,)), LSTM(2)]
    yield Case("prelu-stepless", (None, 2), stack, lengths=(0, 3, 0, 2))
