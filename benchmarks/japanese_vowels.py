"""JapaneseVowels: which of nine speakers, from sequences of 7 to 29 steps; LSTM 64, its last state, Dense."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.endtoend import Experiment, Measure, Trained, main
from benchmarks.rivals import Library
from benchmarks.workloads import Array, Dense, Recurrent, Workload

EPOCHS = 5  # a turn
FILES = ("JapaneseVowels_TRAIN.ts", "JapaneseVowels_TEST.ts")

EXPERIMENT = Experiment(
    "japanese_vowels",
    "JapaneseVowels, unequal lengths, LSTM 64, batch 16",
    FILES,
    12,
    f"{EPOCHS} epochs",
    (0.1,),
    {
        "accuracy": Measure("test accuracy, %", ".2f", 0.95, scale=100),
        "loss": Measure("test loss", ".4f", 0.2, higher=False),
    },
)


LONGEST = 29


def read(path: Path) -> tuple[Array, Array, Array]:
    """The sequences (samples, LONGEST, features), zero behind their ends; labels; lengths. Reads the .ts format."""
    sequences, labels = [], []
    for line in path.read_text().splitlines():
        if line and line[0] not in "#@":
            *features, label = line.split(":")
            sequences.append(np.array([feature.split(",") for feature in features], np.float32).T)
            labels.append(int(label) - 1)
    lengths = np.array([len(sequence) for sequence in sequences])
    x = np.zeros((len(sequences), LONGEST, sequences[0].shape[1]), np.float32)
    for row, sequence in zip(x, sequences, strict=True):
        row[: len(sequence)] = sequence
    return x, np.array(labels, np.int64), lengths


class Task(Trained):
    """Runs in the worker."""

    def __init__(self, library: Library, data: str, learning_rate: float, variant: str | None, seed: int) -> None:
        x, y, lengths = read(Path(data) / FILES[0])
        layers = (Recurrent("lstm", 64, sequences=False), Dense(9))
        workload = Workload("japanese_vowels", "", 16, x.shape[1:], layers, unequal=True)
        self.samples, self.seed = len(x), seed
        super().__init__(library, workload, learning_rate, variant, seed, x, y, lengths)
        self.test = self.model.put(*read(Path(data) / FILES[1]))

    def turn(self, number: int) -> dict[str, Any]:
        """Trains some epochs, then measures."""
        random = np.random.default_rng((number, self.seed))
        seconds = sum(self.train(random.permutation(self.samples)) for _ in range(EPOCHS))
        accuracy, loss = self.model.accuracy(self.test, 370), self.model.loss(self.test, 370)
        return {"seconds": seconds, "accuracy": accuracy, "loss": loss}


if __name__ == "__main__":
    sys.exit(main(EXPERIMENT))
