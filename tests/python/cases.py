"""Every layer x option x loss x regularizer of the library, as small networks for the gradient checks."""

from __future__ import annotations

from itertools import product

from examples import Case
from reference import (
    GRU,
    LSTM,
    Activation,
    Aggregate,
    Bidirectional,
    Conv,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    ForgetGateRNN,
    GoBackwards,
    Pool,
    Reshape,
    SimpleRNN,
)

ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "softmax")
CELL_ACTIVATIONS = ACTIVATIONS[:-1]
SIZES = {1: (7,), 2: (6, 5), 3: (4, 5, 3)}  # spatial extents by rank, none a multiple of every stride


def dense_cases():
    for activation, bias in product(ACTIVATIONS, (True, False)):
        yield Case(f"dense-{activation}-bias{bias:d}", (4,), [Dense(3, activation, bias)])
    yield Case("dense-per-step", (4, 3), [Dense(3, "tanh"), Dense(2)])
    yield Case("dense-on-images", (2, 3, 2), [Dense(3, "sigmoid")])
    for activation in ACTIVATIONS:
        yield Case(f"activation-{activation}", (4,), [Dense(3), Activation(activation), Dense(2)])
        yield Case(f"activation-first-{activation}", (3, 4), [Activation(activation)])
    yield Case("reshape-flatten", (2, 6), [Reshape((3, -1)), Dense(2, "tanh"), Flatten(), Dense(2)])
    yield Case("dropout", (5,), [Dropout(0.4, 7), Dense(6, "tanh"), Dropout(0.5, 8), Dense(2)])
    yield Case("dropout-last", (5,), [Dense(6, "tanh"), Dropout(0.3, 2**40 + 5)])
    yield Case("dropout-0", (5,), [Dense(6, "tanh"), Dropout(0.0, 1), Dense(2)])
    yield Case("dropout-relu", (5,), [Dense(6, "relu"), Dropout(0.4, 3), Dense(2)])
    yield Case("dropout-softmax", (5,), [Dense(6, "softmax"), Dropout(0.4, 3), Dense(2)])


def loss_cases():
    outputs = [("mean_squared_error", a, False) for a in ACTIVATIONS]
    for name in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        outputs += [(name, "softmax", False), (name, "linear", True), (name, "tanh", True)]
    bce = "binary_crossentropy"
    outputs += [(bce, "sigmoid", False), (bce, "linear", True), (bce, "relu", True)]
    for loss, activation, logits in outputs:
        name = f"{loss}-{activation}-logits{logits:d}"
        for shape, weighted in (((4,), False), ((3, 4), True)):
            layers = [Dense(3, "tanh"), Dense(4, activation)]
            yield Case(f"{name}-rank{len(shape)}", shape, layers, loss, logits, weighted=weighted)
    # the loss after a layer of its own, and after one without weights between
    yield Case("ce-activation", (4,), [Dense(3), Activation("softmax")], "categorical_crossentropy")
    yield Case("ce-reshape", (6,), [Dense(6), Reshape((2, 3)), Activation("softmax")], "categorical_crossentropy")
    yield Case("bce-activation", (4,), [Dense(3), Activation("sigmoid")], bce, weighted=True)
    yield Case("bce-one-unit", (4,), [Dense(1, "sigmoid")], bce)
    yield Case("mse-images", (5, 4, 2), [Conv(2, (2, 2), activation="tanh")], weighted=True)
    yield Case("ce-images", (4, 4, 1), [Conv(3, (2, 2), activation="softmax")], "categorical_crossentropy")
    yield Case("ce-many-classes", (3,), [Dense(37, "softmax")], "sparse_categorical_crossentropy", batch=2)


def penalty_cases():
    penalties = {"l1": (0.01, 0.0), "l2": (0.0, 0.02), "l1l2": (0.01, 0.03)}
    for name, p in penalties.items():
        yield Case(f"{name}-dense", (3,), [Dense(3, "tanh"), Dense(2)], penalties={0: p, 3: p})
        yield Case(f"{name}-conv", (5, 4, 1), [Conv(2, (3, 2))], penalties={0: p}, weighted=True)
        yield Case(f"{name}-rnn", (3, 2), [SimpleRNN(3)], penalties={0: p, 1: p})
        yield Case(f"{name}-lstm", (3, 2), [LSTM(2)], penalties={0: p, 1: p})
        yield Case(f"{name}-embedding", (3,), [Embedding(4, 2), Flatten()], penalties={0: p})


