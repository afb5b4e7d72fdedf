"""Files: round trips, damage, and a save that dies half-way."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import tauten
from tauten import layers


def make(dtype="float32", momentum=0.9):
    tauten.config.set_floatx(dtype)
    try:
        model = tauten.Sequential(
            [
                tauten.Input((6, 6, 1)),
                layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2"),
                layers.Flatten(),
                layers.Dropout(0.3),
                layers.Dense(4, "softmax"),
            ]
        )
    finally:
        tauten.config.set_floatx("float32")
    model.compile(
        tauten.optimizers.SGD(0.05, momentum, nesterov=momentum > 0), "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )  # fmt: skip
    return model


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 6, 6, 1)).astype(np.float32), rng.integers(0, 4, 40)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def header_of(path):
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["tauten"])


def rewrite(path, change_header=None, change_tensors=None):
    header, tensors = header_of(path), load_file(path)
    if change_header:
        change_header(header)
    if change_tensors:
        change_tensors(tensors)
    save_file(tensors, path, {"tauten": json.dumps(header)})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_round_trip_goes_on_training_bit_for_bit(dtype, momentum, data, path):
    x, y = data
    model = make(dtype, momentum)
    model.fit(x, y, batch_size=16, epochs=2, verbose=0)
    model.save(path)
    twin = tauten.models.load_model(path)
    assert twin.dtype == dtype
    np.testing.assert_array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    assert twin.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    assert twin.optimizer.iterations == model.optimizer.iterations == 6
    assert twin.optimizer.get_config() == model.optimizer.get_config()
    for one in (model, twin):
        one.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_optimizer_and_without_compile(data, path):
    x, y = data
    model = make()
    model.fit(x, y, verbose=0)
    model.save(path, include_optimizer=False)
    assert not [name for name in load_file(path) if name.startswith("optimizer/")]
    twin = tauten.models.load_model(path)
    assert twin.compiled
    assert twin.optimizer.iterations == 0
    assert not tauten.models.load_model(path, compile=False).compiled
    assert not tauten.Sequential.from_config(model.get_config()).compiled


def test_the_file_is_plain(path):
    model = make()
    model.save(path)
    header = header_of(path)
    assert header["format_version"] == 1
    assert header["weights"] == [w.path for w in model.weights]
    for variable in model.weights:
        np.testing.assert_array_equal(load_file(path)[variable.path], variable.numpy())
    assert oct(stat.S_IMODE(os.stat(path).st_mode)) == oct(0o666 & ~_umask())
    os.chmod(path, 0o600)
    model.save(path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert os.listdir(path.parent) == [path.name]


def test_weights_alone(data, path):
    x, _ = data
    model, twin = make(), make()
    model.save_weights(path)
    assert not np.array_equal(model.predict(x, verbose=0), twin.predict(x, verbose=0))
    twin.load_weights(path)  # other automatic names, same architecture
    np.testing.assert_array_equal(model.predict(x, verbose=0), twin.predict(x, verbose=0))
    with pytest.raises(ValueError, match=r"no architecture.*load_weights"):
        tauten.models.load_model(path)
    twin = make()
    model.save(path)
    twin.load_weights(path)
    np.testing.assert_array_equal(model.predict(x, verbose=0), twin.predict(x, verbose=0))


def test_weights_of_another_architecture_change_nothing(path):
    make().save_weights(path)
    other = tauten.Sequential([tauten.Input((6, 6, 1)), layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(5)])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"expected shape \(48, 5\)"):
        other.load_weights(path)
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="4 weights, but model"):
        tauten.Sequential([tauten.Input((2,)), layers.Dense(1)]).load_weights(path)


def test_overwrite_and_links(path, tmp_path):
    model = make()
    model.save(path)
    with pytest.raises(FileExistsError, match="overwrite=False"):
        model.save(path, overwrite=False)
    link = tmp_path / "link.safetensors"
    link.symlink_to(path)
    model.set_weights([w + 1 for w in model.get_weights()])
    model.save(link)
    assert link.is_symlink()
    np.testing.assert_array_equal(tauten.models.load_model(path).get_weights()[0], model.get_weights()[0])


NAMES = {"model.keras": "model", "w.weights.h5": "w.weights", "model.pt": "model", "model.v2": "model.v2", "m": "m"}


@pytest.mark.parametrize("name", NAMES)
def test_other_endings_are_refused(name, tmp_path):
    model = make()
    for act in (model.save, model.save_weights):
        with pytest.raises(ValueError, match=r"end in '\.safetensors'") as info:
            act(tmp_path / name)
        assert str(info.value).endswith(f": save as {tmp_path / NAMES[name]}.safetensors")
    for act in (model.load_weights, tauten.models.load_model):
        with pytest.raises(ValueError, match=r"end in '\.safetensors'") as info:
            act(tmp_path / name)
        assert ("set_weights" in str(info.value)) == name.endswith((".keras", ".h5", ".pt"))
        assert "save as" not in str(info.value)
    assert os.listdir(tmp_path) == []


def test_unbuilt_models_and_functions_cannot_be_saved(path):
    with pytest.raises(ValueError, match="needs the weights"):
        tauten.Sequential([layers.Dense(1)]).save(path)
    model = tauten.Sequential([tauten.Input((2,)), layers.Dense(1, kernel_initializer=lambda s, dtype: np.ones(s))])
    with pytest.raises(ValueError, match="cannot be written"):
        model.save(path)
    assert not path.exists()


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        tauten.models.load_model(tmp_path / "none.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    for folder in (tmp_path, tmp_path / "folder.safetensors"):
        for act in (tauten.models.load_model, make().save, make().save_weights, make().load_weights):
            with pytest.raises(IsADirectoryError, match="expected a file, got a folder"):
                act(folder)


def test_folders_are_not_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for act in (make().save, make().save_weights):
        with pytest.raises(FileNotFoundError, match=r"^no/such/m.safetensors: no such folder: no/such; make it first$"):
            act("no/such/m.safetensors")
    assert os.listdir(tmp_path) == []
    make().save("m.safetensors")


@pytest.mark.parametrize("keep", [0, 4, 8, 60, -4, -1])
def test_cut_short(keep, path):
    make().save(path)
    content = path.read_bytes()
    path.write_bytes(content[:keep])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        tauten.models.load_model(path)


def test_not_safetensors(path):
    path.write_bytes(b"PK\x03\x04" + bytes(200))
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        tauten.models.load_model(path)


def test_safetensors_of_another_library(path):
    save_file({"weight": np.zeros((2, 2), np.float32)}, path, {"format": "pt"})
    with pytest.raises(ValueError, match=r"not Tauten's.*set_weights"):
        tauten.models.load_model(path)


def _drop(tensors):
    del tensors[next(name for name in tensors if name.endswith("bias"))]


def _extra(tensors):
    tensors["stray"] = np.zeros(3, np.float32)


def _reshape(tensors):
    name = next(name for name in tensors if name.endswith("bias"))
    tensors[name] = np.zeros(99, np.float32)


def _poison(tensors):
    next(value for name, value in tensors.items() if name.endswith("/kernel") and "conv" in name)[0] = np.nan


def _integers(tensors):
    tensors.update({name: value.astype(np.int64) for name, value in tensors.items() if name.endswith("bias")})


def _shorten(header):
    header["weights"].pop()


@pytest.mark.parametrize(
    ("header", "tensors", "words"),
    [
        (None, _drop, "tensors missing"),
        (None, _extra, "unexpected: .*stray"),
        (None, _reshape, r"got \(99,\)"),
        (lambda h: h.update(format_version=99), None, "newer than this Tauten"),
        (lambda h: h.update(format_version="1"), None, "no format version"),
        (lambda h: h.update(format_version=True), None, "no format version"),
        (lambda h: h.pop("format_version"), None, "no format version"),
        (lambda h: h.pop("weights"), None, "lists no weights"),
        (_shorten, None, "unexpected"),
        (lambda h: h.pop("model"), None, "cannot be built"),
        (lambda h: h["model"].update(dtype="float16"), None, "float16"),
        (lambda h: h["model"]["layers"][1].update(class_name="Quantum"), None, "'Quantum' is not known"),
        (lambda h: h["model"]["layers"][1]["config"].update(filters=-3), None, "filters"),
        (lambda h: h["model"]["layers"][1]["config"].update(spin=1), None, "spin"),
        (lambda h: h["model"]["layers"][1]["config"].update(filters=2**62), None, "cannot be built"),
        (lambda h: h["model"]["layers"].pop(), None, "not its architecture's"),
        (lambda h: h["compile"].update(loss="ctc"), None, "state of training"),
        (lambda h: h["training"].update(iterations="many"), None, "state of training"),
        (lambda h: h["training"].update(iterations=float("inf")), None, "Infinity"),
        (lambda h: h["training"].update(iterations=10**30), None, "iterations: expected at most"),
        (lambda h: h["training"].update(calls=-1), None, "calls: expected at least 0"),
        (lambda h: h.update(training=[1]), None, "state of training"),
        (lambda h: h.update(compile=[1]), None, "state of training"),
        (lambda h: h["model"]["layers"][0]["config"].update(shape=[10**30]), None, "Input: shape: expected at most"),
        (lambda h: h["model"]["layers"][3]["config"].update(seed=10**30), None, "Dropout: seed"),
        (lambda h: h["model"]["layers"][4]["config"].update(units=10**30), None, "Dense: units: expected at most"),
        (lambda h: h["model"]["layers"][4]["config"].update(name="a\ud800"), None, "Unicode"),
        (lambda h: h["model"].update(layers=["x" * 10000]), None, "cannot be built"),
        (None, _poison, "conv.*/kernel"),
        (None, _integers, "dtype I64"),
    ],
)
def test_damage_is_named(header, tensors, words, data, path):
    model = make()
    model.train_on_batch(*data)
    model.save(path)
    rewrite(path, header, tensors)
    with pytest.raises(ValueError, match=words) as info:
        tauten.models.load_model(path)
    assert path.name in str(info.value)
    assert len(str(info.value)) < 1000


def test_a_header_nested_without_end(path):
    save_file({"w": np.zeros(1, np.float32)}, path, {"tauten": "[" * 100_000 + "]" * 100_000})
    with pytest.raises(ValueError, match="header is damaged"):
        tauten.models.load_model(path)


def test_a_type_that_numpy_has_not(path):
    make().save(path)
    header = json.dumps({"w": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]},
                         "__metadata__": {"tauten": json.dumps(header_of(path) | {"weights": ["w"]})}})  # fmt: skip
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + b"\0\0")
    with pytest.raises(ValueError, match="'w' has dtype BF16"):
        tauten.models.load_model(path)


def test_a_model_without_momentum_saves_weights_alone(data, path):
    model = make(momentum=0.0)
    model.fit(*data, verbose=0)
    model.save(path)
    assert sorted(load_file(path)) == sorted(w.path for w in model.weights)


def test_paths_of_bytes_and_long_names(tmp_path):
    model = make()
    path = tmp_path / ("n" * 243 + ".safetensors")  # 255 bytes, the most that file systems take
    for given in (os.fsencode(path), str(path)):
        model.save(given)
        np.testing.assert_array_equal(tauten.models.load_model(given).get_weights()[0], model.get_weights()[0])
        model.load_weights(given)
    assert os.listdir(tmp_path) == [path.name]


def test_errors_name_the_path_given(tmp_path):
    model = make()
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    cases = [
        (tmp_path / "none" / "m.safetensors", FileNotFoundError),
        (folder, IsADirectoryError),
        (tmp_path / ("n" * 300 + ".safetensors"), OSError),
    ]
    for path, error in cases:
        for act in (model.save, model.save_weights):
            with pytest.raises(error) as info:
                act(path)
            assert str(path) in str(info.value)
            assert ".tmp" not in str(info.value)
    assert os.listdir(tmp_path) == [folder.name]


def test_a_failing_write_leaves_the_old_file(path, monkeypatch):
    model = make()
    model.save(path)
    old = path.read_bytes()
    model.set_weights([w + 1 for w in model.get_weights()])
    for name in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, _fail)
            with pytest.raises(OSError, match="disk full"):
                model.save(path)
        assert path.read_bytes() == old
        assert os.listdir(path.parent) == [path.name]


KILL = """
import io, os, signal, sys
import numpy as np, tauten

