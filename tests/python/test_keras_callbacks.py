"""Keras' callbacks: what they do to a fit, with its arguments, logs, texts. (test_resume.py has BackupAndRestore.)"""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import numpy as np
import pytest

import tauten
from data import digits
from tauten import callbacks, layers
from tauten.callbacks import (
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ProgbarLogger,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
)


def images(count=100):
    x, y = digits()
    return x[:count].reshape(count, 64).astype(np.float32), y[:count]


def made(rate=0.1, metrics=("accuracy",)):
    tauten.utils.set_random_seed(3)
    model = tauten.Sequential([tauten.Input((64,)), layers.Dense(10, "softmax")])
    model.compile(tauten.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def follow(callback, values, name="val_loss", model=None):
    """The learning rates and the epoch of the end, if a fit saw these values. Epoch i leaves weights i."""
    model = model or made()
    both = CallbackList([callback], model=model)
    rates, model.stop_training = [], False
    both.on_train_begin()
    for epoch, value in enumerate(values):
        both.on_epoch_begin(epoch)
        model.set_weights([np.full(w.shape, epoch) for w in model.get_weights()])
        both.on_epoch_end(epoch, {name: value, "loss": 1.0})
        rates.append(model.optimizer.learning_rate)
        if model.stop_training:
            break
    both.on_train_end({})
    return rates, len(rates), model


def kept(model) -> float:
    return float(model.get_weights()[1][0])


# -- EarlyStopping


@pytest.mark.parametrize(
    ("options", "values", "epochs"),
    [
        ({}, [3, 2, 2.5, 1], 3),
        ({"patience": 2}, [3, 2, 2.5, 2.1, 1], 4),
        ({"patience": 2}, [3, 2, 2.5, 1, 1.5, 1.4, 0], 6),
        ({"min_delta": 0.6}, [3, 2.5], 2),
        ({"min_delta": -0.4, "patience": 1}, [3, 2.5, 2.2], 3),
        ({"mode": "max", "patience": 1}, [3, 4, 5, 4], 4),
        ({"baseline": 1.5, "patience": 2}, [3, 2.5, 2.2, 1], 4),
        ({"baseline": 1.5, "patience": 2}, [3, 2.5, 1.4, 1.3, 1.2], 5),
        ({"start_from_epoch": 2}, [1, 2, 3, 4], 4),
        ({}, [2, float("nan"), 1], 2),
        ({"patience": 1}, [float("nan"), 1, 0.5], 3),
    ],
)
def test_early_stopping(options, values, epochs):
    # baseline 1.5, patience 2: the best one gets better, but only what beats the baseline begins the wait anew
    assert follow(EarlyStopping(**options), values)[1] == epochs


def test_early_stopping_brings_the_best_weights_back(capsys):
    stop = EarlyStopping(patience=2, restore_best_weights=True, verbose=1)
    model = follow(stop, [3, 1, 2, 2, 0])[2]
    assert kept(model) == 1
    assert (stop.best, stop.best_epoch, stop.stopped_epoch) == (1.0, 1, 3)
    assert capsys.readouterr().out == (
        "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )
    assert kept(follow(stop, [2, 3, 4, 5])[2]) == 0  # it can be used again
    assert kept(follow(EarlyStopping(restore_best_weights=True, patience=5), [3, 1, 2])[2]) == 1  # not only if stopped
    assert kept(follow(EarlyStopping(patience=1), [1, 2])[2]) == 1


def test_early_stopping_in_a_fit():
    x, y = images()
    history = made(0.0).fit(x, y, epochs=9, verbose=0, callbacks=EarlyStopping("loss", patience=2))
    assert history.epoch == [0, 1, 2]
    with pytest.warns(UserWarning, match="there is no 'val_loss' to watch; there are accuracy, loss"):
        made().fit(x, y, verbose=0, callbacks=EarlyStopping())


def test_which_direction_is_good():
    model = made(metrics=["accuracy", "sparse_categorical_accuracy"])
    for name in ("val_accuracy", "sparse_categorical_accuracy"):
        assert follow(EarlyStopping(name), [0.5, 0.6, 0.4, 0.7], name, model)[1] == 3
    with pytest.raises(ValueError, match=r"'f1' is good: pass mode='max' or mode='min'"):
        follow(EarlyStopping("f1"), [1, 2], "f1")
    with pytest.raises(ValueError, match="mode"):
        EarlyStopping(mode="best")


# -- ReduceLROnPlateau and LearningRateScheduler


@pytest.mark.parametrize(
    ("options", "values", "rates"),
    [
        ({"patience": 2}, [2, 1, 1, 1, 1, 1], [1, 1, 1, 0.1, 0.1, 0.01]),
        ({"patience": 1, "factor": 0.5}, [2, 2, 1, 1], [1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "cooldown": 2}, [2, 2, 2, 2, 2, 2], [1, 0.1, 0.1, 0.01, 0.01, 0.001]),
        ({"patience": 1, "min_lr": 0.03}, [2, 2, 2, 2], [1, 0.1, 0.03, 0.03]),
        ({"patience": 1, "mode": "max"}, [2, 3, 3], [1, 1, 0.1]),
        ({"patience": 1, "min_delta": 1.5}, [2, 1], [1, 0.1]),
    ],
)
def test_reduce_lr_on_plateau(options, values, rates):
    model = made(1.0)
    assert follow(ReduceLROnPlateau(**options), values, model=model)[0] == pytest.approx(rates)


def test_learning_rates_are_in_the_logs(capsys):
    x, y = images()
    model = made(1.0)
    schedule = LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1)
    history = model.fit(x, y, epochs=3, verbose=0, callbacks=[schedule]).history
    assert history["learning_rate"] == [0.5, 0.25, 0.125]
    assert "\nEpoch 3: LearningRateScheduler setting learning rate to 0.125." in capsys.readouterr().out
    history = model.fit(x, y, epochs=2, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))])
    assert history.history["learning_rate"] == [0.1, 0.05]
    plateau = ReduceLROnPlateau("loss", patience=1, min_delta=9, verbose=1)
    history = model.fit(x, y, epochs=3, verbose=0, callbacks=[plateau])
    assert history.history["learning_rate"] == pytest.approx([0.05, 0.05, 0.005])
    assert "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.005" in capsys.readouterr().out
    with pytest.raises(ValueError, match="expected a float, got 1"):
        model.fit(x, y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 1)])
    with pytest.raises(TypeError, match="schedule"):
        LearningRateScheduler(0.1)
    with pytest.raises(ValueError, match="factor"):
        ReduceLROnPlateau(factor=1.0)