def conv_cases():
    for rank, padding, stride in product((1, 2, 3), ("valid", "same", "explicit"), (1, 2, 3)):
        kernel = (3, 2, 2)[:rank]
        sides = tuple(zip((2, 0, 1), (0, 1, 2), strict=True))[:rank] if padding == "explicit" else padding
        strides = (stride, 1 + stride % 2, stride)[:rank]
        shape = (*SIZES[rank], 2)
        layers = [Conv(2, kernel, strides, sides, "tanh")]
        yield Case(f"conv{rank}d-{padding}-stride{stride}", shape, layers, batch=2)
    for rank, activation, bias in product((1, 2, 3), ACTIVATIONS, (True, False)):
        if rank != 2 and bias:
            continue
        layers = [Conv(3, (2,) * rank, activation=activation, use_bias=bias)]
        yield Case(f"conv{rank}d-{activation}-bias{bias:d}", (*SIZES[rank], 1), layers, batch=1)
    yield Case("conv2d-1x1", (3, 3, 3), [Conv(4, (1, 1), activation="relu")])
    yield Case("conv2d-1x1-stride2", (5, 4, 2), [Conv(2, (1, 1), (2, 2))])
    yield Case("conv2d-whole", (3, 4, 2), [Conv(3, (3, 4)), Flatten(), Dense(2)])
    yield Case("conv2d-stride-over-kernel", (7, 7, 1), [Conv(2, (2, 2), (3, 3), "same"), Conv(1, (2, 2))])
    yield Case("conv2d-twice", (5, 5, 1), [Conv(2, (3, 3), (2, 1), "same", "relu"), Conv(2, (2, 3), (1, 2))])
    yield Case("conv2d-no-bias-twice", (5, 5, 1), [Conv(2, (3, 3), use_bias=False), Conv(2, (2, 2))])
    yield Case("conv1d-sequence", (6, 3), [Conv(2, (3,), activation="tanh", padding="same"), SimpleRNN(2)])


def pool_cases():
    for kind, rank, padding in product(("max", "average"), (1, 2, 3), ("valid", "same", "explicit")):
        sides = ((1, 1), (0, 1), (1, 0))[:rank] if padding == "explicit" else padding
        for window, strides in ((2, None), (3, 2), (2, 1), (2, 3)):
            windows = (window, 2, 2)[:rank]
            layers = [Pool(kind, windows, strides and (strides,) * len(windows), sides)]
            yield Case(f"{kind}{rank}d-{padding}-{window}-{strides}", (*SIZES[rank], 2), layers, batch=1)
        pooled = [Dense(2), Pool(kind, (2,) * rank, None, sides), Flatten(), Dense(2)]
        yield Case(f"{kind}{rank}d-{padding}-between", (*SIZES[rank], 1), pooled, batch=1)


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


def reset_first(*arguments, **options) -> GRU:
    return GRU(*arguments, **options, reset_after=False)