model = tauten.models.load_model(sys.argv[1])
model.set_weights([w + 1 for w in model.get_weights()])

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

class HalfWritten(io.FileIO):
    def write(self, content):
        super().write(content[: len(content) // 2])
        die()

if sys.argv[2] == "write":
    os.fdopen = HalfWritten
else:
    setattr(os, sys.argv[2], die)
model.save(sys.argv[1])
"""


@pytest.mark.parametrize("where", ["open", "write", "fsync", "replace"])
def test_a_killed_save_leaves_the_old_file(where, path):
    model = make()
    model.save(path)
    old = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", KILL, str(path), where], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.read_bytes() == old
    np.testing.assert_array_equal(tauten.models.load_model(path).get_weights()[0], model.get_weights()[0])
    model.save(path)  # what the dead process left behind does not hinder


SAVE_FOR_EVER = """
import sys, tauten

model = tauten.models.load_model(sys.argv[1])
print("ready", flush=True)
while True:
    model.set_weights([w * 0 + w.size for w in model.get_weights()])
    model.save(sys.argv[1])
    model.set_weights([w * 0 - w.size for w in model.get_weights()])
    model.save(sys.argv[1])
"""


def test_killed_at_any_moment_the_file_is_whole(path):
    make().save(path)
    for pause in (0.01, 0.02, 0.05):
        child = subprocess.Popen([sys.executable, "-c", SAVE_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(pause)
        child.kill()
        child.communicate()
        weights = tauten.models.load_model(path).get_weights()
        signs = {float(np.sign(w.flat[0])) for w in weights}
        assert len(signs) == 1 or not any((np.abs(w) == w.size).all() for w in weights)


def _fail(*arguments):
    raise OSError("disk full")


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
