"""Scripts as Keras' examples are written, with another import line."""

from __future__ import annotations

import re
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import pytest

import tauten as keras
from tauten import layers

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "keras.md"


def test_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    monkeypatch.chdir(tmp_path)
    exec(compile(script, str(GUIDE), "exec"), {})
    assert float(re.search(r"^accuracy: (\S+)$", capsys.readouterr().out, re.M)[1]) > 0.9
    assert (tmp_path / "digits.safetensors").exists()


def test_convnet():
    keras.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    y_train, y_test = keras.utils.to_categorical(y_train, 10), keras.utils.to_categorical(y_test, 10)
    model = keras.Sequential(
        [
            keras.Input(shape=x_train.shape[1:]),
            layers.Convolution2D(
                16, kernel_size=(3, 3), activation="relu", kernel_constraint=keras.constraints.max_norm(3)
            ),
            layers.MaxPool2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=32, epochs=15, validation_split=0.1, verbose=0)
    assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.9
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(x_test, verbose=0), model.predict(x_test, verbose=0))


def test_bidirectional_lstm():
    """Which of two of Python's help pages a piece of text is from."""
    keras.utils.set_random_seed(1)
    texts = [topics["formatstrings"], topics["compound"]]
    pieces = [(text[i : i + 12 + i % 9], k) for k, text in enumerate(texts) for i in range(0, 6000, 20)]
    x = keras.utils.pad_sequences([[ord(c) % 127 + 1 for c in piece] for piece, _ in pieces], maxlen=20)
    y = np.array([k for _, k in pieces])
    (x, y), (u, v) = keras.utils.split_dataset((x, y), left_size=0.8, shuffle=True, seed=3)
    inputs = keras.Input(shape=(None,), dtype="int32")
    h = layers.Embedding(128, 16, mask_zero=True)(inputs)
    h = layers.Bidirectional(layers.LSTM(16))(h)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(h))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=32, epochs=20, validation_data=(u, v), verbose=0)
    assert history.history["val_accuracy"][-1] > 0.65 and history.history["loss"][-1] < history.history["loss"][0]


def test_addition():
    """ "12+7" to "19": the net learns to place characters, not yet to add."""
    keras.utils.set_random_seed(1)
    rng = keras.random.SeedGenerator(2)
    pairs = keras.random.randint((400, 2), 0, 100, seed=rng)
    characters = "0123456789+ "

    def encode(text, width):
        return keras.utils.to_categorical([characters.index(c) for c in text.ljust(width)], len(characters))

    x = np.array([encode(f"{a}+{b}", 5)[::-1] for a, b in pairs])
    y = np.array([encode(str(a + b), 3) for a, b in pairs])
    model = keras.Sequential()
    model.add(layers.Input((5, len(characters))))
    model.add(layers.LSTM(32))
    model.add(layers.RepeatVector(3))
    model.add(layers.LSTM(32, return_sequences=True))
    model.add(layers.Dense(len(characters), activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.get("adam"), metrics=["accuracy"])
    model.fit(x, y, batch_size=32, epochs=60, verbose=0)
    assert model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"] > 0.4


def test_next_step_of_a_series():
    keras.utils.set_random_seed(1)
    series = np.sin(np.arange(300) / 5)
    windows = keras.utils.timeseries_dataset_from_array(series[:-10, None], series[10:], 10, batch_size=32)
    model = keras.Sequential([keras.Input((10, 1)), layers.GRU(8), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02), "mse")
    assert model.fit(windows, epochs=8, verbose=0).history["loss"][-1] < 0.05
