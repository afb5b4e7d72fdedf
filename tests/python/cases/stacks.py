"""Layers of several families in one network."""

from __future__ import annotations

from examples import Case
from reference import LSTM, Conv, Dense, Dropout, Embedding, Flatten, Pool, Reshape, SimpleRNN


def stack_cases():
    ce = "sparse_categorical_crossentropy"
    lenet = [
        Conv(2, (3, 3), padding="same", activation="relu"),
        Pool("max", (2, 2)),
        Conv(3, (2, 2), activation="relu"),
        Flatten(),
        Dropout(0.3, 11),
        Dense(3, "softmax"),
    ]
    yield Case("lenet", (6, 6, 1), lenet, ce, batch=2, penalties={0: (0, 0.01), 4: (0.01, 0)})
    average = [Conv(2, (3,), activation="tanh"), Pool("average", (2,)), Conv(2, (2,)), Flatten(), Dense(2)]
    yield Case("conv1d-pool-conv-flatten-dense", (9, 2), average)
    volume = [Conv(2, (2, 2, 2), activation="relu"), Pool("max", (1, 2, 2)), Flatten(), Dense(2)]
    yield Case("conv3d-pool-flatten-dense", (3, 5, 3, 1), volume, batch=1)
    text = [Embedding(5, 3), LSTM(3, return_sequences=True), LSTM(2, return_sequences=True), Dense(5, "softmax")]
    yield Case("embedding-lstm-lstm-dense", (4,), text, ce, batch=2)
    yield Case("reshape-rnn", (3, 4, 1), [Reshape((3, 4)), SimpleRNN(3), Dense(3, "softmax")], ce)
    yield Case("rnn-reshape-conv", (4, 2), [SimpleRNN(4, return_sequences=True), Reshape((4, 2, 2)), Conv(2, (2, 2))])
    yield Case("lstm-flatten-dense", (3, 2), [LSTM(3, return_sequences=True), Flatten(), Dense(2, "softmax")], ce)
    # the same memory under other shapes behind a layer that lies by time
    steps = [LSTM(5, return_sequences=True), Dense(6, "tanh"), Reshape((6, 4)), Flatten(), Dense(2)]
    yield Case("lstm-dense-reshape-flatten-dense", (4, 3), steps)
    steps = [LSTM(5, return_sequences=True), Dense(6, "sigmoid"), Reshape((6, 4)), Reshape((2, 12))]
    yield Case("lstm-dense-reshape-reshape", (4, 3), steps)
    yield Case("rnn-lstm-dropout", (4, 2), [SimpleRNN(3, return_sequences=True), Dropout(0.5, 9), LSTM(2), Dense(1)])
    yield Case("dropout-conv", (5, 5, 1), [Conv(3, (2, 2), activation="tanh"), Dropout(0.4, 1), Conv(2, (2, 2))])
    yield Case("mlp-deep", (4,), [Dense(5, "relu"), Dense(5, "sigmoid"), Dense(5, "relu"), Dense(2)])
    yield Case("images-to-steps", (3, 4, 2), [Conv(3, (2, 2)), Reshape((2, -1)), LSTM(2, return_sequences=True)])
