"""Batch and layer normalization, and dropout of whole channels."""

from __future__ import annotations

from itertools import product

from cases.shared import ACTIVATIONS, SIZES
from examples import Case
from reference import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Conv,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    LayerNormalization,
    Pool,
    SimpleRNN,
    SpatialDropout,
)


def normalization_cases():
    ce = "sparse_categorical_crossentropy"
    for center, scale in product((True, False), (True, False)):
        name, options = f"center{center:d}-scale{scale:d}", {"center": center, "scale": scale}
        yield Case(
            f"batch-norm-{name}", (5,), [Dense(4, use_bias=False), BatchNormalization(**options), Dense(2)], batch=6
        )
        yield Case(f"layer-norm-{name}", (5,), [Dense(4), LayerNormalization(**options), Dense(2)])
    for activation in ACTIVATIONS:  # above, below and between
        between = [
            Dense(4, activation, activation != "linear"),
            BatchNormalization(0.9),
            Activation(activation),
            Dense(2),
        ]
        yield Case(f"batch-norm-{activation}", (5,), between, batch=6)
        between = [Dense(4, activation), LayerNormalization(epsilon=0.01), Activation(activation), Dense(2)]
        yield Case(f"layer-norm-{activation}", (5,), between)
    yield Case("batch-norm-first", (5,), [BatchNormalization(), Dense(2)], batch=7, weighted=True)
    yield Case(
        "batch-norm-last", (5,), [Dense(4, use_bias=False), BatchNormalization()], batch=7, penalties={2: (0.01, 0.02)}
    )
    yield Case(
        "batch-norm-softmax-last",
        (5,),
        [Dense(4, use_bias=False), BatchNormalization(), Activation("softmax")],
        ce,
        batch=7,
    )
    yield Case(
        "batch-norm-sigmoid-last",
        (5,),
        [Dense(4, use_bias=False), BatchNormalization(), Activation("sigmoid")],
        batch=7,
    )
    yield Case(
        "batch-norm-twice", (5,), [BatchNormalization(0.5), Activation("tanh"), BatchNormalization(), Dense(2)], batch=7
    )
    yield Case("batch-norm-one-sample", (3, 2), [Dense(4, use_bias=False), BatchNormalization(), Dense(2)], batch=1)
    yield Case("layer-norm-first", (5,), [LayerNormalization(), Dense(2)], weighted=True)
    yield Case("layer-norm-last", (5,), [Dense(4), LayerNormalization()], penalties={2: (0.01, 0.02)})
    for make in (BatchNormalization, LayerNormalization):
        name = make.__name__.removesuffix("Normalization").lower() + "-norm"
        for rank in (1, 2, 3):
            same = {"padding": "same", "activation": "relu"}  # halos on both sides
            layers = [Conv(3, (2,) * rank, **same), make(), Conv(2, (3,) * rank, padding="same")]
            yield Case(f"{name}-conv{rank}d", (*SIZES[rank], 2), layers, batch=2)
        pooled = [
            Conv(3, (3, 3), use_bias=False),
            make(),
            Activation("relu"),
            Pool("max", (2, 2)),
            Flatten(),
            Dropout(0.3, 2),
            make(),
        ]
        yield Case(f"{name}-pool", (6, 6, 1), [*pooled, Dense(3, "softmax")], ce, batch=5)
        steps = [LSTM(3, return_sequences=True), make(), Activation("tanh"), GRU(2, return_sequences=True), make()]
        yield Case(f"{name}-steps", (4, 2), [Dense(3, "tanh"), make(), *steps], weighted="steps")
        yield Case(f"{name}-steps-flatten", (4, 2), [SimpleRNN(3, return_sequences=True), make(), Flatten(), Dense(2)])
        yield Case(f"{name}-rank4", (2, 2, 3, 2, 3), [make(), Dense(2)], batch=2)
        yield Case(f"{name}-embedding", (4,), [Embedding(5, 3), make(), Dense(2)], batch=4)
    for count in (2, 3):
        layers = [Conv(2, (2, 2), activation="relu"), LayerNormalization(count), Conv(2, (2, 2), padding="same")]
        yield Case(f"layer-norm-axes{count}", (4, 5, 2), layers, batch=2)
    yield Case("layer-norm-axes-of-steps", (4, 3), [LSTM(3, return_sequences=True), LayerNormalization(2), Dense(2)])
    unequal = [Dense(3, "tanh"), LayerNormalization(), LSTM(3, return_sequences=True), LayerNormalization(), Dense(2)]
    yield Case("layer-norm-unequal", (None, 2), unequal, lengths=(4, 1, 5, 2), weighted=True)
    yield Case("layer-norm-stepless", (None, 2), [*unequal[:2], LSTM(3), LayerNormalization()], lengths=(0, 3, 0, 2))
    yield Case("spatial-dropout-1d", (5, 3), [Conv(4, (2,), activation="relu"), SpatialDropout(0.4, 7), Dense(2)])
    yield Case("spatial-dropout-2d", (4, 3, 3), [Dropout(0.2, 3), SpatialDropout(0.4, 2**40 + 5), Conv(2, (2, 2))])
    yield Case("spatial-dropout-3d", (3, 2, 3, 5), [Dense(9, "tanh"), SpatialDropout(0.5, 8), Dense(2)], batch=2)
    unequal = [Dense(5, "tanh"), SpatialDropout(0.4, 5), LSTM(3, return_sequences=True), SpatialDropout(0.3, 6)]
    yield Case("spatial-dropout-unequal", (None, 2), unequal, lengths=(4, 1, 5, 2))
