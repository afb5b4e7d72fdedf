"""Pooling, layers that move positions, channels_first, and aggregation."""

from __future__ import annotations

from itertools import product

from cases.shared import SIZES
from examples import Case
from reference import (
    LSTM,
    Activation,
    Aggregate,
    ChannelsFirst,
    Conv,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalPool,
    Margins,
    Permute,
    Pool,
    Reshape,
    SimpleRNN,
    UpSampling,
)


def pool_cases():
    for kind, rank, padding in product(("max", "average"), (1, 2, 3), ("valid", "same", "explicit")):
        sides = ((1, 1), (0, 1), (1, 0))[:rank] if padding == "explicit" else padding
        for window, strides in ((2, None), (3, 2), (2, 1), (2, 3)):
            windows = (window, 2, 2)[:rank]
            layers = [Pool(kind, windows, strides and (strides,) * len(windows), sides)]
            yield Case(f"{kind}{rank}d-{padding}-{window}-{strides}", (*SIZES[rank], 2), layers, batch=1)
        pooled = [Dense(2), Pool(kind, (2,) * rank, None, sides), Flatten(), Dense(2)]
        yield Case(f"{kind}{rank}d-{padding}-between", (*SIZES[rank], 1), pooled, batch=1)


def grid_cases():
    """Layers that move positions, behind a layer whose f' they apply and before one that wants a halo."""
    small = {1: (5,), 2: (4, 3), 3: (3, 4, 2)}
    pairs = ((1, 2), (0, 1), (2, 0))
    for rank in (1, 2, 3):
        shape, ones = (*small[rank], 2), (1,) * rank
        between = {
            "pad": Margins(*pairs[:rank]),
            "crop": Margins(*((-1, -1), (0, -1), (0, -1))[:rank]),
            "pad-crop": Margins(*((-2, 3), (1, -1), (-1, 1))[:rank]),
            "repeat": UpSampling((2, 3, 1)[:rank]),
            "turn": Permute(*range(rank, -1, -1)),
        }
        for name, layer in between.items():
            yield Case(f"{name}{rank}d", shape, [layer], batch=2)
            stack = [Conv(3, ones, activation="tanh"), layer, Conv(2, (2,) * rank, padding="same"), Flatten(), Dense(1)]
            yield Case(f"{name}{rank}d-between", shape, stack, batch=2)
        for kind, keepdims in product(("max", "average"), (False, True)):
            yield Case(f"global-{kind}{rank}d-keep{keepdims:d}", shape, [GlobalPool(kind, keepdims)], batch=2)
        for kind in ("max", "average"):
            stack = [Conv(3, (2,) * rank, activation="sigmoid", padding="same"), GlobalPool(kind), Dense(2)]
            yield Case(f"global-{kind}{rank}d-between", shape, stack, batch=2)
    bilinear = [Conv(2, (1, 1), activation="relu"), UpSampling((2, 3), "bilinear"), Conv(1, (2, 2), padding="same")]
    yield Case("bilinear", (3, 2, 2), [UpSampling((3, 2), "bilinear")])
    yield Case("bilinear-one", (1, 4, 1), [UpSampling((2, 1), "bilinear")])
    yield Case("bilinear-between", (3, 2, 1), bilinear, batch=2)
    for order in ((1, 0, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0), (2, 1, 0)):
        yield Case(f"permute-{order}", (3, 2, 4), [Dense(3, "tanh"), Permute(*order), Dense(2)], batch=2)
    yield Case("permute-5d", (2, 1, 3, 2, 2), [Dense(2, "tanh"), Permute(4, 0, 2, 1, 3), Dense(1)], batch=2)
    yield Case("permute-4d", (2, 3, 2, 2), [Dense(2, "relu"), Permute(2, 0, 3, 1), Dense(1)], batch=2)
    yield Case("permute-ones", (1, 3, 1), [Dense(2, "tanh"), Permute(1, 0, 2), Dense(1)], batch=2)
    yield Case("permute-identity", (2, 3), [Dense(2), Permute(0, 1), Dense(1)])
    yield Case("permute-back", (2, 3), [Dense(4, "tanh"), Permute(1, 0), Permute(1, 0), Dense(1)])
    yield Case(
        "permute-back-reshape", (2, 3), [Dense(4, "tanh"), Permute(1, 0), Permute(1, 0), Reshape((4, 2)), Dense(1)]
    )
    yield Case("permute-back-last", (2, 3), [Dense(4, "tanh"), Permute(1, 0), Permute(1, 0)])
    yield Case("permute-activation", (2, 3), [Dense(4), Permute(1, 0), Activation("tanh"), Dense(1)])
    yield Case("permute-sigmoid", (2, 3), [Dense(4), Permute(1, 0), Activation("sigmoid")], "binary_crossentropy")
    steps = [LSTM(3, return_sequences=True), Permute(1, 0), Permute(1, 0), LSTM(2), Dense(1)]
    yield Case("permute-back-steps", (4, 2), steps)
    yield Case("rnn-permute", (4, 2), [SimpleRNN(3, return_sequences=True), Permute(1, 0), Dense(2)])
    yield Case("repeat-vector", (3,), [Dense(2, "tanh"), Reshape((1, 2)), UpSampling((4,)), SimpleRNN(2)])
    for kind in ("max", "average"):
        pool = [Dense(3, "tanh"), GlobalPool(kind), Dense(2)]
        yield Case(f"global-{kind}-rnn", (4, 2), [SimpleRNN(3, "relu", return_sequences=True), GlobalPool(kind)])
        yield Case(f"global-{kind}-embedding", (4,), [Embedding(5, 3), GlobalPool(kind), Dense(2)])
        yield Case(f"unequal-global-{kind}", (None, 2), pool, lengths=(3, 1, 4, 2), weighted=True)
        yield Case(f"unequal-global-{kind}-keep", (None, 2), [GlobalPool(kind, True), Flatten()], lengths=(3, 1))
        lstm = [LSTM(3, return_sequences=True), GlobalPool(kind), Dense(2)]
        yield Case(f"unequal-lstm-global-{kind}", (None, 2), lstm, lengths=(2, 5, 1))
        yield Case(f"stepless-global-{kind}", (None, 2), pool, lengths=(0, 3, 0, 2), weighted=True)


