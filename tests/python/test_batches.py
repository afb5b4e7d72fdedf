"""Data as batches: mapped arrays, objects that make batches by number, iterables; class weights; steps, validation."""

from __future__ import annotations

import threading
import traceback
import warnings

import numpy as np
import pytest

import tauten
from data import digits, text
from tauten import layers
from tauten._batches import MappedBatches, counted, is_mapped
from tauten.callbacks import Callback
from tauten.utils import PyDataset

SIZE = 32


def images(count=200):
    x, y = digits()
    return x[:count].reshape(count, 64).astype(np.float32), y[:count]


def made(metrics=("accuracy",)):
    tauten.utils.set_random_seed(3)
    model = tauten.Sequential(
        [tauten.Input((64,)), layers.Dense(16, "relu"), layers.Dropout(0.2), layers.Dense(10, "softmax")]
    )
    model.compile(tauten.optimizers.SGD(0.1, 0.9), "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def agree(one, two):
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Numbered(PyDataset):
    def __init__(self, x, y, weight=None, **options):
        super().__init__(**options)
        self.data = x, y, weight
        self.threads, self.calls = set(), []

    def __len__(self):
        return -(-len(self.data[0]) // SIZE)

    def __getitem__(self, i):
        self.threads.add(threading.get_ident())
        self.calls.append(i)
        rows = slice(SIZE * i, SIZE * (i + 1))
        return tuple(part[rows] for part in self.data if part is not None)


def listed(x, y):
    return [(x[i : i + SIZE], y[i : i + SIZE]) for i in range(0, len(x), SIZE)]


class Again:
    """Can be walked through again and again, but does not say how long it is."""

    def __init__(self, batches):
        self.batches, self.walks = batches, 0

    def __iter__(self):
        self.walks += 1
        return iter(self.batches)


# -- the same numbers from every kind


@pytest.mark.parametrize("shuffle", [False, True])
def test_mapped_arrays_give_the_same_bits(shuffle, tmp_path):
    x, y = images()
    weight = np.linspace(0.5, 2, len(x))
    whole = made()
    files = []
    for name, array in (("x", x), ("y", y), ("w", weight)):
        np.save(tmp_path / f"{name}.npy", array)
        files.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    options = {"epochs": 3, "verbose": 0, "shuffle": shuffle, "validation_split": 0.2}
    one = whole.fit(x, y, sample_weight=weight, class_weight={3: 2.0}, **options)
    mapped = made()
    two = mapped.fit(files[0], files[1], sample_weight=files[2], class_weight={3: 2.0}, **options)
    assert one.history == two.history
    agree(whole, mapped)
    np.testing.assert_array_equal(whole.predict(x), mapped.predict(files[0]))
    np.testing.assert_array_equal(whole.predict(x), mapped.predict(np.asarray(files[0])[:]))
    assert whole.evaluate(x, y, verbose=0) == mapped.evaluate(files[0], y, verbose=0)
    tauten.utils.set_random_seed(4)
    given = whole.fit(x, y, validation_data=(x, y), **options).history
    tauten.utils.set_random_seed(4)
    assert given == mapped.fit(files[0], y, validation_data=(files[0], files[1]), **options).history


def test_mapped_sequences_of_unequal_length(tmp_path):
    numbers, vocabulary = text(3000)
    flat = np.memmap(tmp_path / "text", dtype=np.int32, mode="w+", shape=(len(numbers),))
    flat[:] = numbers
    cuts = np.cumsum(np.random.default_rng(0).integers(2, 9, 300))
    mapped = np.split(flat, cuts)[:-1]
    lists = [np.array(part) for part in mapped]
    assert isinstance(mapped[5].base, np.memmap)
    y = np.array([len(part) > 5 for part in lists], dtype=np.float64)

    def fitted(x):
        tauten.utils.set_random_seed(2)
        model = tauten.Sequential(
            [tauten.Input((None,)), layers.Embedding(len(vocabulary), 4), layers.LSTM(5), layers.Dense(1, "sigmoid")]
        )
        model.compile("sgd", "binary_crossentropy")
        history = model.fit(x, y, epochs=2, verbose=0).history
        return model, history, model.predict(x)

    one, two = fitted(lists), fitted(mapped)
    assert one[1] == two[1]
    agree(one[0], two[0])
    np.testing.assert_array_equal(one[2], two[2])


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_objects_that_make_batches_by_number(workers):
    x, y = images()
    whole = made()
    one = whole.fit(x, y, epochs=3, verbose=0, shuffle=False, validation_data=(x, y), validation_batch_size=SIZE)
    data = Numbered(x, y, workers=workers)
    other = made()
    two = other.fit(data, epochs=3, verbose=0, shuffle=False, validation_data=Numbered(x, y))
    assert one.history == two.history
    agree(whole, other)
    assert (data.threads == {threading.get_ident()}) == (workers == 0)
    assert sorted(data.calls) == sorted(list(range(7)) * 3)
    np.testing.assert_array_equal(whole.predict(x), other.predict(data))
    assert whole.evaluate(x, y, verbose=0) == other.evaluate(data, verbose=0)


def test_their_order_is_shuffled_in_every_epoch():
    x, y = images()
    data = Numbered(x, y, workers=0)
    model = made()
    tauten.utils.set_random_seed(5)
    model.fit(data, epochs=3, verbose=0)
    orders = [tuple(data.calls[7 * i : 7 * i + 7]) for i in range(3)]
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert len({*orders, tuple(range(7))}) == 4
    again = Numbered(x, y, workers=0)
    tauten.utils.set_random_seed(5)
    model.fit(again, epochs=3, verbose=0)
    assert again.calls == data.calls


def test_iterables_and_generators():
    x, y = images()
    batches = listed(x, y)
    whole = made()
    one = whole.fit(x, y, epochs=3, verbose=0, shuffle=False)
    again = Again(batches)
    other = made()
    assert other.fit(again, epochs=3, verbose=0).history == one.history
    assert again.walks == 3
    agree(whole, other)
    other = made()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        generated = other.fit((batch for _ in range(3) for batch in batches), epochs=3, steps_per_epoch=7, verbose=0)
    assert generated.history == one.history
    agree(whole, other)
    other = made()
    other.fit(iter(batches), epochs=1, verbose=0)  # all of it is the one epoch
    assert other.optimizer.iterations == 7
    expected = whole.predict(x)
    for data in (Again([b[0] for b in batches]), (b[:1] for b in batches), iter(batches), Again(batches)):
        np.testing.assert_array_equal(whole.predict(data), expected)
    assert whole.evaluate(iter(batches), verbose=0) == whole.evaluate(x, y, verbose=0)


def test_a_model_is_built_for_the_first_batch():
    x, y = images()
    for data in (listed(x, y).__iter__(), Again(listed(x, y)), Numbered(x, y)):
        model = tauten.Sequential([layers.Dense(10, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        seen = []

        class Look(Callback):
            def on_train_begin(self, logs=None, seen=seen):
                seen.append(self.model.built)

        model.fit(data, verbose=0, callbacks=[Look()])
        assert seen == [True]
        assert model.optimizer.iterations == 7  # no batch was lost


def test_weights_in_the_batches():
    x, y = images()
    weight = np.linspace(0, 2, len(x))
    one = made()
    one.fit(x, y, sample_weight=weight, shuffle=False, verbose=0)
    two = made()
    two.fit(Numbered(x, y, weight), shuffle=False, verbose=0)
    agree(one, two)


def test_predictions_of_batches_of_sequences():
    model = tauten.Sequential([tauten.Input((None, 1)), layers.SimpleRNN(2, return_sequences=True)])
    x = [np.ones((n, 1), np.float32) * n for n in (3, 5, 2, 4)]
    whole = model.predict(x)
    for got in (model.predict((part,) for part in (x[:2], x[2:])), model.predict(np.stack([a]) for a in x)):
        assert isinstance(got, list)
        for one, two in zip(whole, got, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-6)


# -- steps


def test_steps_per_epoch_of_arrays_goes_on_through_the_data():
    x, y = images(100)
    parts = made()
    parts.fit(x, y, epochs=4, steps_per_epoch=2, batch_size=25, shuffle=False, verbose=0)
    whole = made()
    whole.fit(x, y, epochs=2, batch_size=25, shuffle=False, verbose=0)
    agree(whole, parts)
    more = made()
    more.fit(x, y, epochs=1, steps_per_epoch=8, batch_size=25, shuffle=False, verbose=0)
    agree(whole, more)
    shown = []

    class Steps(Callback):
        def on_train_begin(self, logs=None):
            shown.append(self.params["steps"])

    model = made()
    model.fit(x, y, steps_per_epoch=5, verbose=0, callbacks=Steps())  # as in Keras: batches of 20
    assert shown == [5]
    assert model.optimizer.iterations == 5


@pytest.mark.parametrize("kind", [Again, lambda batches: Numbered(*map(np.concatenate, zip(*batches, strict=True)))])
def test_steps_per_epoch_of_batches_goes_on_too(kind):
    x, y = images(7 * SIZE)
    whole = made()
    whole.fit(x, y, epochs=2, shuffle=False, verbose=0)
    parts = made()
    parts.fit(kind(listed(x, y)), epochs=7, steps_per_epoch=2, shuffle=False, verbose=0)
    agree(whole, parts)


def test_an_iterator_that_runs_dry_ends_the_training():
    x, y = images()
    batches = listed(x, y)
    model = made()
    with pytest.warns(UserWarning, match=r"ran out of batches before epoch 2 of 5; training ends here"):
        history = model.fit(iter(batches), epochs=5, verbose=0)
    assert history.epoch == [0]
    assert model.optimizer.iterations == 7
    with pytest.warns(UserWarning, match=r"after 2 of 5 batches of epoch 2"):
        history = model.fit(iter(batches), epochs=5, steps_per_epoch=5, verbose=0)
    assert history.epoch == [0, 1]
    with pytest.raises(ValueError, match="no batches"):
        model.fit(iter([]), verbose=0)
    for data in (Again([]), Numbered(x[:0], y[:0])):
        with pytest.raises(ValueError, match="no batches"):
            model.fit(data, verbose=0, steps_per_epoch=3)
    for call in (model.evaluate, model.predict):
        with pytest.raises(ValueError, match="no batches"):
            call(iter([]), verbose=0)


class Endless(PyDataset):
    num_batches = None

    def __init__(self, x, y):
        super().__init__()
        self.data, self.calls = (x, y), []

    def __getitem__(self, i):
        self.calls.append(i)
        return tuple(part[i % 5 * 20 :][:20] for part in self.data)


def test_data_without_an_end_need_steps():
    x, y = images(100)
    model = made()
    with pytest.raises(ValueError, match="without an end needs steps_per_epoch"):
        model.fit(Endless(x, y), verbose=0)
    data = Endless(x, y)
    model.fit(data, epochs=3, steps_per_epoch=4, verbose=0)
    assert data.calls == list(range(12))
    assert model.predict(Endless(x, y), steps=5).shape == (100, 10)


def test_steps_of_evaluate_and_predict():
    x, y = images(100)
    model = made()
    batches = listed(x, y)
    np.testing.assert_array_equal(model.predict(x, steps=2, batch_size=SIZE), model.predict(x[:64]))
    np.testing.assert_array_equal(model.predict(iter(batches), steps=2), model.predict(x[:64]))
    assert model.predict(x, steps=99, batch_size=50).shape == (100, 10)
    assert model.evaluate(x, y, steps=2, batch_size=SIZE, verbose=0) == model.evaluate(x[:64], y[:64], verbose=0)
    assert model.evaluate(Numbered(x, y), steps=2, verbose=0) == model.evaluate(x[:64], y[:64], verbose=0)
    endless = (batches[i % 4] for i in iter(int, 1))
    assert np.isfinite(model.evaluate(endless, steps=3, verbose=0)).all()


# -- validation


@pytest.mark.parametrize("data", ["arrays", "generator", "numbered", "iterable"])
def test_validation_on_every_kind(data):
    x, y = images(100)
    kinds = {
        "arrays": ((x, y), {"validation_batch_size": SIZE}),
        "generator": ((batch for _ in iter(int, 1) for batch in listed(x, y)), {"validation_steps": 4}),
        "numbered": (Numbered(x, y), {}),
        "iterable": (Again(listed(x, y)), {}),
    }
    given, options = kinds[data]
    model = made()
    history = model.fit(x, y, epochs=2, verbose=0, validation_data=given, **options).history
    assert history["val_loss"][-1] == model.evaluate(x, y, verbose=0)[0]


def test_validation_steps_are_the_first_ones():
    x, y = images(100)
    model = made()
    history = model.fit(x, y, verbose=0, validation_data=(x, y), validation_steps=2, validation_batch_size=20).history
    assert history["val_loss"][-1] == model.evaluate(x[:40], y[:40], batch_size=20, verbose=0)[0]
    history = model.fit(x, y, verbose=0, validation_data=Numbered(x, y), validation_steps=2).history
    assert history["val_loss"][-1] == model.evaluate(x[:64], y[:64], verbose=0)[0]


def test_validation_that_runs_dry_is_left_out():
    x, y = images(100)
    with pytest.warns(UserWarning, match="validation_data ran out of batches before epoch 2"):
        history = made().fit(x, y, epochs=2, verbose=0, validation_data=iter(listed(x, y))).history
    assert len(history["val_loss"]) == 1
    assert len(history["loss"]) == 2


@pytest.mark.parametrize(("freq", "epochs"), [(2, [1, 3]), ([1, 4], [0, 3]), ((5,), [4])])
def test_validation_freq(freq, epochs):
    x, y = images(64)
    seen = []

    class Look(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if "val_loss" in logs:
                seen.append(epoch)

    made().fit(x, y, epochs=5, verbose=0, validation_split=0.5, validation_freq=freq, callbacks=Look())
    assert seen == epochs


# -- class weights


def test_class_weight_is_a_sample_weight():
    x, y = images(100)
    weights = {0: 2.0, 3: 0.5, 8: 0.0}
    own = np.array([weights.get(label, 1.0) for label in y])
    given = np.linspace(0.5, 1.5, 100)
    for extra in (None, given):
        one = made()
        one.fit(x, y, sample_weight=own if extra is None else own * extra, verbose=0)
        two = made()
        two.fit(x, y, class_weight=weights, sample_weight=extra, verbose=0)
        agree(one, two)
        three = made()
        three.fit(x, y[:, None], class_weight=weights, sample_weight=extra, verbose=0)
        agree(one, three)


def test_class_weight_of_one_hot_targets_and_batches():
    x, y = images(96)
    hot = tauten.utils.to_categorical(y, 10)

    def model():
        made_ = made()
        made_.compile(tauten.optimizers.SGD(0.1), "categorical_crossentropy")
        return made_

    one = model()
    one.fit(x, hot, sample_weight=np.where(y == 4, 3.0, 1.0), shuffle=False, verbose=0)
    two = model()
    two.fit(x, hot, class_weight={4: 3}, shuffle=False, verbose=0)
    agree(one, two)
    three = model()
    three.fit(iter(listed(x, hot)), class_weight={4: 3}, verbose=0)
    agree(one, three)
    single = made()
    single.train_on_batch(x, y, class_weight={4: 3})
    other = made()
    other.train_on_batch(x, y, np.where(y == 4, 3.0, 1.0))
    agree(single, other)


def test_class_weight_of_steps():
    numbers, _ = text(400)
    vowels = np.isin(numbers, np.unique(numbers)[::3]).astype(np.int64)
    cuts = np.cumsum([3, 7, 5, 9, 4, 6, 8])
    x = [part[:, None] / 40 for part in np.split(numbers, cuts)[:-1]]
    y = np.split(vowels, cuts)[:-1]

    def fitted(**options):
        tauten.utils.set_random_seed(0)
        model = tauten.Sequential(
            [tauten.Input((None, 1)), layers.LSTM(3, return_sequences=True), layers.Dense(2, "softmax")]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y, verbose=0, epochs=2, **options)
        return model

    steps = [np.where(part == 1, 4.0, 1.0) for part in y]
    agree(fitted(class_weight={1: 4.0}), fitted(sample_weight=steps))
    each = np.linspace(1, 2, len(x))
    both = [w * e for w, e in zip(steps, each, strict=True)]
    agree(fitted(class_weight={1: 4.0}, sample_weight=each), fitted(sample_weight=both))


def test_validation_split_is_not_weighted_by_classes():
    x, y = images(100)
    plain = made()
    plain.optimizer.learning_rate = 0.0
    one = plain.fit(x, y, validation_split=0.5, verbose=0).history
    weighted = made()
    weighted.optimizer.learning_rate = 0.0
    two = weighted.fit(x, y, validation_split=0.5, class_weight=dict.fromkeys(range(10), 3.0), verbose=0).history
    assert one["val_loss"] == two["val_loss"]
    assert two["loss"][0] == pytest.approx(3 * one["loss"][0], rel=1e-2)


# -- errors


def test_what_a_generator_raises_comes_out_with_its_traceback():
    x, y = images()

    def broken():
        yield x[:SIZE], y[:SIZE]
        raise OSError("the disk is gone")

    model = made()
    with pytest.raises(OSError, match="the disk is gone") as info:
        model.fit(broken(), verbose=0)
    assert "broken" in "".join(traceback.format_tb(info.value.__traceback__))
    assert model.optimizer.iterations == 1

    class Broken(Numbered):
        def __getitem__(self, i):
            if i == 3:
                raise OSError("the disk is gone")
            return super().__getitem__(i)

    for workers in (0, 1, 3):
        model = made()
        with pytest.raises(OSError, match="the disk is gone") as info:
            model.fit(Broken(x, y, workers=workers), shuffle=False, verbose=0)
        assert "__getitem__" in "".join(traceback.format_tb(info.value.__traceback__))
        assert model.optimizer.iterations == 3  # what came before it was used
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tauten")]


def test_threads_end_with_the_fit():
    x, y = images()

    class Stop(Callback):
        def __init__(self, error):
            super().__init__()
            self.error = error

        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True
            if self.error:
                raise KeyboardInterrupt

    for error in (False, True):
        model, data = made(), Numbered(x, y, workers=2)
        if error:
            with pytest.raises(KeyboardInterrupt):
                model.fit(data, verbose=0, callbacks=Stop(error))
        else:
            model.fit(data, verbose=0, callbacks=Stop(error))
        for thread in threading.enumerate():
            if thread.name.startswith("tauten"):
                thread.join(5)
                assert not thread.is_alive()
        assert np.isfinite(model.fit(data, verbose=0).history["loss"][0])


def test_epoch_hooks_of_a_data_set():
    x, y = images()

    class Hooked(Numbered):
        def __init__(self, *data, **options):
            super().__init__(*data, **options)
            self.events = []

        def on_epoch_begin(self):
            self.events.append("begin")

        def on_epoch_end(self):
            self.events.append(len(self.calls))

    data = Hooked(x, y, workers=2)
    made().fit(data, epochs=2, verbose=0)
    assert data.events == ["begin", 7, "begin", 14]


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (lambda x, y: x, r"batch 2: expected \(x, y\) or \(x, y, sample_weight\), got ndarray without y"),
        (lambda x, y: (x,), r"batch 2: .* got tuple without y"),
        (lambda x, y: (x, y, None, 3), r"batch 2: .* got a tuple of 4"),
        (lambda x, y: (x[:, :5], y), r"batch 2: x: expected samples of shape \(64,\)"),
        (lambda x, y: (x, y + 9), r"batch 2: y .*expected class numbers"),
        (lambda x, y: (x, y[1:]), r"batch 2: y: expected as many samples as x has, 32, got 31"),
        (lambda x, y: (x * np.nan, y), r"batch 2: x: 32 of 32 samples hold NaN"),
        (lambda x, y: (x[:0], y[:0]), r"batch 2: x: no samples"),
    ],
)
def test_a_bad_batch(batch, words):
    x, y = images(64)
    model = made()
    data = [(x[:32], y[:32]), batch(x[32:], y[32:])]
    with pytest.raises(ValueError, match=words):
        model.fit(iter(data), verbose=0)
    assert model.optimizer.iterations == 1
    with pytest.raises(ValueError, match="validation_data: " + words):
        model.fit(x, y, verbose=0, validation_data=iter(data))


def test_bad_mapped_arrays(tmp_path):
    x, y = images(100)
    file = np.memmap(tmp_path / "x", dtype=np.float32, mode="w+", shape=x.shape)
    file[:] = x
    model = made()
    with pytest.raises(ValueError, match="y: expected as many samples as x has, 100, got 99"):
        model.fit(file, y[1:], verbose=0)
    assert model.optimizer.iterations == 0
    file[70] = np.inf
    with pytest.raises(ValueError, match="batch 3: x: 1 of 32 samples hold NaN or infinity"):
        model.fit(file, y, shuffle=False, verbose=0)
    assert model.optimizer.iterations == 2
    assert np.isfinite(model.get_weights()[0]).all()
    wrong = np.concatenate([y[:80], y[80:] + 10])
    with pytest.raises(ValueError, match="batch 3: y"):
        model.fit(file[:64], wrong[:64] * 0 + np.arange(64) // 40 * 11, batch_size=20, shuffle=False, verbose=0)


def test_arguments_that_batches_do_not_take():
    x, y = images(64)
    model = made()
    for options, word in (
        ({"y": y}, "y: a Numbered as x gives batches"),
        ({"sample_weight": y}, "sample_weight"),
        ({"batch_size": 3}, "batch_size"),
        ({"validation_split": 0.5}, "validation_split needs arrays"),
    ):
        with pytest.raises(ValueError, match=word):
            model.fit(Numbered(x, y), verbose=0, **options)
    with pytest.raises(ValueError, match="batch_size"):
        model.fit(x, y, verbose=0, validation_data=Numbered(x, y), validation_batch_size=4)
    with pytest.raises(ValueError, match="batch_size"):
        model.predict(Numbered(x, y), batch_size=3)
    with pytest.raises(ValueError, match="use_multiprocessing"):
        Numbered(x, y, use_multiprocessing=True)
    foreign = Numbered(x, y)
    foreign.use_multiprocessing = True
    with pytest.raises(ValueError, match="use_multiprocessing"):
        model.fit(foreign, verbose=0)
    for name in ("steps_per_epoch", "validation_steps", "batch_size"):
        with pytest.raises(ValueError, match=name):
            model.fit(x, y, verbose=0, **{name: 0})
    for freq in (0, [0], "1", 1.5):
        with pytest.raises((ValueError, TypeError), match="validation_freq"):
            model.fit(x, y, verbose=0, validation_freq=freq)
    for bad in ([1, 2], {"a": 1}, {-1: 1.0}, {0: np.nan}, {}):
        with pytest.raises((ValueError, TypeError), match="class_weight"):
            model.fit(x, y, verbose=0, class_weight=bad)
    assert model.optimizer.iterations == 0


def test_mapped_arrays_for_several_inputs_and_outputs(tmp_path):
    x, y = images(10)
    file = np.memmap(tmp_path / "x", dtype=np.float32, mode="w+", shape=x.shape)
    file[:] = x
    data = ({"a": file, "b": list(x)}, (y, file), None)
    assert all(map(is_mapped, data[:2]))
    several = (True, True, False)
    kept, samples = counted(data, "", several)
    assert samples == 10
    batches = MappedBatches(kept, lambda *item: (item, None), np.arange(8), 3, None, None, several=several)
    seen = [item for item, _ in batches.epoch()]
    assert [len(item[1][0]) for item in seen] == [3, 3, 2]
    np.testing.assert_array_equal(np.concatenate([item[0]["a"] for item in seen]), x[:8])
    np.testing.assert_array_equal(np.concatenate([item[0]["b"] for item in seen]), x[:8])
    np.testing.assert_array_equal(np.concatenate([item[1][0] for item in seen]), y[:8])
    np.testing.assert_array_equal(np.concatenate([item[1][1] for item in seen]), x[:8])
    with pytest.raises(ValueError, match=r"y\[1\]: expected as many samples as x has, 10, got 9"):
        counted((data[0], (y, file[1:]), None), "", several)
    with pytest.raises(ValueError, match=r"x\['b'\]: expected as many samples as x has, 10, got 4"):
        counted(({"a": file, "b": x[:4]}, (y, file), None), "", several)


# -- what is shown


def test_bars_over_batches(capsys):
    x, y = images(100)
    batches = listed(x, y)
    model = made()
    model.fit(Again(batches), epochs=2, verbose=1)
    shown = capsys.readouterr().out.replace("\r", "\n").strip().splitlines()
    assert "4/4" in shown[-1] and " batches/s" in shown[-1]  # known since the first epoch
    assert "/4" not in [line for line in shown if "Epoch 1/2" in line][-1]
    model.fit(iter(batches * 2), steps_per_epoch=4, epochs=2, verbose=1)
    assert "Epoch 2/2: 100%" in capsys.readouterr().out
    model.fit(iter(batches), verbose=2)
    assert "samples/s" in capsys.readouterr().out
    model.predict(iter(batches), verbose=1)
    assert "4 batches" in capsys.readouterr().out
