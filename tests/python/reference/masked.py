"""Masked sequences the literal way: every step is run, and a masked one hands the state on as it was."""

from __future__ import annotations

import numpy as np

from .activations import FORWARD
from .grids import GlobalPool
from .layer import Layer, Step
from .recurrent import GRU, LSTM, Bidirectional, ForgetGateRNN, GoBackwards, Recurrent, SimpleRNN


def next_state(cell: Recurrent, x_t: np.ndarray, state: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """(h_t,) or (h_t, c_t) from those of the step before."""
    f = FORWARD[cell.activation]
    if isinstance(cell, GRU):
        s = FORWARD[cell.recurrent_activation]
        z_x, r_x, u_x = np.split(x_t @ cell.weights[0] + cell.input_bias(), 3, axis=-1)
        z_h, r_h, u_h = np.split(state[0] @ cell.weights[1] + cell.recurrent_bias(), 3, axis=-1)
        z = s(z_x + z_h)
        return (z * state[0] + (1 - z) * f(u_x + s(r_x + r_h) * u_h),)
    nets = cell.nets(x_t, state[0])
    if isinstance(cell, SimpleRNN):
        return (f(nets[0]),)
    s = FORWARD[cell.recurrent_activation]
    if isinstance(cell, ForgetGateRNN):
        phi = s(nets[0])
        return (phi * state[0] + (1 - phi) * f(nets[1]),)
    c = s(nets[1]) * state[1] + s(nets[0]) * f(nets[2])
    return s(nets[3]) * f(c), c


def carried(cell: Recurrent, x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """h of every step, (batch, steps, units)."""
    state = tuple(np.zeros((len(x), cell.units)) for _ in range(2 if isinstance(cell, LSTM) else 1))
    h = []
    for t in range(x.shape[1]):
        new = next_state(cell, x[:, t], state)
        state = tuple(np.where(mask[:, t, None], n, old) for n, old in zip(new, state, strict=True))
        h.append(state[0])
    return np.stack(h, axis=1)


def run_masked(layers: list[Layer], x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The output of a stack of layers for x (batch, steps[, features]) and mask (batch, steps), False where masked."""
    for layer in layers:
        if isinstance(layer, GoBackwards):
            assert not layer.cell.return_sequences
            layer.cell.weights = layer.weights
            x = carried(layer.cell, x[:, ::-1], mask[:, ::-1])[:, -1]
        elif isinstance(layer, Bidirectional):
            forwards, backwards = layer.cells
            count = len(forwards.weights)
            forwards.weights, backwards.weights = layer.weights[:count], layer.weights[count:]
            h, b = carried(forwards, x, mask), carried(backwards, x[:, ::-1], mask[:, ::-1])
            h, b = (h, b[:, ::-1]) if forwards.return_sequences else (h[:, -1], b[:, -1])
            x = np.concatenate([h, b], axis=-1) if layer.merge == "concat" else h + b
        elif isinstance(layer, Recurrent):
            h = carried(layer, x, mask)
            x = h if layer.return_sequences else h[:, -1]
        elif isinstance(layer, GlobalPool):
            assert layer.kind == "average"
            x = np.where(mask[..., None], x, 0).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)[:, None]
        else:
            x = layer.forward(x, Step(False, 0, np.arange(len(x))))
    return x
