"""utils that make data ready, tauten.random, and data sets from files."""

from __future__ import annotations

import gzip
import json
import pickle

import numpy as np
import pytest

from tauten import datasets, random, utils


def test_pad_sequences():
    given = [[1, 2, 3], [], [4]]
    np.testing.assert_array_equal(utils.pad_sequences(given), [[1, 2, 3], [0, 0, 0], [0, 0, 4]])
    found = utils.pad_sequences(given, 2, "float32", padding="post", truncating="post", value=-1)
    np.testing.assert_array_equal(found, [[1, 2], [-1, -1], [4, -1]])
    np.testing.assert_array_equal(utils.pad_sequences(given, 2)[0], [2, 3])
    assert utils.pad_sequences([np.ones((2, 3)), np.ones((1, 3))]).shape == (2, 2, 3)
    for bad in (lambda: utils.pad_sequences(given, padding="in"), lambda: utils.pad_sequences([1, 2])):
        with pytest.raises(ValueError, match="pad_sequences"):
            bad()


def test_normalize():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(utils.normalize(x), [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(utils.normalize(x, axis=0, order=1), [[1, 1], [0, 0]])


def test_windows():
    made = utils.timeseries_dataset_from_array(np.arange(20), np.arange(20) * 10, 3, 2, 4, 4, start_index=1)
    batches = [made[i] for i in range(len(made))]
    x, y = (np.concatenate(each) for each in zip(*batches, strict=True))
    np.testing.assert_array_equal(x, 1 + np.arange(0, 11, 2)[:, None] + [0, 4, 8])
    np.testing.assert_array_equal(y, (1 + np.arange(0, 11, 2)) * 10)
    assert repr(made) == "<6 windows of shape (3,), targets of shape (), in batches of 4>"
    for count, windows in ((1, 4), (9, 6)):
        part = made.take(count)
        np.testing.assert_array_equal(np.concatenate([x for x, _ in part]), x[:windows])
    assert "(2, 5), in" in repr(utils.timeseries_dataset_from_array(np.zeros((9, 5)), None, 2))
    with pytest.raises(ValueError, match="take: count: expected at least 1, got 0"):
        made.take(0)
    mixed = utils.timeseries_dataset_from_array(np.arange(9), None, 2, shuffle=True, seed=1)[0]
    np.testing.assert_array_equal(np.sort(mixed[:, 0]), np.arange(8))
    with pytest.raises(ValueError, match="no window"):
        utils.timeseries_dataset_from_array(np.arange(3), None, 4)


def test_split_and_batches():
    x, y = np.arange(10), np.arange(10) * 2
    (a, b), (c, d) = utils.split_dataset((x, y), right_size=3)
    np.testing.assert_array_equal(np.r_[a, c], x)
    assert len(c) == 3 and (b == 2 * a).all() and (d == 2 * c).all()
    left, right = utils.split_dataset(x, left_size=0.5, shuffle=True, seed=0)
    assert sorted([*left, *right]) == list(range(10)) and len(left) == 5
    for sizes in ({}, {"left_size": 8, "right_size": 3}, {"left_size": 0.0}):
        with pytest.raises(ValueError, match="split_dataset"):
            utils.split_dataset(x, **sizes)
    assert utils.unpack_x_y_sample_weight(utils.pack_x_y_sample_weight(1, 2)) == (1, 2, None)


def test_random():
    for make in (
        lambda seed: random.normal((5, 2), seed=seed), lambda seed: random.uniform((5,), 2, 3, seed=seed),
        lambda seed: random.truncated_normal((50,), seed=seed), lambda seed: random.randint((50,), 0, 9, seed=seed),
        lambda seed: random.gamma((5,), 2.0, seed=seed), lambda seed: random.beta((5,), 2.0, 3.0, seed=seed),
        lambda seed: random.binomial((9,), 20, 0.5, seed=seed), lambda seed: random.shuffle(np.arange(9), seed=seed),
        lambda seed: random.categorical(np.zeros((2, 9)), 20, seed=seed),
        lambda seed: random.dropout(np.ones(30), 0.5, seed=seed),
    ):  # fmt: skip
        np.testing.assert_array_equal(make(3), make(3))
        assert not np.array_equal(make(3), make(4))
        seeds = random.SeedGenerator(1)
        assert not np.array_equal(make(seeds), make(seeds))
        utils.set_random_seed(1)
        first = make(None)
        utils.set_random_seed(1)
        np.testing.assert_array_equal(first, make(None))
    assert np.abs(random.truncated_normal((999,), seed=1)).max() <= 2
    assert (random.categorical([[0.0, 1000.0]], 9) == 1).all()


def test_data_sets_from_files(tmp_path, monkeypatch):
    monkeypatch.setenv("TAUTEN_DATA", str(tmp_path))
    rng = np.random.default_rng(0)
    with pytest.raises(FileNotFoundError, match=r"mnist.*does not download"):
        datasets.mnist.load_data("no_such_mnist.npz")
    arrays = {name: rng.integers(0, 255, 4, np.uint8) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(tmp_path / "mnist.npz", **arrays)
    np.testing.assert_array_equal(datasets.mnist.load_data()[1][0], arrays["x_test"])
    texts = np.empty(6, object)
    texts[:] = [[1, 5, 9], [2, 3], [4], [7, 8], [1], [2, 2, 2, 2]]
    np.savez(tmp_path / "reuters.npz", x=texts, y=np.arange(6))
    (x, y), (u, v) = datasets.reuters.load_data(num_words=9, maxlen=5, test_split=0.4)
    assert len(x) == 3 and len(u) == 2 and all(text[0] == 1 for text in x)
    for text, label in zip([*x, *u], [*y, *v], strict=True):
        assert text[1:] == [word + 3 if word + 3 < 9 else 2 for word in texts[label]]
    np.savez(tmp_path / "imdb.npz", x_train=texts, y_train=np.arange(6), x_test=texts, y_test=np.arange(6))
    assert [len(part[0]) for part in datasets.imdb.load_data()] == [6, 6]
    (tmp_path / "imdb_word_index.json").write_text(json.dumps({"film": 1}))
    assert datasets.imdb.get_word_index() == {"film": 1} and len(datasets.reuters.get_label_names()) == 46
    np.savez(tmp_path / "california_housing.npz", x=np.zeros((10, 8)), y=np.arange(10))
    assert datasets.california_housing.load_data()[1][1].shape == (2,)
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    for part in ("train", "t10k"):
        for kind, head in (("images-idx3", (3, 2, 28, 28)), ("labels-idx1", (1, 2))):
            content = bytes([0, 0, 8, head[0]]) + np.array(head[1:], ">u4").tobytes() + bytes(int(np.prod(head[1:])))
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
    assert datasets.fashion_mnist.load_data()[0][0].shape == (2, 28, 28)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    batch = pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, 2]})
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (folder / name).write_bytes(batch)
    (x, y), _ = datasets.cifar10.load_data()
    assert x.shape == (10, 32, 32, 3) and y.shape == (10, 1)
    (folder / "test_batch").write_bytes(pickle.dumps(pickle.Unpickler))
    with pytest.raises(ValueError, match="arrays and lists only"):
        datasets.cifar10.load_data()
