"""`tauten demo text`: a character LSTM learns the language reference that Python ships."""

from __future__ import annotations

import json
import math
import shutil
import textwrap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import tauten
from tauten import layers
from tauten.cli.terminal import WIDTH, Stopwatch, line, title

__all__ = ["load_text", "run", "write_on"]

EPOCHS = 10
WINDOW = 64
TEMPERATURE = 0.6
PROMPT = "If the class defines this method, the statement "
LENGTH = 240

Tokens = NDArray[np.int32]


def load_text() -> str:
    """The topics of Python's help(), one after the other in the order of their names.

    Raises:
        RuntimeError: where this Python came without them.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise RuntimeError("this Python came without the texts of help() (pydoc_data), which the demo reads") from None
    return "\n\n".join(topics[name].strip() for name in sorted(topics))


def windows(tokens: Tokens) -> tuple[Tokens, Tokens]:
    """(x, y), both (windows, WINDOW): y is x one character on."""
    count = (len(tokens) - 1) // WINDOW
    return tokens[: count * WINDOW].reshape(count, WINDOW), tokens[1 : count * WINDOW + 1].reshape(count, WINDOW)


def build(characters: int) -> tauten.Sequential:
    """Characters (steps,) -> at every step the probabilities of the next one (steps, characters)."""
    return tauten.Sequential(
        [
            tauten.Input((None,), dtype="int32"),
            layers.Embedding(characters, 32),
            layers.LSTM(128, return_sequences=True),
            layers.Dense(characters, activation="softmax"),
        ],
        name="text",
    )


def write_on(model: tauten.Sequential, tokens: Tokens, length: int, temperature: float, seed: int = 0) -> Tokens:
    """Draws `length` characters, each from the model's prediction after the last WINDOW ones.

    Args:
        model: as build() makes it.
        tokens: the characters to go on from, at least one.
        length: how many to add.
        temperature: below 1 prefers what is likely, above 1 the unlikely.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    written = list(tokens)
    for _ in range(length):
        window = np.array(written[-WINDOW:], np.int32)[None]
        probabilities = np.asarray(model.predict(window, verbose=0))[0, -1].astype(np.float64)
        weights = np.log(np.maximum(probabilities, 1e-30)) / temperature
        chances = np.exp(weights - weights.max())
        written.append(int(random.choice(len(chances), p=chances / chances.sum())))
    return np.array(written[len(tokens) :], np.int32)


def run(folder: Path, epochs: int | None) -> None:
    """Trains, tells, saves `text.safetensors` and the characters it knows in the folder."""
    text = load_text()
    characters = sorted(set(text))
    number = {character: index for index, character in enumerate(characters)}
    tokens = np.array([number[character] for character in text], np.int32)
    split = len(tokens) * 9 // 10
    print(title(f"Text: a character LSTM on {split:,} characters of Python's help(), validated on the rest"))
    model = build(len(characters))
    model.compile(optimizer=tauten.optimizers.SGD(1.0, momentum=0.9), loss="sparse_categorical_crossentropy")
    clock = Stopwatch()
    epochs = epochs or EPOCHS
    (x, y), held = windows(tokens[:split]), windows(tokens[split:])
    history = model.fit(x, y, batch_size=32, epochs=epochs, validation_data=held, callbacks=[clock])
    path, alphabet = folder / "text.safetensors", folder / "text-characters.json"
    model.save(path)
    alphabet.write_text(json.dumps("".join(characters)) + "\n", encoding="utf-8")

    start = np.array([number[character] for character in PROMPT], np.int32)
    written = write_on(model, start, LENGTH, TEMPERATURE)
    print()
    bits = float(history.history["val_loss"][-1]) / math.log(2)
    line(
        "score", f"{bits:.2f} bits per character of unseen text ({_entropy(tokens):.2f} if only frequencies are known)"
    )
    speed = epochs * x.size / clock.seconds
    line("speed", f"{speed:,.0f} characters/s, {speed / WINDOW:,.0f} samples/s in training ({clock.seconds:.1f} s)")
    sentence = " ".join((PROMPT + "".join(characters[token] for token in written)).split())
    line("writes", *textwrap.wrap(sentence, max(40, min(shutil.get_terminal_size().columns, 110) - WIDTH - 2)))
    line("saved", f"{path} (its characters: {alphabet.name}); in Python: tauten.models.load_model({str(path)!r})")


def _entropy(tokens: Tokens) -> float:
    """Bits per character for who knows nothing but how frequent each is."""
    shares = np.bincount(tokens) / len(tokens)
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())
