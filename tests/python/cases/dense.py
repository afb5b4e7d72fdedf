"""Dense layers, activations behind them, dropout; losses and penalties on small networks."""

from __future__ import annotations

from itertools import product

from cases.shared import ACTIVATIONS
from examples import Case
from reference import LSTM, Activation, Conv, Dense, Dropout, Embedding, Flatten, Reshape, SimpleRNN


def dense_cases():
    for activation, bias in product(ACTIVATIONS, (True, False)):
        yield Case(f"dense-{activation}-bias{bias:d}", (4,), [Dense(3, activation, bias)])
    yield Case("dense-per-step", (4, 3), [Dense(3, "tanh"), Dense(2)])
    yield Case("dense-on-images", (2, 3, 2), [Dense(3, "sigmoid")])
    for activation in ACTIVATIONS:
        yield Case(f"activation-{activation}", (4,), [Dense(3), Activation(activation), Dense(2)])
        yield Case(f"activation-first-{activation}", (3, 4), [Activation(activation)])
    yield Case("reshape-flatten", (2, 6), [Reshape((3, -1)), Dense(2, "tanh"), Flatten(), Dense(2)])
    yield Case("dropout", (5,), [Dropout(0.4, 7), Dense(6, "tanh"), Dropout(0.5, 8), Dense(2)])
    yield Case("dropout-last", (5,), [Dense(6, "tanh"), Dropout(0.3, 2**40 + 5)])
    yield Case("dropout-0", (5,), [Dense(6, "tanh"), Dropout(0.0, 1), Dense(2)])
    yield Case("dropout-relu", (5,), [Dense(6, "relu"), Dropout(0.4, 3), Dense(2)])
    yield Case("dropout-softmax", (5,), [Dense(6, "softmax"), Dropout(0.4, 3), Dense(2)])


def loss_cases():
    outputs = [("mean_squared_error", a, False) for a in ACTIVATIONS]
    for name in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        outputs += [(name, "softmax", False), (name, "linear", True), (name, "tanh", True)]
    bce = "binary_crossentropy"
    outputs += [(bce, "sigmoid", False), (bce, "linear", True), (bce, "relu", True)]
    for loss, activation, logits in outputs:
        name = f"{loss}-{activation}-logits{logits:d}"
        for shape, weighted in (((4,), False), ((3, 4), True)):
            layers = [Dense(3, "tanh"), Dense(4, activation)]
            yield Case(f"{name}-rank{len(shape)}", shape, layers, loss, logits, weighted=weighted)
    # the loss after a layer of its own, and after one without weights between
    yield Case("ce-activation", (4,), [Dense(3), Activation("softmax")], "categorical_crossentropy")
    yield Case("ce-reshape", (6,), [Dense(6), Reshape((2, 3)), Activation("softmax")], "categorical_crossentropy")
    yield Case("bce-activation", (4,), [Dense(3), Activation("sigmoid")], bce, weighted=True)
    yield Case("bce-one-unit", (4,), [Dense(1, "sigmoid")], bce)
    yield Case("mse-images", (5, 4, 2), [Conv(2, (2, 2), activation="tanh")], weighted=True)
    yield Case("ce-images", (4, 4, 1), [Conv(3, (2, 2), activation="softmax")], "categorical_crossentropy")
    yield Case("ce-many-classes", (3,), [Dense(37, "softmax")], "sparse_categorical_crossentropy", batch=2)


def penalty_cases():
    penalties = {"l1": (0.01, 0.0), "l2": (0.0, 0.02), "l1l2": (0.01, 0.03)}
    for name, p in penalties.items():
        yield Case(f"{name}-dense", (3,), [Dense(3, "tanh"), Dense(2)], penalties={0: p, 3: p})
        yield Case(f"{name}-conv", (5, 4, 1), [Conv(2, (3, 2))], penalties={0: p}, weighted=True)
        yield Case(f"{name}-rnn", (3, 2), [SimpleRNN(3)], penalties={0: p, 1: p})
        yield Case(f"{name}-lstm", (3, 2), [LSTM(2)], penalties={0: p, 1: p})
        yield Case(f"{name}-embedding", (3,), [Embedding(4, 2), Flatten()], penalties={0: p})
