"""Docstrings of families of layers: each class says what is its own, documented() appends what they share."""

from __future__ import annotations

ARGS = "\n\n    Args:"
FORMAT = """
        data_format: "channels_last" or "channels_first", where shapes have the channels right behind the batch;
            default None, tauten.config.image_data_format()."""
NAME = """
        name: as in Layer."""
RAISES = """

    Raises:
        TypeError, ValueError: for wrong arguments{more}.
    """


def documented(cls: type, *pieces: str) -> None:
    """Append the pieces to a class's docstring."""
    cls.__doc__ = (cls.__doc__ or "").rstrip() + "".join(pieces)
