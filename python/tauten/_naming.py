"""Names that Keras gives by itself: dense, dense_1, max_pooling2d, ..."""

from __future__ import annotations

import re

_counts: dict[str, int] = {}


def snake_case(name: str) -> str:
    """MaxPooling2D -> max_pooling2d, LSTM -> lstm, SimpleRNN -> simple_rnn."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(class_name: str) -> str:
    """The next free automatic name of a class: dense, dense_1, dense_2, ..."""
    name = snake_case(class_name)
    count = _counts.get(name, 0)
    _counts[name] = count + 1
    return f"{name}_{count}" if count else name


def reset() -> None:
    """Start counting anew."""
    _counts.clear()
