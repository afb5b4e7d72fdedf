"""Recurrent cells, against time and in both directions; embeddings."""

from __future__ import annotations

from itertools import product

from cases.shared import ACTIVATIONS, reset_first
from examples import Case
from reference import (
    GRU,
    LSTM,
    Bidirectional,
    Conv,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    ForgetGateRNN,
    GoBackwards,
    SimpleRNN,
)

CELL_ACTIVATIONS = ACTIVATIONS[:-1]
MORE_OF_CELLS = ("hard_sigmoid", "hard_tanh", "relu6", "leaky_relu", "elu", "celu", "selu", "softsign")


def recurrent_cases():
    for activation, bias, sequences in product(CELL_ACTIVATIONS, (True, False), (True, False)):
        layers = [SimpleRNN(3, activation, bias, sequences)]
        yield Case(f"rnn-{activation}-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    closed = CELL_ACTIVATIONS[1:]  # a linear gate lets h grow without bound
    for name, cell, gates in (
        ("lstm", LSTM, CELL_ACTIVATIONS),
        ("forget-gate", ForgetGateRNN, closed),
        ("gru", GRU, closed),
        ("reset-first", reset_first, closed),
    ):
        for activation, gate in product(CELL_ACTIVATIONS, gates):
            yield Case(f"{name}-{activation}-{gate}", (3, 2), [cell(2, activation, gate, True, True)], batch=2)
        for bias, sequences in product((True, False), (True, False)):
            layers = [cell(3, use_bias=bias, return_sequences=sequences)]
            yield Case(f"{name}-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for number, activation in enumerate(MORE_OF_CELLS):
        gate = ("hard_sigmoid", "hard_tanh", "softsign")[number % 3]  # an open one lets h grow without bound
        yield Case(f"rnn-{activation}", (4, 2), [SimpleRNN(3, activation, return_sequences=True)])
        for cell in (ForgetGateRNN, LSTM, GRU, reset_first):
            name = f"cell-{cell.__name__}"
            yield Case(f"{name}-{activation}-{gate}", (3, 2), [cell(2, activation, gate, True, True)], batch=2)
            yield Case(f"{name}-tanh-{activation}", (3, 2), [cell(3, "tanh", activation)], batch=2)
    for cell, sequences in product((SimpleRNN, ForgetGateRNN, LSTM, GRU, reset_first), (True, False)):
        for rates in ((0.0, 0.4), (0.3, 0.0), (0.3, 0.4)):
            dropping = cell(3, return_sequences=sequences).drop(*rates, seed=7)
            name = f"cell-dropout-{cell.__name__}-sequences{sequences:d}-{rates[0]}-{rates[1]}"
            yield Case(name, (4, 5), [Dense(5, "tanh"), dropping])
    both = [cell(2).drop(0.3, 0.5, seed) for seed, cell in enumerate((GRU, LSTM))]
    yield Case("cell-dropout-bidirectional", (4, 2), [Dropout(0.3, 1), Bidirectional(*both), Dropout(0.3, 2)])
    yield Case("conv-cell-dropout", (6, 3), [Conv(3, (3,), activation="tanh"), LSTM(2).drop(0.3, 0.4, 5)])
    for cell, sequences in product((SimpleRNN, ForgetGateRNN, LSTM, GRU, reset_first), (True, False)):
        name = f"{cell.__name__}-sequences{sequences:d}"
        yield Case(f"backwards-{name}", (4, 2), [GoBackwards(cell(3, return_sequences=sequences))])
        for merge in ("concat", "sum", "ave", "mul"):
            both = [cell(3, return_sequences=sequences) for _ in range(2)]
            yield Case(f"bidirectional-{name}-{merge}", (4, 2), [Dense(2, "tanh"), Bidirectional(*both, merge)])
    mixed = Bidirectional(LSTM(2, use_bias=False, return_sequences=True), SimpleRNN(3, "relu", return_sequences=True))
    yield Case("bidirectional-mixed", (4, 2), [mixed, LSTM(2)])
    yield Case(
        "bidirectional-conv",
        (6, 3),
        [Bidirectional(LSTM(2, return_sequences=True), LSTM(2, return_sequences=True)), Conv(2, (3,))],
    )
    yield Case("conv-bidirectional", (6, 3), [Conv(2, (3,), activation="tanh"), Bidirectional(LSTM(2), LSTM(2))])
    yield Case("bidirectional-one-step", (1, 3), [Bidirectional(LSTM(2), LSTM(2))])
    yield Case("rnn-one-step", (1, 3), [SimpleRNN(2)])
    yield Case("lstm-one-step", (1, 3), [LSTM(2, return_sequences=True)])
    yield Case("lstm-run-time-steps", (None, 2), [LSTM(2, return_sequences=True)], lengths=(3, 3))
    yield Case("embedding", (4,), [Embedding(5, 3)])
    yield Case("embedding-images", (3, 2), [Embedding(4, 3)])
    yield Case("embedding-flatten", (4,), [Embedding(3, 2), Flatten(), Dense(2)])
