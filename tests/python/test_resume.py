"""Training that is interrupted goes on to the bit: from a checkpoint, from a backup, after the process was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tauten
from resumable import KINDS, Kill, examples, made, outcome, train
from tauten import _core, layers
from tauten.callbacks import BackupAndRestore, Callback, EarlyStopping, History, ModelCheckpoint

EPOCH = 10  # batches of 16 in 160 samples


def same(one, two):
    assert one.keys() == two.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name], err_msg=name)


class Count(Callback):
    """Batches that a fit did itself."""

    def __init__(self):
        super().__init__()
        self.batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1


def through(kind, **options):
    model = made(kind)
    return outcome(model, train(kind, model, **options))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [1, 3])
def test_fit_after_load_model_goes_on(kind, threads, tmp_path):
    x, y = examples(kind)
    _core.set_num_threads(2)
    whole = made(kind)
    first = whole.fit(x, y, batch_size=16, epochs=4, verbose=0).history["loss"]

    part = made(kind)
    path = str(tmp_path / "{epoch}.safetensors")
    part.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[ModelCheckpoint(path)])
    tauten.utils.set_random_seed(77)  # what the process did meanwhile does not matter
    before = tauten.initializers.RandomUniform()((3,))
    tauten.utils.set_random_seed(77)
    _core.set_num_threads(threads)
    loaded = tauten.models.load_model(path.format(epoch=2))
    np.testing.assert_array_equal(tauten.initializers.RandomUniform()((3,)), before)  # nor does loading disturb it
    later = loaded.fit(x, y, batch_size=16, epochs=4, initial_epoch=2, verbose=0)
    assert later.epoch == [2, 3]
    assert later.history["loss"] == first[2:]
    for one, two in zip(whole.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_loaded_model_follows_a_seed_that_is_set_later(tmp_path):
    x, y = examples("cnn")
    model = made("cnn")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.safetensors")
    losses = []
    for seed in (3, 3, 4):
        loaded = tauten.models.load_model(tmp_path / "m.safetensors")
        tauten.utils.set_random_seed(seed)
        losses.append(loaded.fit(x, y, verbose=0).history["loss"])
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("save_freq", ["epoch", 3, EPOCH])
@pytest.mark.parametrize("after", [2, EPOCH + 4, 2 * EPOCH + 1])
def test_fit_goes_on_from_a_backup(kind, save_freq, after, tmp_path):
    model = made(kind)
    with pytest.raises(KeyboardInterrupt):
        train(kind, model, Kill(after), BackupAndRestore(tmp_path / "backups", save_freq))
    again, left = made(kind), Count()
    history = train(kind, again, left, BackupAndRestore(tmp_path / "backups", save_freq))
    every = EPOCH if save_freq == "epoch" else save_freq
    assert left.batches == 4 * EPOCH - (after - 1) // every * every  # it did not just begin anew
    got = outcome(again, history)
    same(through(kind), got)
    assert not (tmp_path / "backups").exists()


def test_any_number_of_threads_and_several_interruptions(tmp_path):
    for threads, after in ((1, 7), (3, 9), (2, 8)):
        _core.set_num_threads(threads)
        with pytest.raises(KeyboardInterrupt):
            train("cnn", made("cnn"), Kill(after), BackupAndRestore(tmp_path, save_freq=2))
    _core.set_num_threads(2)
    last = made("cnn")
    history = train("cnn", last, BackupAndRestore(tmp_path, save_freq=2))
    got = outcome(last, history)
    same(through("cnn"), got)


@pytest.mark.parametrize("steps", [4, 15])
def test_epochs_that_are_no_pass(steps, tmp_path):
    model = made("cnn")
    with pytest.raises(KeyboardInterrupt):
        train("cnn", model, Kill(2 * steps + 3), BackupAndRestore(tmp_path, save_freq=2), steps_per_epoch=steps)
    model = made("cnn")
    history = train("cnn", model, BackupAndRestore(tmp_path, save_freq=2), steps_per_epoch=steps)
    got = outcome(model, history)
    same(through("cnn", steps_per_epoch=steps), got)


class Batches(tauten.utils.PyDataset):
    """Real digits, batch by batch."""

    def __init__(self, **options):
        super().__init__(**options)
        self.x, self.y = examples("cnn")

    def __len__(self):
        return 12

    def __getitem__(self, i):
        return self.x[16 * i : 16 * i + 16], self.y[16 * i : 16 * i + 16]


class Walk:
    """The same, as what can only be walked through, again and again."""

    def __iter__(self):
        data = Batches()
        return (data[i] for i in range(12))


@pytest.mark.parametrize("data", [lambda: Batches(workers=0), lambda: Batches(workers=3), Walk], ids=["0", "3", "walk"])
@pytest.mark.parametrize("steps", [None, 5])
def test_batches_go_on_too(data, steps, tmp_path):
    def fit(model, *callbacks):
        return model.fit(data(), epochs=4, steps_per_epoch=steps, verbose=0, callbacks=[*callbacks])

    whole = made("cnn")
    expected = outcome(whole, fit(whole))
    with pytest.raises(KeyboardInterrupt):
        fit(made("cnn"), Kill(14), BackupAndRestore(tmp_path, save_freq=3))
    model = made("cnn")
    same(expected, outcome(model, fit(model, BackupAndRestore(tmp_path, save_freq=3))))


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_process(kind, tmp_path):
    script = Path(__file__).with_name("resumable.py")

    def run(folder, out, *kill):
        command = [sys.executable, str(script), kind, str(tmp_path / folder), str(tmp_path / out), *kill]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)

    killed = run("backups", "none.npz", str(EPOCH + 7))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (tmp_path / "backups" / "latest.safetensors").exists()
    assert not (tmp_path / "none.npz").exists()
    for folder, out in (("backups", "after.npz"), ("fresh", "whole.npz")):
        done = run(folder, out)
        assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "after.npz") as after, np.load(tmp_path / "whole.npz") as whole:
        same(dict(whole), dict(after))


def test_callbacks_remember(tmp_path):
    def callbacks():
        return [
            EarlyStopping("val_loss", patience=2, restore_best_weights=True, min_delta=0.05),
            ModelCheckpoint(tmp_path / "best.safetensors", save_best_only=True),
        ]

    whole = made("cnn")
    kept = callbacks()
    expected = outcome(whole, train("cnn", whole, *kept, epochs=12))
    assert len(expected["epochs"]) < 12
    with pytest.raises(KeyboardInterrupt):
        train("cnn", made("cnn"), *callbacks(), Kill(4 * EPOCH + 3), BackupAndRestore(tmp_path / "b"), epochs=12)
    model, again = made("cnn"), callbacks()
    same(expected, outcome(model, train("cnn", model, *again, BackupAndRestore(tmp_path / "b"), epochs=12)))
    assert again[1].best == kept[1].best
    assert (again[0].best, again[0].best_epoch) == (kept[0].best, kept[0].best_epoch)


def test_states_of_stateful_layers(tmp_path):
    from data import text

    numbers, _ = text(1200)
    x = (numbers.reshape(8, -1, 5, 1).transpose(1, 0, 2, 3).reshape(-1, 5, 1) / 40).astype(np.float32)
    y = x[:, -1] / 2

    def fit(*callbacks):
        tauten.utils.clear_session()
        tauten.utils.set_random_seed(1)
        model = tauten.Sequential([tauten.Input((5, 1)), layers.LSTM(4, stateful=True), layers.Dense(1)])
        model.compile("sgd", "mse")
        history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=[*callbacks])
        return outcome(model, history) | {f"state {i}": s for i, s in enumerate(model.layers[0].states)}

    expected = fit()
    with pytest.raises(KeyboardInterrupt):
        fit(Kill(40), BackupAndRestore(tmp_path, save_freq=7))
    same(expected, fit(BackupAndRestore(tmp_path, save_freq=7)))


def test_history_of_a_schedule_by_epochs(tmp_path):
    def schedule(epoch, rate):
        return rate * 0.5

    def callbacks():
        return [tauten.callbacks.LearningRateScheduler(schedule)]

    whole = made("cnn")
    expected = outcome(whole, train("cnn", whole, *callbacks()))
    with pytest.raises(KeyboardInterrupt):
        train("cnn", made("cnn"), *callbacks(), Kill(EPOCH + 5), BackupAndRestore(tmp_path, save_freq=2))
    model = made("cnn")
    same(expected, outcome(model, train("cnn", model, *callbacks(), BackupAndRestore(tmp_path, save_freq=2))))


# -- backups that do not fit


def interrupted(folder, kind="cnn", **options):
    with pytest.raises(KeyboardInterrupt):
        train(kind, made(kind), Kill(EPOCH + 5), BackupAndRestore(folder, save_freq=2), **options)


def test_another_model_is_refused(tmp_path):
    interrupted(tmp_path, "lstm")
    model = made("cnn")
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"latest.safetensors: .*other weights than 'cnn'.* Remove it"):
        train("cnn", model, BackupAndRestore(tmp_path))
    for one, two in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 8}, "16 samples a batch, now there are 8"),
        ({"validation_split": 0.5}, "160 samples or batches an epoch, now there are 100"),
        ({"shuffle": False}, "another shuffle="),
    ],
    ids=["batch", "samples", "shuffle"],
)
def test_other_data_within_an_epoch_are_refused(options, words, tmp_path):
    interrupted(tmp_path)
    model = made("cnn")
    state = tauten._random.state_of(tauten._random.generator())
    weights = model.get_weights()
    with pytest.raises(ValueError, match=words):
        train("cnn", model, BackupAndRestore(tmp_path), **options)
    assert tauten._random.state_of(tauten._random.generator()) == state
    for one, two in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert model.optimizer.iterations == 0
    assert len(train("cnn", model).epoch) == 4  # and usable


def test_a_damaged_backup(tmp_path):
    interrupted(tmp_path)
    path = tmp_path / "latest.safetensors"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ValueError, match="cut short"):
        train("cnn", made("cnn"), BackupAndRestore(tmp_path))


def test_the_backup_before_the_last(tmp_path):
    def backup():
        return BackupAndRestore(tmp_path, save_freq=2, double_checkpoint=True)

    with pytest.raises(KeyboardInterrupt):
        train("cnn", made("cnn"), Kill(EPOCH + 5), backup())
    (tmp_path / "latest.safetensors").write_bytes(b"damaged")
    model = made("cnn")
    with pytest.warns(UserWarning, match="the backup before it is taken"):
        history = train("cnn", model, backup())
    got = outcome(model, history)
    same(through("cnn"), got)
    assert not any(tmp_path.glob("*")) if tmp_path.exists() else True


def test_other_seeds_of_dropout_are_told(tmp_path):
    interrupted(tmp_path)
    with pytest.warns(UserWarning, match="set_random_seed"):
        train("cnn", made("cnn", seed=5), BackupAndRestore(tmp_path))


def test_names_of_layers_may_count_on(tmp_path):
    def model():
        made = tauten.Sequential([tauten.Input((64,)), layers.Dense(8, "relu"), layers.Dense(10, "softmax")])
        made.compile(tauten.optimizers.SGD(0.1, 0.9), "sparse_categorical_crossentropy")
        return made

    x, y = examples("cnn")
    x = x.reshape(-1, 64)
    with pytest.raises(KeyboardInterrupt):
        model().fit(x, y, epochs=3, verbose=0, callbacks=[Kill(9), BackupAndRestore(tmp_path, 1)])
    later = model()
    history = later.fit(x, y, epochs=3, verbose=0, callbacks=[BackupAndRestore(tmp_path, 1)])
    assert history.epoch == [0, 1, 2]
    assert later.optimizer.iterations == 21


def test_a_fit_that_had_ended_does_nothing_more(tmp_path):
    model = made("cnn")
    keep = BackupAndRestore(tmp_path, delete_checkpoint=False)
    first = train("cnn", model, keep)
    expected = outcome(model, first)
    again = made("cnn")
    second = train("cnn", again, BackupAndRestore(tmp_path, delete_checkpoint=False))
    same(expected, outcome(again, second))
    third = train("cnn", made("cnn"), BackupAndRestore(tmp_path), epochs=6)
    assert third.epoch == list(range(6))
    assert third.history["loss"][:4] == first.history["loss"]


def test_stopping_ends_the_fit_for_good(tmp_path):
    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    train("cnn", made("cnn"), Stop(), BackupAndRestore(tmp_path / "b", save_freq=1))
    assert not (tmp_path / "b").exists()


def test_not_in_evaluate(tmp_path):
    x, y = examples("cnn")
    history = made("cnn").fit(x, y, verbose=0, callbacks=[BackupAndRestore(tmp_path), History()])
    assert list(history.history) == ["accuracy", "loss"]
    with pytest.raises(ValueError, match="save_freq"):
        BackupAndRestore(tmp_path, save_freq="batch")
    with pytest.raises(ValueError, match="backup_dir"):
        BackupAndRestore("")
