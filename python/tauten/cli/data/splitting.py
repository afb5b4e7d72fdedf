"""Samples set apart for validation, of each class its share."""

from __future__ import annotations

import numpy as np

from tauten.cli.data.contents import Array


def split(y: Array, share: float, stratified: bool, seed: int) -> tuple[Array, Array]:
    """Numbers of the samples to train on, and to validate on, each in the order of the file.

    Args:
        y: targets (samples,).
        share: of the samples that validate, in [0, 1).
        stratified: y are classes, of each of which at least one sample trains.
        seed: of the choice.

    Raises:
        ValueError: if none is left to train or to validate on.
    """
    random = np.random.default_rng(seed)
    groups = [np.flatnonzero(y == one) for one in np.unique(y)] if stratified else [np.arange(len(y))]
    held: list[int] = []
    owed = 0.0  # fractions of samples that earlier classes did not give
    for group in groups:
        owed += share * len(group)
        count = min(round(owed), len(group) - 1)
        owed -= count
        held += random.permutation(group)[:count].tolist()
    validate = np.sort(np.array(held, np.int64))
    train = np.setdiff1d(np.arange(len(y)), validate)
    if not len(validate) or not len(train):
        raise ValueError(
            f"of {len(y)} samples a share of {share:g} leaves nothing to validate on: --validation-split 0"
        )
    return train, validate
