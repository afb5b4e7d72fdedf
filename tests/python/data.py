"""Real data: scikit-learn's handwritten digits, as the package carries them, and text that Python ships."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pydoc_data import topics

import numpy as np


@lru_cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """1797 images of 8 x 8 in [0, 1] and their labels."""
    with (files("tauten") / "data" / "digits.npz").open("rb") as file, np.load(file) as archive:
        return archive["images"] / 16.0, archive["labels"].astype(np.int64)


@lru_cache
def text(length: int = 20000) -> tuple[np.ndarray, str]:
    """Python's own documentation as character numbers, and the vocabulary they number."""
    characters = "\n".join(topics.topics[name] for name in sorted(topics.topics))[:length]
    vocabulary = "".join(sorted(set(characters)))
    return np.array([vocabulary.index(c) for c in characters]), vocabulary