# -- ModelCheckpoint


def test_checkpoints_of_epochs(tmp_path, capsys):
    x, y = images()
    model = made()
    path = tmp_path / "deep" / "m-{epoch:02d}-{val_loss:.3f}.safetensors"
    history = model.fit(x, y, epochs=2, verbose=0, validation_split=0.2, callbacks=ModelCheckpoint(path, verbose=1))
    names = [f"m-{i + 1:02d}-{history.history['val_loss'][i]:.3f}.safetensors" for i in range(2)]
    assert sorted(file.name for file in path.parent.iterdir()) == names
    assert f"Epoch 2: finished saving model to {path.parent / names[1]}" in capsys.readouterr().out
    loaded = tauten.models.load_model(path.parent / names[1])
    assert loaded.optimizer.iterations == 6
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_checkpoints_of_batches(tmp_path):
    x, y = images(96)
    model = made()
    path = tmp_path / "{epoch}-{batch}.safetensors"
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=ModelCheckpoint(path, save_freq=4))
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{n}.safetensors" for n in ("1-4", "2-2", "2-6")]
    weights = ModelCheckpoint(tmp_path / "w.safetensors", save_weights_only=True, save_freq=100)
    model.fit(x, y, verbose=0, callbacks=weights)
    assert not (tmp_path / "w.safetensors").exists()
    weights = ModelCheckpoint(tmp_path / "w.safetensors", save_weights_only=True)
    model.fit(x, y, verbose=0, callbacks=weights)
    other = made()
    other.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    with pytest.raises(ValueError, match="no architecture"):
        tauten.models.load_model(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("options", "values", "epoch"),
    [
        ({}, [3, 2, 4], 1),
        ({"mode": "max"}, [3, 2, 4, 1], 2),
        ({"initial_value_threshold": 1.0}, [3, 0.5, 0.7], 1),
        ({}, [3, float("nan"), 4], 0),
    ],
)
def test_the_best_checkpoint(options, values, epoch, tmp_path, capsys):
    path = tmp_path / "best.safetensors"
    model = follow(ModelCheckpoint(path, save_best_only=True, verbose=1, **options), values)[2]
    model.load_weights(path)
    assert kept(model) == epoch
    assert "val_loss did not improve from" in capsys.readouterr().out


def test_checkpoints_that_cannot_be(tmp_path):
    x, y = images()
    with pytest.raises(ValueError, match=r"end in '.safetensors', got '.keras': save as m.safetensors$"):
        ModelCheckpoint("m.keras")
    with pytest.raises(ValueError, match=r"save as \{loss:.2f\}.safetensors$"):
        ModelCheckpoint("{loss:.2f}")
    with pytest.raises(IsADirectoryError, match="got a folder"):
        ModelCheckpoint(tmp_path)
    with pytest.raises(ValueError, match="cannot be filled in from accuracy, loss, epoch"):
        made().fit(x, y, verbose=0, callbacks=ModelCheckpoint(tmp_path / "{val_loss}.safetensors"))
    for freq in (0, "batch", 1.5):
        with pytest.raises((ValueError, TypeError), match="save_freq"):
            ModelCheckpoint("m.safetensors", save_freq=freq)
    with pytest.warns(UserWarning, match="there is no 'val_loss' to tell the best by"):
        made().fit(x, y, verbose=0, callbacks=ModelCheckpoint(tmp_path / "m.safetensors", save_best_only=True))


