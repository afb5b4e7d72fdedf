"""Callbacks that are not of class Callback: what they have is called, what they lack does nothing."""

from __future__ import annotations

import numpy as np

import tauten
from tauten import layers

X, Y = np.ones((6, 2)), np.ones((6, 1))


class Epochs:
    def __init__(self):
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append((epoch, sorted(logs)))


class Batches:
    def __init__(self):
        self.seen = []

    def on_batch_begin(self, batch, logs=None):
        self.seen.append(batch)

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(-batch)

    def on_batch_end(self, batch, logs=None):
        raise AssertionError("on_train_batch_end is there")


def model():
    made = tauten.Sequential([tauten.Input((2,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def test_missing_hooks_do_nothing():
    epochs, batches = Epochs(), Batches()
    model().fit(X, Y, batch_size=2, epochs=2, validation_split=0.4, callbacks=[epochs, batches], verbose=0)
    assert epochs.seen == [(0, ["loss", "val_loss"]), (1, ["loss", "val_loss"])]
    assert batches.seen == [0, 0, 1, -1] * 2
    model().predict(X, callbacks=(epochs, batches), verbose=0)
    model().evaluate(X, Y, callbacks=[epochs], verbose=0)


def test_one_object_alone():
    epochs = Epochs()
    model().fit(X, Y, callbacks=epochs, verbose=0)
    assert len(epochs.seen) == 1
    history = tauten.callbacks.History()
    model().fit(X, Y, callbacks=history, verbose=0)
    assert list(history.history) == ["loss"]
