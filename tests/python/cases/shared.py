"""What the modules of cases share."""

from __future__ import annotations

from reference import GRU, Bidirectional

ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "softmax")  # those that layers have fused in
SIZES = {1: (7,), 2: (6, 5), 3: (4, 5, 3)}  # spatial extents by rank, none a multiple of every stride


def reset_first(*arguments, **options) -> GRU:
    return GRU(*arguments, **options, reset_after=False)


def both(make, units: int, merge: str = "concat") -> Bidirectional:
    """Two recurrent layers of a kind, forwards and backwards."""
    return Bidirectional(*[make(units, return_sequences=True) for _ in range(2)], merge)