def test_callbacks_show_their_arguments():
    assert (
        repr(ModelCheckpoint("m.safetensors", save_freq=3)) == "ModelCheckpoint(filepath='m.safetensors', save_freq=3)"
    )
    shown = repr(CallbackList([LambdaCallback(on_epoch_end=print), CSVLogger("x.csv", append=True)], model=made()))
    assert shown.startswith("CallbackList(callbacks=[LambdaCallback(), CSVLogger(filename='x.csv', append=True)]")


# -- CSVLogger, LambdaCallback, History, ProgbarLogger, CallbackList


def test_csv_logger(tmp_path):
    x, y = images()
    path = tmp_path / "log.csv"
    model = made()
    history = model.fit(x, y, epochs=2, verbose=0, validation_split=0.5, callbacks=CSVLogger(path))
    model.fit(x, y, epochs=4, initial_epoch=2, verbose=0, validation_split=0.5, callbacks=CSVLogger(path, append=True))
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert list(rows[0]) == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert [float(row["val_loss"]) for row in rows[:2]] == history.history["val_loss"]
    with pytest.raises(FileNotFoundError, match=r"x\.csv: no such folder: .*lg; make it first"):
        made().fit(x, y, verbose=0, callbacks=CSVLogger(tmp_path / "lg" / "x.csv"))
    assert not (tmp_path / "lg").exists()
    made().fit(x, y, verbose=0, callbacks=CSVLogger(path, separator=";"))
    assert path.read_text().splitlines()[0] == "epoch;accuracy;loss;val_accuracy;val_loss"
    assert path.read_text().splitlines()[1].endswith(";NA;NA")
    made().fit(
        x, y, epochs=2, verbose=0, validation_split=0.5, validation_freq=2, callbacks=CSVLogger(path, separator="\t")
    )
    assert [line.split("\t")[3] == "NA" for line in path.read_text().splitlines()] == [False, True, False]


def test_lambda_callback():
    x, y = images()
    seen = []
    hooks = {
        name: lambda *args, name=name: seen.append((name, *args[:-1]))
        for name in ("on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end", "on_train_batch_end")
    }
    hooks["on_test_begin"] = lambda logs: seen.append(("on_test_begin",))  # not among the named arguments
    made().fit(x, y, batch_size=50, verbose=0, validation_data=(x, y), callbacks=LambdaCallback(**hooks))
    assert seen == [
        ("on_train_begin",), ("on_epoch_begin", 0), ("on_train_batch_end", 0), ("on_train_batch_end", 1),
        ("on_test_begin",), ("on_epoch_end", 0), ("on_train_end",),
    ]  # fmt: skip


def test_history_is_the_users_own_if_there_is_one():
    x, y = images()
    own = History()
    model = made()
    assert model.fit(x, y, epochs=2, verbose=0, callbacks=[own]) is own is model.history
    assert own.epoch == [0, 1]
    both = CallbackList([own, LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(extra=epoch))])
    history = model.fit(x, y, epochs=2, verbose=0, callbacks=both)
    assert history.history["extra"] == [0, 1]  # History comes behind those that add to the logs


def test_progbar_logger(capsys):
    x, y = images()
    model = made()
    model.fit(x, y, batch_size=20, epochs=2, verbose=1, validation_split=0.2, callbacks=[ProgbarLogger()])
    shown = capsys.readouterr().out.replace("\r", "\n").strip().splitlines()
    assert [line for line in shown if "4/4" in line and "batches/s" in line and "val_loss=" in line][-1]
    assert not any("samples" in line for line in shown)
    model.evaluate(x, y, verbose=2, callbacks=[ProgbarLogger()])
    assert capsys.readouterr().out.startswith("evaluate - ")
    model.predict(x, verbose=1, callbacks=ProgbarLogger())
    assert "4/4" in capsys.readouterr().out
    model.fit(x, y, verbose=0, callbacks=[ProgbarLogger()])
    assert capsys.readouterr().out == ""