def first_cases():
    """channels_first: (channels, ...) outside."""

    def first(*layers):
        return [ChannelsFirst(layer) for layer in layers]

    for rank in (1, 2, 3):
        shape = (2, *SIZES[rank])
        window = (2,) * rank
        layers = {
            "conv": Conv(3, window, (2, 1, 1)[:rank], "same", "tanh"),
            "max": Pool("max", window, (1,) * rank),
            "average": Pool("average", window, None, "same"),
            "global": GlobalPool("average"),
            "global-keep": GlobalPool("max", True),
            "pad": Margins(*((1, 0), (0, 2), (1, 1))[:rank]),
            "repeat": UpSampling((2, 1, 2)[:rank]),
            "flatten": Flatten(),
        }
        for name, layer in layers.items():
            yield Case(f"first-{name}{rank}d", shape, first(layer), batch=1 if rank == 3 else 2)
    stack = first(Conv(3, (3, 2), activation="relu"), Pool("max", (2, 2)), Margins((1, 0), (0, 1)), Conv(2, (2, 2)))
    yield Case("first-stack", (2, 6, 5), [*stack, ChannelsFirst(Flatten()), Dense(2)], batch=2)
    yield Case(
        "first-conv-activation", (2, 4, 3), [*first(Conv(2, (2, 2))), Activation("tanh"), *first(Conv(1, (2, 2)))]
    )
    yield Case("first-conv-dense", (2, 4, 3), [*first(Conv(2, (2, 2), activation="sigmoid")), Dense(2)], batch=2)
    yield Case("first-one-channel", (1, 4, 4), first(Conv(1, (2, 2)), Pool("max", (2, 2)), Conv(2, (1, 1))), batch=2)
    yield Case("first-sigmoid", (2, 3, 3), first(Conv(1, (2, 2), activation="sigmoid")), "binary_crossentropy")
    yield Case("first-sigmoids", (2, 3, 3), first(Conv(2, (2, 2), activation="sigmoid")), "binary_crossentropy")
    last = [Dense(4, "sigmoid"), Reshape((2, 2))]
    yield Case("sigmoid-reshape", (2,), last, "binary_crossentropy")
    last = [Dense(4), Dropout(0.3, 1), Activation("sigmoid"), Permute(1, 0), Flatten()]
    yield Case("sigmoid-alone-permute-flatten", (3, 2), last, "binary_crossentropy")
    bilinear = first(UpSampling((2, 2), "bilinear"), Conv(2, (2, 2), activation="tanh"), GlobalPool("max", True))
    yield Case("first-bilinear", (2, 2, 3), bilinear, batch=2)


def aggregate_cases():
    for how, rank, padding in product(("max", "average", "sum"), (1, 2, 3), ("valid", "same", "explicit")):
        sides = ((1, 1), (0, 1), (1, 0))[:rank] if padding == "explicit" else padding
        for window, strides, depth in ((2, None, 1), (3, 2, 2), (2, 1, 3), (2, 3, 2)):
            windows = (window, 2, 2)[:rank]
            layers = [Aggregate(how, windows, depth, strides and (strides,) * len(windows), sides)]
            yield Case(
                f"aggregate-{how}{rank}d-{padding}-{window}-{strides}-{depth}", (*SIZES[rank], 3), layers, batch=1
            )
        between = [Dense(3, "tanh"), Aggregate(how, (2,) * rank, 2, None, sides), Flatten(), Dense(2)]
        yield Case(f"aggregate-{how}{rank}d-{padding}-between", (*SIZES[rank], 1), between, batch=2)
    halos = [
        Conv(4, (3, 3), padding="same", activation="relu"),
        Aggregate("sum", (2, 2), 3, (1, 1)),
        Conv(2, (3, 3), padding="same"),
    ]
    yield Case("aggregate-between-halos", (5, 6, 1), halos, batch=2, penalties={2: (0.01, 0.02)})
    yield Case(
        "aggregate-of-rnn", (4, 2), [SimpleRNN(4, return_sequences=True), Aggregate("average", (3,), 2, (1,), "same")]
    )
    deep = [Aggregate("max", (2, 2), 2, (1, 1)), Aggregate("sum", (2, 1), 4, (1, 2))]
    yield Case("aggregate-twice", (4, 5, 5), deep, batch=2, weighted=True)
