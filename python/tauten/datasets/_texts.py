"""What imdb and reuters share: texts as lists of words' numbers, the commonest word first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tauten.datasets import _files

Texts = list[list[int]]


def shuffled(texts: Any, labels: Any, generator: np.random.RandomState) -> tuple[Texts, NDArray[Any]]:
    """In Keras' order of that generator."""
    order = np.arange(len(texts))
    generator.shuffle(order)
    return [list(map(int, texts[i])) for i in order], np.asarray(labels)[order]


def marked(texts: Iterable[Sequence[int]], start_char: int | None, index_from: int | None) -> Texts:
    """Numbers moved up by index_from, with start_char in front."""
    shift, front = index_from or 0, [] if start_char is None else [start_char]
    return [[*front, *(word + shift for word in text)] for text in texts]


def no_longer(texts: Texts, labels: NDArray[Any], maxlen: int | None, what: str) -> tuple[Texts, NDArray[Any]]:
    """Those below maxlen. Raises ValueError if none is."""
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError(f"{what}: no text is shorter than maxlen={maxlen}")
    return [texts[i] for i in kept], labels[kept]


def limited(texts: Texts, num_words: int | None, skip_top: int, oov_char: int | None) -> NDArray[Any]:
    """An array of lists: words from skip_top to below num_words; others are oov_char or, where that is None, left out.

    As in Keras, num_words=None is the largest number, which so is left out itself.
    """
    most = num_words or max(map(max, texts))
    found = np.empty(len(texts), dtype=object)
    for i, text in enumerate(texts):
        if oov_char is None:
            found[i] = [word for word in text if skip_top <= word < most]
        else:
            found[i] = [word if skip_top <= word < most else oov_char for word in text]
    return found


def word_index(path: _files.Path_, what: str) -> dict[str, int]:
    """Word -> number, before load_data()'s index_from."""
    place = _files.found(path, f"{_files.ORIGIN}{what}_word_index.json", f"{what}.get_word_index")
    with place.open(encoding="utf-8") as file:
        return dict(json.load(file))