def test_callback_list():
    model = made()
    many = CallbackList([LambdaCallback()], add_history=True, add_progbar=True, model=model, verbose=0, epochs=2)
    assert [type(callback) for callback in many.callbacks] == [LambdaCallback, ProgbarLogger, History]
    assert many.callbacks[0].model is model
    assert many.callbacks[0].params == {"verbose": 0, "epochs": 2}
    assert not CallbackList([EarlyStopping(), History()]).each_train_batch  # whoever does not listen costs nothing
    assert CallbackList([TerminateOnNaN()]).each_train_batch
    assert not CallbackList([TerminateOnNaN()]).each_test_batch


# -- what is not finite


def exploding():
    model = tauten.Sequential([tauten.Input((64,)), layers.Dense(8), layers.Dense(2)])
    model.compile(tauten.optimizers.SGD(1e7), "mse", metrics=["mae"])
    return model


def test_terminate_on_nan_keeps_the_last_good_weights(capsys):
    x, _ = images()
    model = exploding()
    seen = []

    class Look(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((logs["loss"], [w.copy() for w in self.model.get_weights()]))

    ends = TerminateOnNaN()
    history = model.fit(x, x[:, :2], batch_size=10, epochs=9, verbose=0, callbacks=[ends, Look()])
    assert history.epoch == [0]
    assert np.isnan(history.history["loss"][0])
    assert np.isnan(seen[-1][0]) and np.isfinite(seen[-2][0])
    batch = len(seen) - 1
    assert model.optimizer.iterations == batch
    for one, two in zip(model.get_weights(), seen[-2][1], strict=True):
        np.testing.assert_array_equal(one, two)
        assert np.isfinite(one).all()
    out = capsys.readouterr().out
    assert out.startswith(f"Batch {batch}: Invalid loss, terminating training (")
    assert "not finite" in out and "batch" in ends.reason
    model.optimizer.learning_rate = 1e-9
    model.set_weights([w * 0 for w in model.get_weights()])
    assert len(model.fit(x, x[:, :2], epochs=2, verbose=0, callbacks=[ends]).epoch) == 2


def test_terminate_on_nan_may_raise():
    x, _ = images()
    ended = []
    with pytest.raises(RuntimeError, match=r"the loss of batch \d+ is nan") as info:
        exploding().fit(
            x, x[:, :2], batch_size=10, epochs=9, verbose=0,
            callbacks=[TerminateOnNaN(raise_error=True), LambdaCallback(on_train_end=ended.append)],
        )  # fmt: skip
    assert isinstance(info.value.__context__, FloatingPointError)
    assert not ended
    with pytest.raises(FloatingPointError):
        exploding().fit(x, x[:, :2], batch_size=10, epochs=9, verbose=0)


# -- TensorBoard


def test_tensorboard_is_asked_for_when_it_is_missing(tmp_path):
    script = (
        "import sys; sys.modules['tensorboard'] = None\n"
        "import numpy as np, tauten\n"
        "model = tauten.Sequential([tauten.Input((2,)), tauten.layers.Dense(1)]); model.compile('sgd', 'mse')\n"
        f"board = tauten.callbacks.TensorBoard({str(tmp_path)!r})\n"
        "try:\n"
        "    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[board])\n"
        "except ImportError as error:\n"
        "    print(model.optimizer.iterations, error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert result.stdout.startswith("0 TensorBoard needs the package of that name: pip install 'tauten[tensorboard]'")


def test_tensorboard(tmp_path):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    x, y = images()
    board = TensorBoard(tmp_path, histogram_freq=1, update_freq=2, write_steps_per_second=True)
    model = made()
    history = model.fit(x, y, batch_size=20, epochs=2, verbose=0, validation_split=0.2, callbacks=[board]).history
    found = {}
    for folder in ("train", "validation"):
        for path in (tmp_path / folder).iterdir():
            for event in loader.EventFileLoader(str(path)).Load():
                for value in event.summary.value:
                    number = value.tensor.float_val[0] if value.tensor.float_val else None
                    found[folder, value.tag, event.step] = number
    for epoch in (0, 1):
        assert found["train", "epoch_loss", epoch] == pytest.approx(history["loss"][epoch])
        assert found["validation", "epoch_accuracy", epoch] == pytest.approx(history["val_accuracy"][epoch])
        assert found["train", "epoch_learning_rate", epoch] == pytest.approx(0.1)
        assert ("train", f"{model.layers[0].name}/kernel/histogram", epoch) in found
    assert found["validation", "evaluation_loss_vs_iterations", 8] == pytest.approx(history["val_loss"][1])
    assert sorted(step for _, tag, step in found if tag == "batch_loss") == [2, 4, 6, 8]
    assert ("train", "model", 0) in found


def test_tensorboard_refuses_what_it_cannot():
    for options in (
        {"write_images": True}, {"profile_batch": 2}, {"embeddings_freq": 1}, {"update_freq": "step"},
        {"histogram_freq": -1}, {"update_freq": 0},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=next(iter(options))):
            TensorBoard(**options)
