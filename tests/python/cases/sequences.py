"""Samples of unequal length, of no steps, and weights of single steps."""

from __future__ import annotations

from itertools import product

from cases.shared import reset_first
from examples import Case
from reference import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Conv,
    Dense,
    Dropout,
    Embedding,
    ForgetGateRNN,
    GoBackwards,
    SimpleRNN,
)


def unequal_cases():
    ce, lengths = "sparse_categorical_crossentropy", (4, 1, 5, 2)
    for sequences, weighted in product((True, False), (True, False)):
        stacks = {
            "rnn": [SimpleRNN(3, return_sequences=sequences), Dense(2)],
            "rnn-relu": [SimpleRNN(3, "relu", return_sequences=sequences), Dense(2)],
            "lstm": [LSTM(3, return_sequences=sequences), Dense(2)],
            "lstm-lstm": [LSTM(2, return_sequences=True), LSTM(2, return_sequences=sequences)],
            "reset-first": [Dense(2, "tanh"), reset_first(3, return_sequences=sequences).drop(0.3, 0.4, 3), Dense(2)],
            "reset-first-backwards": [GoBackwards(reset_first(3, return_sequences=sequences)), Dense(2)],
            "gru": [Dense(2, "tanh"), GRU(3, return_sequences=sequences), Dense(2)],
            "gru-dropping": [Dense(2, "tanh"), GRU(3, return_sequences=sequences).drop(0.3, 0.4, 3)],
            "backwards-gru": [GoBackwards(GRU(3, return_sequences=sequences)), Dense(2)],
            "backwards-dropping": [GoBackwards(LSTM(3, return_sequences=sequences).drop(0.3, 0.4, 3)), Dense(2)],
            "forget-gate": [Dense(2, "tanh"), ForgetGateRNN(3, return_sequences=sequences), Dense(2)],
            "backwards-rnn": [GoBackwards(SimpleRNN(3, return_sequences=sequences)), Dense(2)],
            "backwards-lstm": [Dense(2, "tanh"), GoBackwards(LSTM(3, return_sequences=sequences))],
            "backwards-forget": [GoBackwards(ForgetGateRNN(3, return_sequences=sequences)), Dense(2)],
            "both": [Dense(2, "tanh"), Bidirectional(*[LSTM(3, return_sequences=sequences) for _ in range(2)])],
            "both-rnn": [Bidirectional(*[SimpleRNN(3, return_sequences=sequences) for _ in range(2)]), Dense(2)],
            "both-mul": [Bidirectional(*[ForgetGateRNN(2, return_sequences=sequences) for _ in range(2)], "mul")],
            "dense-lstm": [Dense(2, "tanh"), LSTM(2, return_sequences=sequences), Activation("tanh")],
            "dropout-lstm": [Dropout(0.4, 5), LSTM(3, return_sequences=sequences), Dropout(0.3, 6), Dense(2)],
        }
        for name, layers in stacks.items():
            name = f"unequal-{name}-sequences{sequences:d}-weights{weighted:d}"
            yield Case(name, (None, 2), layers, lengths=lengths, weighted=weighted)
    yield Case("unequal-dense", (None, 3), [Dense(3, "softmax")], ce, lengths=lengths)
    text = [Embedding(5, 2), LSTM(3, return_sequences=True), LSTM(2, return_sequences=True), Dense(5, "softmax")]
    yield Case("unequal-text", (None,), text, ce, lengths=lengths, weighted=True)
    yield Case("unequal-text-last", (None,), [Embedding(4, 2), LSTM(3), Dense(3, "softmax")], ce, lengths=lengths)
    yield Case("unequal-one", (None, 2), [LSTM(2, return_sequences=True)], lengths=(5,))


def step_weight_cases():
    ce = "sparse_categorical_crossentropy"
    yield Case("step-weights-lstm", (4, 2), [LSTM(3, return_sequences=True), Dense(2)], weighted="steps")
    yield Case("step-weights-text", (4,), [Embedding(5, 2), Dense(3, "softmax")], ce, weighted="steps")
    yield Case("step-weights-conv", (6, 2), [Conv(3, (3,), padding="same")], weighted="steps")
    stack = [Dense(2, "tanh"), SimpleRNN(3, return_sequences=True), Dense(3, "softmax")]
    yield Case("step-weights-unequal", (None, 2), stack, ce, lengths=(2, 5, 1, 3), weighted="steps")
    both = [Bidirectional(*[LSTM(2, return_sequences=True) for _ in range(2)]), Dense(1, "sigmoid")]
    yield Case("step-weights-sigmoid", (None, 2), both, "binary_crossentropy", lengths=(2, 4), weighted="steps")


def stepless_cases():
    """Samples of no steps, as those are whose steps are all masked: they end in the zero state."""
    for sequences in (True, False):
        stacks = {
            "rnn": [SimpleRNN(3, return_sequences=sequences), Dense(2)],
            "lstm": [Dense(2, "tanh"), LSTM(3, return_sequences=sequences), Activation("sigmoid"), Dense(2, "tanh")],
            "lstm-lstm": [LSTM(2, return_sequences=True), Dropout(0.4, 5), LSTM(2, return_sequences=sequences)],
            "forget-gate": [ForgetGateRNN(3, return_sequences=sequences)],
            "backwards-lstm": [GoBackwards(LSTM(3, return_sequences=sequences)), Dense(2, "softmax")],
            "both": [Bidirectional(*[LSTM(3, return_sequences=sequences) for _ in range(2)]), Dense(2)],
            "both-ave": [Bidirectional(*[SimpleRNN(2, return_sequences=sequences) for _ in range(2)], "ave")],
        }
        for name, layers in stacks.items():
            weighted = "steps" if sequences else True
            yield Case(f"stepless-{name}-{sequences:d}", (None, 2), layers, lengths=(0, 3, 0, 2, 1), weighted=weighted)
    yield Case("stepless-all", (None, 2), [LSTM(3), Dense(2)], lengths=(0, 0))
    text = [Embedding(5, 2), LSTM(3), Dense(4, "softmax")]
    yield Case("stepless-text", (None,), text, "sparse_categorical_crossentropy", lengths=(2, 0, 3))
