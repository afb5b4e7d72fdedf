"""25,000 and 25,000 film reviews, good (1) and bad (0), as words' numbers (Maas et al. 2011)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tauten._checks import unexpected
from tauten.datasets import _files, _texts

__all__ = ["get_word_index", "load_data"]


def load_data(
    path: _files.Path_ = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> Any:
    """(x_train, y_train), (x_test, y_test): arrays of lists of word numbers, and labels (samples,).

    Args:
        path: of the .npz file.
        num_words: words from this number on become oov_char; default None: the largest.
        skip_top: words below this number, too; default 0.
        maxlen: reviews of so many words or more are left out; default None.
        seed: of the order, which is Keras'.
        start_char: in front of each review; default 1.
        oov_char: for words that are cut; None leaves them out; default 2.
        index_from: what numbers are moved up by; default 3.

    Raises:
        FileNotFoundError: that says where to get the file.
        ValueError: for another file, and where maxlen leaves nothing.
    """
    for key in kwargs:
        unexpected("imdb.load_data", key)
    place = _files.found(path, f"{_files.ORIGIN}imdb.npz", "imdb.load_data")
    x, y, u, v = _files.read_npz(place, ("x_train", "y_train", "x_test", "y_test"), "imdb.load_data")
    generator = np.random.RandomState(seed)
    halves = []
    for texts, labels in ((x, y), (u, v)):
        order, own = _texts.shuffled(texts, labels, generator)
        halves.append(_texts.no_longer(_texts.marked(order, start_char, index_from), own, maxlen, "imdb.load_data"))
    (train, y), (test, v) = halves
    found = _texts.limited(train + test, num_words, skip_top, oov_char)
    return (found[: len(train)], y), (found[len(train) :], v)


def get_word_index(path: _files.Path_ = "imdb_word_index.json") -> dict[str, int]:
    """Word -> number, before load_data()'s index_from. Raises FileNotFoundError that says where to get the file."""
    return _texts.word_index(path, "imdb")
