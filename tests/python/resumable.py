"""Models and fits that tests interrupt; python resumable.py KIND BACKUPS OUT [KILL_AT] trains in a process."""

from __future__ import annotations

import os
import signal
import sys
import tempfile

import numpy as np
from safetensors.numpy import load_file

import tauten
from data import digits, text
from tauten import layers
from tauten.callbacks import BackupAndRestore, Callback, ReduceLROnPlateau

KINDS = ["cnn", "lstm"]


def made(kind: str, seed: int = 4) -> tauten.Sequential:
    """A new model, compiled."""
    tauten.utils.clear_session()  # the names of the layers are those of a new process
    tauten.utils.set_random_seed(seed)
    if kind == "cnn":
        stack = [
            tauten.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, "softmax"),
        ]
    else:
        stack = [
            tauten.Input((None, 5)),
            layers.LSTM(6, return_sequences=True, dropout=0.2, recurrent_dropout=0.1),
            layers.Dropout(0.2),
            layers.LSTM(5),
            layers.Dense(4, "softmax"),
        ]
    model = tauten.Sequential(stack, name=kind)
    optimizer = tauten.optimizers.SGD(0.05, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def examples(kind: str):
    """Real data: digits; words of Python's documentation, which the length class is to be told of."""
    if kind == "cnn":
        x, y = digits()
        return x[:200, :, :, None].astype(np.float32), y[:200]
    numbers, vocabulary = text(8000)
    characters = np.array(list(vocabulary))[numbers]
    words = [word for word in "".join(characters).split() if word.isalpha()][:200]
    x = [np.array([[ord(c) >> k & 1 for k in range(5)] for c in word], np.float32) for word in words]
    return x, np.array([min((len(word) - 1) // 3, 3) for word in words])


class Kill(Callback):
    """Ends the process as the system would, or raises, after so many batches."""

    def __init__(self, after: int, how: str = "raise"):
        super().__init__()
        self.left, self.how = after, how

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            if self.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt


def train(kind: str, model, *more, epochs: int = 4, **options):
    """fit as all these tests call it, with callbacks that have a memory."""
    x, y = examples(kind)
    rate = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.2)
    options = {"batch_size": 16, "validation_split": 0.2, "epochs": epochs, "verbose": 0, **options}
    return model.fit(x, y, callbacks=[*more, rate], **options)


def outcome(model, history) -> dict[str, np.ndarray]:
    """All that must agree to the bit."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "all.safetensors")
        model.save(path)  # weights, and what the optimizer keeps of them
        arrays = load_file(path)
    arrays |= {f"history {name}": np.array(values) for name, values in history.history.items()}
    arrays["epochs"] = np.array(history.epoch)
    arrays["counters"] = np.array([model.optimizer.iterations, model._network().calls])
    arrays["rate"] = np.array(model.optimizer.learning_rate)
    return arrays | {"next random numbers": tauten.initializers.RandomUniform()((4,))}


if __name__ == "__main__":
    kind, folder, out = sys.argv[1:4]
    model = made(kind)
    more = [BackupAndRestore(folder, save_freq=3)]
    if len(sys.argv) > 4:
        more.insert(0, Kill(int(sys.argv[4]), "kill"))
    history = train(kind, model, *more)
    np.savez(out, **outcome(model, history))