def recurrent_cases():
    for activation, bias, sequences in product(CELL_ACTIVATIONS, (True, False), (True, False)):
        layers = [SimpleRNN(3, activation, bias, sequences)]
        yield Case(f"rnn-{activation}-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for activation, gate in product(CELL_ACTIVATIONS, CELL_ACTIVATIONS):
        layers = [LSTM(2, activation, gate, True, True)]
        yield Case(f"lstm-{activation}-{gate}", (3, 2), layers, batch=2)
    for bias, sequences in product((True, False), (True, False)):
        layers = [LSTM(3, use_bias=bias, return_sequences=sequences)]
        yield Case(f"lstm-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for activation, gate in product(CELL_ACTIVATIONS, CELL_ACTIVATIONS[1:]):  # a linear gate lets h grow without bound
        layers = [ForgetGateRNN(2, activation, gate, True, True)]
        yield Case(f"forget-gate-{activation}-{gate}", (3, 2), layers, batch=2)
    for bias, sequences in product((True, False), (True, False)):
        layers = [ForgetGateRNN(3, use_bias=bias, return_sequences=sequences)]
        yield Case(f"forget-gate-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for activation, gate in product(CELL_ACTIVATIONS, CELL_ACTIVATIONS[1:]):
        layers = [GRU(2, activation, gate, True, True)]
        yield Case(f"gru-{activation}-{gate}", (3, 2), layers, batch=2)
    for bias, sequences in product((True, False), (True, False)):
        layers = [GRU(3, use_bias=bias, return_sequences=sequences)]
        yield Case(f"gru-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for activation, gate in product(CELL_ACTIVATIONS, CELL_ACTIVATIONS[1:]):
        layers = [reset_first(2, activation, gate, True, True)]
        yield Case(f"reset-first-{activation}-{gate}", (3, 2), layers, batch=2)
    for bias, sequences in product((True, False), (True, False)):
        layers = [reset_first(3, use_bias=bias, return_sequences=sequences)]
        yield Case(f"reset-first-bias{bias:d}-sequences{sequences:d}", (4, 2), layers)
    for cell, sequences in product((SimpleRNN, ForgetGateRNN, LSTM, GRU, reset_first), (True, False)):
        for rates in ((0.0, 0.4), (0.3, 0.0), (0.3, 0.4)):
            dropping = cell(3, return_sequences=sequences).drop(*rates, seed=7)
            name = f"cell-dropout-{cell.__name__}-sequences{sequences:d}-{rates[0]}-{rates[1]}"
            yield Case(name, (4, 5), [Dense(5, "tanh"), dropping])
    both = [cell(2).drop(0.3, 0.5, seed) for seed, cell in enumerate((GRU, LSTM))]
    yield Case("cell-dropout-bidirectional", (4, 2), [Dropout(0.3, 1), Bidirectional(*both), Dropout(0.3, 2)])
    yield Case("conv-cell-dropout", (6, 3), [Conv(3, (3,), activation="tanh"), LSTM(2).drop(0.3, 0.4, 5)])
    for cell, sequences in product((SimpleRNN, ForgetGateRNN, LSTM, GRU, reset_first), (True, False)):
        name = f"{cell.__name__}-sequences{sequences:d}"
        yield Case(f"backwards-{name}", (4, 2), [GoBackwards(cell(3, return_sequences=sequences))])
        for merge in ("concat", "sum", "ave", "mul"):
            both = [cell(3, return_sequences=sequences) for _ in range(2)]
            yield Case(f"bidirectional-{name}-{merge}", (4, 2), [Dense(2, "tanh"), Bidirectional(*both, merge)])
    mixed = Bidirectional(LSTM(2, use_bias=False, return_sequences=True), SimpleRNN(3, "relu", return_sequences=True))
    yield Case("bidirectional-mixed", (4, 2), [mixed, LSTM(2)])
    yield Case(
        "bidirectional-conv",
        (6, 3),
        [Bidirectional(LSTM(2, return_sequences=True), LSTM(2, return_sequences=True)), Conv(2, (3,))],
    )
    yield Case("conv-bidirectional", (6, 3), [Conv(2, (3,), activation="tanh"), Bidirectional(LSTM(2), LSTM(2))])
    yield Case("bidirectional-one-step", (1, 3), [Bidirectional(LSTM(2), LSTM(2))])
    yield Case("rnn-one-step", (1, 3), [SimpleRNN(2)])
    yield Case("lstm-one-step", (1, 3), [LSTM(2, return_sequences=True)])
    yield Case("lstm-run-time-steps", (None, 2), [LSTM(2, return_sequences=True)], lengths=(3, 3))
    yield Case("embedding", (4,), [Embedding(5, 3)])
    yield Case("embedding-images", (3, 2), [Embedding(4, 3)])
    yield Case("embedding-flatten", (4,), [Embedding(3, 2), Flatten(), Dense(2)])


def unequal_cases():
    ce, lengths = "sparse_categorical_crossentropy", (4, 1, 5, 2)
    for sequences, weighted in product((True, False), (True, False)):
        stacks = {
            "rnn": [SimpleRNN(3, return_sequences=sequences), Dense(2)],
            "rnn-relu": [SimpleRNN(3, "relu", return_sequences=sequences), Dense(2)],
            "lstm": [LSTM(3, return_sequences=sequences), Dense(2)],
            "lstm-lstm": [LSTM(2, return_sequences=True), LSTM(2, return_sequences=sequences)],
            "reset-first": [Dense(2, "tanh"), reset_first(3, return_sequences=sequences).drop(0.3, 0.4, 3), Dense(2)],
            "reset-first-backwards": [GoBackwards(reset_first(3, return_sequences=sequences)), Dense(2)],
            "gru": [Dense(2, "tanh"), GRU(3, return_sequences=sequences), Dense(2)],
            "gru-dropping": [Dense(2, "tanh"), GRU(3, return_sequences=sequences).drop(0.3, 0.4, 3)],
            "backwards-gru": [GoBackwards(GRU(3, return_sequences=sequences)), Dense(2)],
            "backwards-dropping": [GoBackwards(LSTM(3, return_sequences=sequences).drop(0.3, 0.4, 3)), Dense(2)],
            "forget-gate": [Dense(2, "tanh"), ForgetGateRNN(3, return_sequences=sequences), Dense(2)],
            "backwards-rnn": [GoBackwards(SimpleRNN(3, return_sequences=sequences)), Dense(2)],
            "backwards-lstm": [Dense(2, "tanh"), GoBackwards(LSTM(3, return_sequences=sequences))],
            "backwards-forget": [GoBackwards(ForgetGateRNN(3, return_sequences=sequences)), Dense(2)],
            "both": [Dense(2, "tanh"), Bidirectional(*[LSTM(3, return_sequences=sequences) for _ in range(2)])],
            "both-rnn": [Bidirectional(*[SimpleRNN(3, return_sequences=sequences) for _ in range(2)]), Dense(2)],
            "both-mul": [Bidirectional(*[ForgetGateRNN(2, return_sequences=sequences) for _ in range(2)], "mul")],
            "dense-lstm": [Dense(2, "tanh"), LSTM(2, return_sequences=sequences), Activation("tanh")],
            "dropout-lstm": [Dropout(0.4, 5), LSTM(3, return_sequences=sequences), Dropout(0.3, 6), Dense(2)],
        }
        for name, layers in stacks.items():
            name = f"unequal-{name}-sequences{sequences:d}-weights{weighted:d}"
            yield Case(name, (None, 2), layers, lengths=lengths, weighted=weighted)
    yield Case("unequal-dense", (None, 3), [Dense(3, "softmax")], ce, lengths=lengths)
    text = [Embedding(5, 2), LSTM(3, return_sequences=True), LSTM(2, return_sequences=True), Dense(5, "softmax")]
    yield Case("unequal-text", (None,), text, ce, lengths=lengths, weighted=True)
    yield Case("unequal-text-last", (None,), [Embedding(4, 2), LSTM(3), Dense(3, "softmax")], ce, lengths=lengths)
    yield Case("unequal-one", (None, 2), [LSTM(2, return_sequences=True)], lengths=(5,))


def step_weight_cases():
    ce = "sparse_categorical_crossentropy"
    yield Case("step-weights-lstm", (4, 2), [LSTM(3, return_sequences=True), Dense(2)], weighted="steps")
    yield Case("step-weights-text", (4,), [Embedding(5, 2), Dense(3, "softmax")], ce, weighted="steps")
    yield Case("step-weights-conv", (6, 2), [Conv(3, (3,), padding="same")], weighted="steps")
    stack = [Dense(2, "tanh"), SimpleRNN(3, return_sequences=True), Dense(3, "softmax")]
    yield Case("step-weights-unequal", (None, 2), stack, ce, lengths=(2, 5, 1, 3), weighted="steps")
    both = [Bidirectional(*[LSTM(2, return_sequences=True) for _ in range(2)]), Dense(1, "sigmoid")]
    yield Case("step-weights-sigmoid", (None, 2), both, "binary_crossentropy", lengths=(2, 4), weighted="steps")


def stepless_cases():
    """Samples of no steps, as those are whose steps are all masked: they end in the zero state."""
    for sequences in (True, False):
        stacks = {
            "rnn": [SimpleRNN(3, return_sequences=sequences), Dense(2)],
            "lstm": [Dense(2, "tanh"), LSTM(3, return_sequences=sequences), Activation("sigmoid"), Dense(2, "tanh")],
            "lstm-lstm": [LSTM(2, return_sequences=True), Dropout(0.4, 5), LSTM(2, return_sequences=sequences)],
            "forget-gate": [ForgetGateRNN(3, return_sequences=sequences)],
            "backwards-lstm": [GoBackwards(LSTM(3, return_sequences=sequences)), Dense(2, "softmax")],
            "both": [Bidirectional(*[LSTM(3, return_sequences=sequences) for _ in range(2)]), Dense(2)],
            "both-ave": [Bidirectional(*[SimpleRNN(2, return_sequences=sequences) for _ in range(2)], "ave")],
        }
        for name, layers in stacks.items():
            weighted = "steps" if sequences else True
            yield Case(f"stepless-{name}-{sequences:d}", (None, 2), layers, lengths=(0, 3, 0, 2, 1), weighted=weighted)
    yield Case("stepless-all", (None, 2), [LSTM(3), Dense(2)], lengths=(0, 0))
    text = [Embedding(5, 2), LSTM(3), Dense(4, "softmax")]
    yield Case("stepless-text", (None,), text, "sparse_categorical_crossentropy", lengths=(2, 0, 3))


def stack_cases():
    ce = "sparse_categorical_crossentropy"
    lenet = [
        Conv(2, (3, 3), padding="same", activation="relu"),
        Pool("max", (2, 2)),
        Conv(3, (2, 2), activation="relu"),
        Flatten(),
        Dropout(0.3, 11),
        Dense(3, "softmax"),
    ]
    yield Case("lenet", (6, 6, 1), lenet, ce, batch=2, penalties={0: (0, 0.01), 4: (0.01, 0)})
    average = [Conv(2, (3,), activation="tanh"), Pool("average", (2,)), Conv(2, (2,)), Flatten(), Dense(2)]
    yield Case("conv1d-pool-conv-flatten-dense", (9, 2), average)
    volume = [Conv(2, (2, 2, 2), activation="relu"), Pool("max", (1, 2, 2)), Flatten(), Dense(2)]
    yield Case("conv3d-pool-flatten-dense", (3, 5, 3, 1), volume, batch=1)
    text = [Embedding(5, 3), LSTM(3, return_sequences=True), LSTM(2, return_sequences=True), Dense(5, "softmax")]
    yield Case("embedding-lstm-lstm-dense", (4,), text, ce, batch=2)
    yield Case("reshape-rnn", (3, 4, 1), [Reshape((3, 4)), SimpleRNN(3), Dense(3, "softmax")], ce)
    yield Case("rnn-reshape-conv", (4, 2), [SimpleRNN(4, return_sequences=True), Reshape((4, 2, 2)), Conv(2, (2, 2))])
    yield Case("lstm-flatten-dense", (3, 2), [LSTM(3, return_sequences=True), Flatten(), Dense(2, "softmax")], ce)
    # the same memory under other shapes behind a layer that lies by time
    steps = [LSTM(5, return_sequences=True), Dense(6, "tanh"), Reshape((6, 4)), Flatten(), Dense(2)]
    yield Case("lstm-dense-reshape-flatten-dense", (4, 3), steps)
    steps = [LSTM(5, return_sequences=True), Dense(6, "sigmoid"), Reshape((6, 4)), Reshape((2, 12))]
    yield Case("lstm-dense-reshape-reshape", (4, 3), steps)
    yield Case("rnn-lstm-dropout", (4, 2), [SimpleRNN(3, return_sequences=True), Dropout(0.5, 9), LSTM(2), Dense(1)])
    yield Case("dropout-conv", (5, 5, 1), [Conv(3, (2, 2), activation="tanh"), Dropout(0.4, 1), Conv(2, (2, 2))])
    yield Case("mlp-deep", (4,), [Dense(5, "relu"), Dense(5, "sigmoid"), Dense(5, "relu"), Dense(2)])
    yield Case("images-to-steps", (3, 4, 2), [Conv(3, (2, 2)), Reshape((2, -1)), LSTM(2, return_sequences=True)])


CASES = [
    case
    for cases in (
        dense_cases,
        loss_cases,
        penalty_cases,
        conv_cases,
        pool_cases,
        aggregate_cases,
        recurrent_cases,
        unequal_cases,
        step_weight_cases,
        stepless_cases,
        stack_cases,
    )
    for case in cases()
]
NAMES = [case.name for case in CASES]
assert len(set(NAMES)) == len(NAMES)
