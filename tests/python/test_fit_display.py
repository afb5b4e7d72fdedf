"""What fit shows, which hooks it calls, and how it stops."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tauten
from tauten import layers
from tauten.callbacks import Callback


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(50, 4)).astype(np.float32), rng.integers(0, 3, 50)


@pytest.fixture
def model():
    made = tauten.Sequential([tauten.Input((4,)), layers.Dense(3, "softmax")])
    made.compile(tauten.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


class Recorder(Callback):
    """Every hook that is called, with its epoch or batch and the names in its logs."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __getattribute__(self, name):
        if not name.startswith("on_"):
            return super().__getattribute__(name)

        def hook(*arguments, logs=None):
            arguments = list(arguments)
            if arguments and isinstance(arguments[-1], dict):
                logs = arguments.pop()
            self.calls.append((name, *arguments, sorted(logs or {})))

        return hook


def test_verbose_0_is_silent(model, data, capsys):
    model.fit(*data, verbose=0, validation_split=0.2)
    model.evaluate(*data, verbose=0)
    model.predict(data[0], verbose=0)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_verbose_2_is_one_line_an_epoch(model, data, capsys):
    history = model.fit(*data, epochs=2, verbose=2, validation_split=0.2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    number = r"[\d.e+-]+"
    for i, line in enumerate(lines):
        assert re.fullmatch(
            rf"Epoch {i + 1}/2 - [\d.]+s - [\d,]+ samples/s - loss: {number} - accuracy: {number} - "
            rf"val_loss: {number} - val_accuracy: {number}",
            line,
        )
        assert f"loss: {history.history['loss'][i]:.4f}" in line


def test_verbose_1_is_a_bar_an_epoch(model, data, capsys):
    history = model.fit(*data, epochs=2, verbose=1, validation_split=0.2)
    shown = capsys.readouterr().out
    last = shown.replace("\r", "\n").strip().splitlines()[-1]
    assert "Epoch 1/2" in shown
    for words in ("Epoch 2/2: 100%", "40/40", " samples/s", f"val_loss={history.history['val_loss'][-1]:.4f}"):
        assert words in last
    model.evaluate(*data, verbose=1)
    assert "50/50" in capsys.readouterr().out


def test_auto_is_lines_where_there_is_no_terminal(model, data, capsys, monkeypatch):
    model.fit(*data)
    assert capsys.readouterr().out.startswith("Epoch 1/1 - ")
    model.evaluate(*data)
    assert capsys.readouterr().out.startswith("evaluate - ")
    model.predict(data[0])
    assert capsys.readouterr().out == ""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    model.fit(*data)
    assert "100%" in capsys.readouterr().out


def test_hooks_and_their_order_are_keras(model, data):
    recorder = Recorder()
    model.fit(*data, batch_size=20, epochs=2, verbose=0, validation_split=0.2, callbacks=[recorder])
    logs = ["accuracy", "loss"]
    both = ["accuracy", "loss", "val_accuracy", "val_loss"]
    batches = [call for b in (0, 1) for call in (("on_train_batch_begin", b, []), ("on_train_batch_end", b, logs))]
    test = [
        ("on_test_begin", []),
        ("on_test_batch_begin", 0, []),
        ("on_test_batch_end", 0, logs),
        ("on_test_end", logs),
    ]
    epochs = [call for e in (0, 1) for call in (("on_epoch_begin", e, []), *batches, *test, ("on_epoch_end", e, both))]
    assert recorder.calls == [("on_train_begin", []), *epochs, ("on_train_end", both)]
    assert recorder.params == {"verbose": 0, "epochs": 2, "steps": 2}
    assert recorder.model is model
    recorder.calls.clear()
    model.evaluate(*data, batch_size=32, verbose=0, callbacks=[recorder])
    assert [call[0] for call in recorder.calls] == [
        "on_test_begin", *["on_test_batch_begin", "on_test_batch_end"] * 2, "on_test_end",
    ]  # fmt: skip
    recorder.calls.clear()
    model.predict(data[0], batch_size=32, verbose=0, callbacks=[recorder])
    assert [call[0] for call in recorder.calls] == [
        "on_predict_begin", *["on_predict_batch_begin", "on_predict_batch_end"] * 2, "on_predict_end",
    ]  # fmt: skip
    assert recorder.calls[2][-1] == ["outputs"]


def test_logs_are_running_means(model, data):
    x, y = data
    seen = []

    class Look(Callback):
        def on_batch_end(self, batch, logs=None):  # the old name works too
            seen.append(logs)

    history = model.fit(x, y, batch_size=16, verbose=0, callbacks=Look()).history  # one alone needs no list
    assert len(seen) == 4
    assert seen[-1] == {"accuracy": history["accuracy"][0], "loss": history["loss"][0]}
    assert seen[0] != seen[1]


def test_stop_training_after_an_epoch_and_after_a_batch(model, data):
    class AfterEpoch(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    assert model.fit(*data, epochs=9, verbose=0, callbacks=[AfterEpoch()]).epoch == [0, 1]

    class AfterBatch(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    before = model.optimizer.iterations
    assert model.fit(*data, batch_size=5, epochs=9, verbose=0, callbacks=[AfterBatch()]).epoch == [0]
    assert model.optimizer.iterations == before + 3
    assert len(model.fit(*data, epochs=2, verbose=0).epoch) == 2  # the next fit runs on


def test_an_interrupt_leaves_the_model_usable(model, data, capsys):
    class Interrupt(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, batch_size=5, epochs=2, verbose=1, callbacks=[Interrupt()])
    assert model.history is not None
    assert np.isfinite(model.evaluate(*data, verbose=0)).all()
    assert len(model.fit(*data, epochs=2, verbose=0).epoch) == 2


def test_a_loss_that_is_not_finite_is_explained(data):
    x, _ = data
    y = x[:, :2]
    model = tauten.Sequential([tauten.Input((4,)), layers.Dense(8, "linear"), layers.Dense(2)])
    model.compile(tauten.optimizers.SGD(1e6), "mse")
    with pytest.raises(FloatingPointError) as info:
        model.fit(x, y, batch_size=10, epochs=50, verbose=0)
    for words in ("not finite", "epoch", "batch", "of 5", "learning rate (now 1e+06)", model.name):
        assert words in str(info.value)
    model.set_weights([np.zeros(w.shape) for w in model.get_weights()])
    model.optimizer.learning_rate = 0.01
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"][-1])


def test_what_is_no_callback_is_refused(model, data):
    for bad in ([print], [Callback], ["early"]):
        with pytest.raises(TypeError, match="callbacks"):
            model.fit(*data, verbose=0, callbacks=bad)


@pytest.mark.parametrize("verbose", [3, "loud", None, 1.5])
def test_bad_verbose(model, data, verbose):
    with pytest.raises(ValueError, match="verbose"):
        model.fit(*data, verbose=verbose)
