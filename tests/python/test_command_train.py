"""`tauten train`, `predict`, `evaluate` and `info`: every option does what it says, on data of scikit-learn."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tauten
from command import (
    FLOWERS,
    ONCE,
    Command,
    digit_rows,
    flowers,
    iris,
    patients,
    predictions,
    run,
    write_csv,
    write_series,
)

__all__ = ["iris", "run"]  # fixtures


def info(run: Command, model: str = "model.safetensors") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("info", model, "--json"))
    return found


def layers_of(found: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [layer["config"] for layer in found["config"]["layers"] if layer["class_name"] == kind]


# -- from a file to predictions


def test_iris_from_csv_to_predictions(run: Command, iris: str) -> None:
    said = run("train", iris, "--epochs", "30", "--learning-rate", "0.02", "--units", "16")
    assert "3 classes: setosa (40), versicolor (40), virginica (40)" in said
    assert re.search(r"validation +30 set apart, of each class its share", said)
    assert said.count("\nEpoch ") == 30
    assert "\r" not in said  # no bars in a pipe
    accuracy = float(re.search(r"accuracy +\S+ % +(\S+) %", said)[1])
    assert accuracy > 90
    assert re.search(r"confusion.*\n.*setosa  versicolor   virginica\n +setosa +10 +0 +0\n", said)
    assert re.fullmatch(r"next +tauten predict model.safetensors new.csv", said.splitlines()[-1])

    names, rows = flowers()
    found = predictions(run("predict", "model.safetensors", iris, "--proba"))
    right = [one["prediction"] == row[-1] for one, row in zip(found, rows, strict=True)]
    assert np.mean(right) > 0.9
    for one in found:
        chances = {name: float(one[name]) for name in FLOWERS}
        assert sum(chances.values()) == pytest.approx(1, abs=1e-4)
        assert max(chances, key=chances.get) == one["prediction"]

    # another order of columns, none of the target; and no header at all
    write_csv(Path("turned.csv"), names[3::-1], [row[3::-1] for row in rows])
    write_csv(Path("bare.csv"), None, [row[:4] for row in rows])
    wanted = run("predict", "model.safetensors", iris)
    assert run("predict", "model.safetensors", "turned.csv") == wanted
    assert run("predict", "model.safetensors", "bare.csv") == wanted
    said = run("predict", "model.safetensors", "bare.csv", "--out", "p.csv")
    assert Path("p.csv").read_text() == wanted
    assert "150 samples" in said
    share = float(re.search(r"accuracy +(\S+) %", run("evaluate", "model.safetensors", iris))[1])
    assert share == pytest.approx(100 * np.mean(right), abs=0.01)


def test_the_file_is_a_plain_model_of_raw_numbers(run: Command, iris: str) -> None:
    run("train", iris, *ONCE)
    x = np.array([row[:4] for row in flowers()[1]])
    model = tauten.models.load_model("model.safetensors")
    plain = np.asarray(model.predict(x, verbose=0))
    found = predictions(run("predict", "model.safetensors", iris, "--proba"))
    np.testing.assert_allclose(plain, [[float(one[name]) for name in FLOWERS] for one in found], atol=2e-6)
    made = model.metadata["train"]
    assert made["target"] == {"name": "species", "task": "classification", "classes": list(FLOWERS)}
    mean, variance = model.get_layer("standardize").get_weights()
    assert np.abs(mean - x.mean(axis=0)).max() < 0.2  # of four fifths of the rows
    assert np.abs(variance / x.var(axis=0) - 1).max() < 0.2


def test_regression_predicts_in_the_targets_own_units(run: Command, tmp_path: Path) -> None:
    write_csv(tmp_path / "diabetes.csv", *patients())
    said = run("train", "diabetes.csv", "--epochs", "20", "--learning-rate", "0.01", "--quiet")
    assert "a number from 25 to 346" in said
    assert float(re.search(r"R² +\S+ +(\S+)", said)[1]) > 0.3
    assert "confusion" not in said
    y = np.array([row[-1] for row in patients()[1]])
    found = [float(one["prediction"]) for one in predictions(run("predict", "model.safetensors", "diabetes.csv"))]
    x = np.array([row[:-1] for row in patients()[1]])
    plain = np.asarray(tauten.models.load_model("model.safetensors").predict(x, verbose=0))[:, 0]
    np.testing.assert_allclose(found, plain, rtol=1e-6)
    said = run("evaluate", "model.safetensors", "diabetes.csv")
    r2, mae = 1 - np.mean((y - found) ** 2) / y.var(), np.mean(np.abs(y - found))
    assert float(re.search(r"R² +(\S+)", said)[1]) == pytest.approx(r2, abs=1e-3)
    assert float(re.search(r"mean absolute error +(\S+)", said)[1]) == pytest.approx(mae, rel=1e-3)
    assert "range " in run("predict", "model.safetensors", "diabetes.csv", "--out", "p.csv")
    run("predict", "model.safetensors", "diabetes.csv", "--proba", code=2)
    assert "a regression, which has no probabilities" in run.err


def test_images_of_npz_by_a_cnn(run: Command) -> None:
    from sklearn.datasets import load_digits

    found = load_digits()
    np.savez("digits.npz", x=found.images[:600], y=found.target[:600])
    np.save("x.npy", found.images[600:800])
    np.save("y.npy", found.target[600:800])
    said = run(
        *("train", "digits.npz", "--model", "cnn", "--shape", "8,8,1", "--filters", "8,16", "--kernel", "3,5"),
        *(
            "--pool",
            "2,1",
            "--dense",
            "32",
            "--dropout",
            "0.1",
            "--epochs",
            "12",
            "--learning-rate",
            "0.005",
            "--quiet",
        ),
    )
    assert "600 samples of shape 8 x 8 x 1" in said
    said = run("evaluate", "model.safetensors", "x.npy", "--target", "y.npy")
    assert float(re.search(r"accuracy +(\S+) %", said)[1]) > 85
    assert len(predictions(run("predict", "model.safetensors", "x.npy"))) == 200
    shown = info(run)
    convolutions = layers_of(shown, "Conv2D")
    assert [(one["filters"], one["kernel_size"]) for one in convolutions] == [(8, [3, 3]), (16, [5, 5])]
    assert len(layers_of(shown, "MaxPooling2D")) == 1
    assert len(layers_of(shown, "Dropout")) == 2
    assert [one["units"] for one in layers_of(shown, "Dense")] == [32, 10]
    assert len(layers_of(shown, "Flatten")) == 1


def test_keys_of_npz_are_remembered(run: Command) -> None:
    random = np.random.default_rng(0)
    np.savez("a.npz", images=random.normal(size=(30, 4)), labels=np.arange(30) % 3)
    said = run("train", "a.npz", "--target", "labels", *ONCE)
    assert "'labels', 3 classes: 0 (8)" in said
    assert len(predictions(run("predict", "model.safetensors", "a.npz"))) == 30
    assert re.search(r"samples +30", run("evaluate", "model.safetensors", "a.npz"))
    np.savez("b.npz", images=random.normal(size=(30, 4)), y=np.arange(30) % 3)
    assert re.search(r"samples +30", run("evaluate", "model.safetensors", "b.npz", "--target", "y"))


@pytest.mark.parametrize("model", ["rnn", "forget", "lstm", "gru"])
def test_series_of_unequal_length_by_recurrent_models(run: Command, tmp_path: Path, model: str) -> None:
    series, labels = digit_rows(60, unequal=True)
    header = ["@equalLength false", "@dimensions 8", f"@classLabel true {' '.join(sorted(set(labels)))}"]
    write_series(tmp_path / "a.ts", header, series, labels)
    write_series(tmp_path / "new.ts", ["@equalLength true", "@dimensions 8"], [one[:5] for one in series], None)
    said = run("train", "a.ts", "--model", model, "--units", "8", "--epochs", "2", "--validation", "a.ts", "--quiet")
    assert "60 series of 6 to 8 steps, 8 features" in said
    assert "60 of a.ts" in said
    assert len(predictions(run("predict", "model.safetensors", "new.ts"))) == 60
    run("evaluate", "model.safetensors", "a.ts")
    assert "no targets" in run.fails("evaluate", "model.safetensors", "new.ts")


def test_series_of_equal_length_by_a_cnn_and_a_regression(run: Command, tmp_path: Path) -> None:
    series, labels = digit_rows(40, unequal=False)
    write_series(tmp_path / "a.ts", ["@dimensions 8", "@targetLabel true"], series, [label[1:] for label in labels])
    said = run("train", "a.ts", "--model", "cnn", "--filters", "4", "--head", "average", "--padding", "valid", *ONCE)
    assert "a number from 0 to 9" in said
    shown = info(run)
    assert layers_of(shown, "Conv1D")[0]["padding"] == "valid"
    assert len(layers_of(shown, "GlobalAveragePooling1D")) == 1
    write_series(tmp_path / "short.ts", ["@dimensions 8"], [one[:5] for one in series], None)
    assert "shape (8, 8), got (5, 8)" in run.fails("predict", "model.safetensors", "short.ts")
    write_series(tmp_path / "thin.ts", ["@dimensions 2"], [one[:, :2] for one in series], None)
    assert "line 4: the model was trained on samples of shape (8, 8), got (8, 2)" in run.fails(
        "predict", "model.safetensors", "thin.ts"
    )


def test_categories_and_dropped_columns(run: Command) -> None:
    rows = [[i, ["red", "blue"][i % 2], i % 7, ["no", "yes"][i % 2]] for i in range(60)]
    write_csv(Path("a.csv"), ["id", "colour", "day", "sold"], rows)
    said = run("train", "a.csv", "--drop", "id", "--categorical", "day", "--epochs", "40", "--learning-rate", "0.02")
    assert "0 of numbers, 2 of categories (colour, day)" in said
    assert re.search(r"accuracy +100.00 % +100.00 %", said)
    assert info(run)["metadata"]["train"]["shape"] == [9]
    assert "colour ('blue', 'red')" in run("info", "model.safetensors")
    write_csv(Path("b.csv"), ["colour", "day"], [["red", 3], ["blue", 0], ["green", 1]])
    assert "line 4, column 'colour': 'green' was not there in training" in run.fails(
        "predict", "model.safetensors", "b.csv"
    )


# -- options


@pytest.mark.parametrize(
    ("options", "kind", "expected"),
    [
        (["--units", "5,6"], "Dense", [{"units": 5}, {"units": 6}, {"units": 3}]),
        (["--units", "5", "--layers", "2"], "Dense", [{"units": 5}, {"units": 5}, {"units": 3}]),
        (["--activation", "elu"], "Dense", [{"activation": "elu"}, {"activation": "softmax"}]),
        (["--dropout", "0.25", "--layers", "2"], "Dropout", [{"rate": 0.25}, {"rate": 0.25}]),
        (["--no-standardize"], "BatchNormalization", []),
        (["--model", "lstm", "--shape", "4,1", "--units", "3,2"], "LSTM",
         [{"units": 3, "return_sequences": True, "activation": "tanh"}, {"units": 2, "return_sequences": False}]),
        (["--model", "gru", "--shape", "2,2", "--dropout", "0.1", "--recurrent-dropout", "0.2"], "GRU",
         [{"dropout": 0.1, "recurrent_dropout": 0.2}]),
        (["--model", "rnn", "--shape", "2,2", "--activation", "relu"], "SimpleRNN", [{"activation": "relu"}]),
        (["--model", "forget", "--shape", "2,2", "--dense", "7"], "Dense", [{"units": 7}, {"units": 3}]),
    ],
)  # fmt: skip
def test_options_of_the_network(
    run: Command, iris: str, options: list[str], kind: str, expected: list[dict[str, Any]]
) -> None:
    run("train", iris, *ONCE, *options)
    found = layers_of(info(run), kind)
    assert len(found) == len(expected)
    for one, wanted in zip(found, expected, strict=True):
        assert {key: one[key] for key in wanted} == wanted


def test_bidirectional_and_penalties(run: Command, iris: str) -> None:
    shape = ("--shape", "4,1", "--units", "2")
    run("train", iris, *ONCE, "--model", "lstm", *shape, "--bidirectional", "--l1", "0.1", "--l2", "0.2")
    (both,) = layers_of(info(run), "Bidirectional")
    inner = both["layer"]["config"]
    for name in ("kernel_regularizer", "recurrent_regularizer"):
        assert inner[name]["class_name"] == "L1L2"
        assert inner[name]["config"] == {"l1": 0.1, "l2": 0.2}
    run("train", iris, *ONCE, "--elastic-net", "0.1,0.3")
    for dense in layers_of(info(run), "Dense"):
        assert dense["kernel_regularizer"] == {"class_name": "ElasticNet", "config": {"alpha": 0.1, "mix": 0.3}}


@pytest.mark.parametrize(
    ("options", "kind", "expected"),
    [
        ([], "Adam", {"learning_rate": 0.001}),
        (["--optimizer", "sgd", "--momentum", "0.8", "--learning-rate", "0.5"], "SGD",
         {"learning_rate": 0.5, "momentum": 0.8}),
        (["--optimizer", "rmsprop", "--momentum", "0.8"], "RMSprop", {"momentum": 0.8}),
        (["--optimizer", "adamw", "--clip-norm", "2"], "AdamW", {"global_clipnorm": 2.0}),
        (["--optimizer", "adagrad"], "Adagrad", {"learning_rate": 0.001}),
    ],
)  # fmt: skip
def test_options_of_the_optimizer(
    run: Command, iris: str, options: list[str], kind: str, expected: dict[str, Any]
) -> None:
    run("train", iris, *ONCE, *options)
    optimizer = info(run)["compile"]["optimizer"]
    assert optimizer["class_name"] == kind
    assert {key: pytest.approx(optimizer["config"][key]) for key in expected} == expected


def test_schedules(run: Command, iris: str) -> None:
    def rate(*options: str) -> Any:
        run("train", iris, "--quiet", "--epochs", "3", "--batch-size", "10", *options)
        return info(run)["compile"]["optimizer"]["config"]["learning_rate"]

    cosine = rate("--schedule", "cosine", "--learning-rate", "0.1")
    assert cosine["class_name"] == "CosineDecay"
    assert cosine["config"]["decay_steps"] == 3 * 12  # 120 rows in batches of 10
    exponential = rate("--schedule", "exponential", "--decay", "0.5", "--learning-rate", "0.1")
    assert exponential["class_name"] == "ExponentialDecay"
    assert (exponential["config"]["decay_steps"], exponential["config"]["decay_rate"]) == (12, 0.5)
    run("train", iris, "--quiet", "--epochs", "40", "--schedule", "plateau", "--decay", "0.1", "--learning-rate", "10")
    assert info(run)["compile"]["optimizer"]["config"]["learning_rate"] < 10


def test_patience_ends_early_and_the_best_epoch_is_kept(run: Command, iris: str) -> None:
    said = run("train", iris, "--epochs", "60", "--patience", "2", "--learning-rate", "1", "--dropout", "0.5")
    epochs = re.findall(r"val_loss: (\S+)", said)
    assert 2 < len(epochs) < 60
    best = int(re.search(r"kept +epoch (\d+), ended early after (\d+)", said)[1])
    assert best == len(epochs) - 2 == 1 + int(np.argmin([float(loss) for loss in epochs]))
    loss = float(re.search(r"loss +\S+ +(\S+)\n", said[said.index("scores") :])[1])
    assert loss == pytest.approx(float(epochs[best - 1]), abs=2e-4)
    assert info(run)["metadata"]["train"]["epoch"] == best


def test_what_else_changes_the_result(run: Command, iris: str) -> None:
    def weights(*options: str) -> list[np.ndarray]:
        run("train", iris, "--quiet", "--epochs", "2", *options)
        return tauten.models.load_model("model.safetensors").get_weights()

    def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
        return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))

    plain = weights()
    assert same(plain, weights())
    assert same(plain, weights("--threads", "2"))
    for options in (
        ("--seed", "2"),
        ("--batch-size", "16"),
        ("--class-weight", "setosa=5"),
        ("--l2", "0.1"),
        ("--clip-norm", "0.001"),
        ("--validation-split", "0.5"),
    ):
        assert not same(plain, weights(*options)), options
    # classes that are equally frequent weigh the same
    assert same(plain, weights("--class-weight", "balanced"))
    assert weights("--dtype", "float64")[0].dtype == np.float64
    assert tauten.config.floatx() == "float32"


def test_balanced_weights(run: Command) -> None:
    names, rows = flowers()
    write_csv(Path("few.csv"), names, rows[:70])
    run("train", "few.csv", *ONCE)
    plain = tauten.models.load_model("model.safetensors").get_weights()
    run("train", "few.csv", *ONCE, "--class-weight", "balanced")
    balanced = tauten.models.load_model("model.safetensors").get_weights()
    run("train", "few.csv", *ONCE, "--class-weight", f"setosa={56 / 80},versicolor={56 / 32}")
    named = tauten.models.load_model("model.safetensors").get_weights()
    assert not np.array_equal(plain[-1], balanced[-1])
    assert np.array_equal(named[-1], balanced[-1])


def test_validation_file_of_npy_with_targets_of_its_own(run: Command) -> None:
    random = np.random.default_rng(0)
    for name, count in (("a", 40), ("b", 24)):
        np.save(f"{name}.npy", random.normal(size=(count, 3)))
        np.save(f"{name}_y.npy", np.arange(count) % 2)
    said = run(
        "train", "a.npy", "--target", "a_y.npy", "--validation", "b.npy", "--validation-target", "b_y.npy", *ONCE
    )
    assert "24 of b.npy" in said
    assert re.search(r"samples +40 +24", said)
    assert "no targets" in run.fails("train", "a.npy", "--target", "a_y.npy", "--validation", "b.npy", *ONCE)
    said = run("train", "a.npy", "--target", "a_y.npy", "--validation-split", "0", *ONCE)
    assert "the training loss decides" in said
    assert re.search(r"samples +40\n", said)


def test_a_feature_too_fine_for_float32_is_told(run: Command) -> None:
    rows = [[1.7e9 + i, i % 2] for i in range(40)]
    write_csv(Path("a.csv"), ["time", "odd"], rows)
    assert "column 'time' varies little beside its size" in run("train", "a.csv", *ONCE)
    assert "note" not in run("train", "a.csv", *ONCE, "--dtype", "float64")


def test_plot(run: Command, iris: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("train", iris, *ONCE, "--plot", "h.png")
    assert Path("h.png").read_bytes().startswith(b"\x89PNG")
    assert re.search(r"plot +h.png", said)
    assert "new/h.png: no such folder: new; make it first" in run.fails("train", iris, "--plot", "new/h.png")
    assert "--plot h.doc: expected a file that ends in" in run.fails("train", iris, "--plot", "h.doc")
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "pip install 'tauten[plot]'" in run.fails("train", iris, "--plot", "h.png")


def test_info(run: Command, iris: str) -> None:
    run("train", iris, *ONCE)
    said = run("info", "model.safetensors")
    for text in (
        "Total params: 523",
        "Adam(learning_rate=0.001",
        "species: 3 classes: 'setosa'",
        "petal width",
        "of iris.csv",
    ):
        assert text in said
    tauten.Sequential([tauten.Input((2,)), tauten.layers.Dense(1)]).save("plain.safetensors")
    said = run("info", "plain.safetensors")
    assert "Total params: 3" in said
    assert "not a model of `tauten train`" in said
    assert "not one of `tauten train`" in run.fails("predict", "plain.safetensors", iris)
