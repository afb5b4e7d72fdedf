"""11,228 newswires in 46 topics, as words' numbers (Reuters-21578)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tauten.datasets import _files, _texts

__all__ = ["get_label_names", "get_word_index", "load_data"]

_LABELS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton "
    "carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock "
    "retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead "
)


def load_data(
    path: _files.Path_ = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Any:
    """(x_train, y_train), (x_test, y_test): arrays of lists of word numbers, and topics (samples,).

    Args:
        test_split: share to test on; default 0.2.
        path, num_words, skip_top, maxlen, seed, start_char, oov_char, index_from: as in imdb.load_data().

    Raises:
        FileNotFoundError: that says where to get the file.
        ValueError: for another file or share, and where maxlen leaves nothing.
    """
    place = _files.found(path, f"{_files.ORIGIN}reuters.npz", "reuters.load_data")
    x, y = _files.read_npz(place, ("x", "y"), "reuters.load_data")
    order, labels = _texts.shuffled(x, y, np.random.RandomState(seed))
    texts, labels = _texts.no_longer(_texts.marked(order, start_char, index_from), labels, maxlen, "reuters.load_data")
    return _files.parts(_texts.limited(texts, num_words, skip_top, oov_char), labels, test_split)


def get_word_index(path: _files.Path_ = "reuters_word_index.json") -> dict[str, int]:
    """Word -> number, before load_data()'s index_from. Raises FileNotFoundError that says where to get the file."""
    return _texts.word_index(path, "reuters")


def get_label_names() -> tuple[str, ...]:
    """Names of the 46 topics, by their numbers."""
    return tuple(_LABELS.split())
