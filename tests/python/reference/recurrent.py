"""Recurrent layers, forward and backward through time (26.1, 26.2). x is (batch, steps, d), h_0 = c_0 = 0 if not given.

In backward, grad_h is what reaches h_t: from the reader above (W_o·δ_t^o) and, through the recurrent weights, from the
deltas of step t+1. δ is always the gradient to a net value. The weight gradients are sums over t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .activations import DERIVATIVE, FORWARD, kink_distance
from .dropout import mask
from .layer import Layer, Shape, Step


@dataclass
class Dropping:
    """One mask for all steps of a sample."""

    rate: float = 0.0
    ordinal: int = 0  # among the network's masks

    def scale(self, size: int, step: Step, seed: int) -> np.ndarray:
        if not (step.training and self.rate):
            return np.ones((len(step.samples), size))
        keep = 1 - self.rate
        return np.stack([mask(size, int(i), step.call, self.ordinal, seed, keep) for i in step.samples]) / keep


class Recurrent(Layer):
    """What the cells share: `gates` nets of m units, one kernel (d, gates m), recurrent_kernel (m, gates m), bias."""

    gates = 1
    states = 1  # h; and c

    def __init__(self, units: int, use_bias: bool = True, return_sequences: bool = False) -> None:
        super().__init__()
        self.units, self.use_bias, self.return_sequences = units, use_bias, return_sequences
        self.seed, self.dropping = 0, (Dropping(), Dropping())  # of x and of h
        self.scale: np.ndarray | float = 1.0  # of h in the recurrent product
        self.initial: list[np.ndarray] | None = None  # states before the first step, (samples, m) each
        self.final: list[np.ndarray] = []  # those behind the last one, of the samples seen last

    def drop(self, input_rate: float, recurrent_rate: float, seed: int) -> Recurrent:
        """While training the products see x_t ⊙ u / (1 - rate), h_{t-1} likewise: one u for all steps of a sample."""
        self.seed, self.dropping = seed, (Dropping(input_rate), Dropping(recurrent_rate))
        return self

    def recurrent(self) -> list[Recurrent]:
        return [self]

    def droppers(self) -> list[Dropping]:
        return [drop for drop in self.dropping if drop.rate]

    def begin(self, x: np.ndarray, step: Step) -> list[np.ndarray]:
        """The states before the first step; draws the mask of h."""
        self.margin = np.inf
        of_input, of_state = self.dropping
        self.input_scale = of_input.scale(x.shape[-1], step, self.seed)[:, None]
        self.scale = of_state.scale(self.units, step, self.seed)
        self.x = x * self.input_scale
        if self.initial is None:
            return [np.zeros((len(x), self.units)) for _ in range(self.states)]
        return [state[step.samples] for state in self.initial]

    def build(self, shape: Shape) -> Shape:
        steps, features = shape
        width = self.gates * self.units
        self.weights = [np.zeros((features, width)), np.zeros((self.units, width))] + [np.zeros(width)] * self.use_bias
        return (steps, self.units) if self.return_sequences else (self.units,)

    def nets(self, x_t: np.ndarray, h: np.ndarray) -> list[np.ndarray]:
        """W_iᵀx_t + W_hᵀh_{t-1} + b of each gate."""
        net = x_t @ self.weights[0] + (h * self.scale) @ self.weights[1]
        if self.use_bias:
            net = net + self.weights[2]
        return np.split(net, self.gates, axis=-1)

    def sent_back(self, delta: np.ndarray) -> np.ndarray:
        """W_h·δ_{t+1}, through the mask."""
        return (delta @ self.weights[1].T) * self.scale

    def outputs(self, h: list[np.ndarray]) -> np.ndarray:
        """h[0] is h_0."""
        return in_time(h[1:], h[0]) if self.return_sequences else h[-1]

    def from_above(self, grad: np.ndarray, t: int, steps: int) -> np.ndarray:
        """W_o·δ_t^o: what the reader of h_t sends back; only the last h has a reader without return_sequences."""
        if self.return_sequences:
            return grad[:, t - 1]
        return grad if t == steps else np.zeros_like(grad)

    def finish(self, h: list[np.ndarray], deltas: list[np.ndarray]) -> np.ndarray:
        """∇W_i = Σ_t x_t·δ_tᵀ, ∇W_h = Σ_t h_{t-1}·δ_tᵀ, ∇b = Σ_t δ_t; returns ∂E/∂x_t = W_i·δ_t."""
        self.deltas = deltas
        self.gradients = [np.zeros_like(w) for w in self.weights]
        for t in range(self.x.shape[1]):
            self.gradients[0] += self.x[:, t].T @ deltas[t]
            self.gradients[1] += (h[t] * self.scale).T @ deltas[t]
            if self.use_bias:
                self.gradients[2] += deltas[t].sum(axis=0)
        return in_time([delta @ self.weights[0].T for delta in deltas], self.x[:, :0].sum(axis=1)) * self.input_scale


def in_time(steps: list[np.ndarray], like: np.ndarray) -> np.ndarray:
    """(batch, steps, ...) from arrays (batch, ...), of which there may be none: `like` has their shape."""
    return np.stack(steps, axis=1) if steps else np.zeros((len(like), 0, *like.shape[1:]))


class SimpleRNN(Recurrent):
    """h_t = f(W_iᵀx_t + W_hᵀh_{t-1} + b_h)."""

    def __init__(self, units, activation="tanh", use_bias=True, return_sequences=False) -> None:
        super().__init__(units, use_bias, return_sequences)
        self.activation = activation

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.h = self.begin(x, step)
        for t in range(1, x.shape[1] + 1):
            (net,) = self.nets(self.x[:, t - 1], self.h[t - 1])
            self.margin = min(self.margin, kink_distance(self.activation, net))
            self.h.append(FORWARD[self.activation](net))
        self.final = [self.h[-1]]
        return self.outputs(self.h)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        steps = self.x.shape[1]
        deltas, delta_next = [], np.zeros_like(self.h[0])
        for t in range(steps, 0, -1):
            # δ_t^h = ∂f_t^h ⊙ (W_o·δ_t^o + W_h·δ_{t+1}^h)
            grad_h = self.from_above(grad, t, steps) + self.sent_back(delta_next)
            delta_next = DERIVATIVE[self.activation](self.h[t]) * grad_h
            deltas.insert(0, delta_next)
        return self.finish(self.h, deltas)


class LSTM(Recurrent):
    """κ, φ, ω = σ(nets), u = f(net); c_t = κ_t ⊙ u_t + φ_t ⊙ c_{t-1}; h_t = ω_t ⊙ f(c_t) (26.2.2).

    Order in the weights: κ φ u ω (Keras' i f g o). The chapter's σ is recurrent_activation, its tanh activation.
    """

    gates = 4
    states = 2

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, return_sequences=False):
        super().__init__(units, use_bias, return_sequences)
        self.activation, self.recurrent_activation = activation, recurrent_activation

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        f, s = FORWARD[self.activation], FORWARD[self.recurrent_activation]
        h_0, c_0 = self.begin(x, step)
        self.h, self.c, self.cells = [h_0], [c_0], [None]
        for t in range(1, x.shape[1] + 1):
            nets = self.nets(self.x[:, t - 1], self.h[t - 1])
            kappa, phi, u, omega = s(nets[0]), s(nets[1]), f(nets[2]), s(nets[3])
            c = kappa * u + phi * self.c[t - 1]
            self.c.append(c)
            self.h.append(omega * f(c))
            self.cells.append((kappa, phi, u, omega, f(c)))
            kinks = [kink_distance(self.recurrent_activation, nets[i]) for i in (0, 1, 3)]
            self.margin = min(self.margin, *kinks, kink_distance(self.activation, nets[2]))
            if self.activation == "relu":  # c_t = 0 exactly where both its terms are 0: no kink within reach
                self.margin = min(self.margin, float(np.abs(c[c != 0]).min(initial=np.inf)))
        self.final = [self.h[-1], self.c[-1]]
        return self.outputs(self.h)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        df, ds = DERIVATIVE[self.activation], DERIVATIVE[self.recurrent_activation]
        steps = self.x.shape[1]
        deltas: list[np.ndarray] = []
        delta_next = np.zeros((len(self.x), 4 * self.units))  # δ^κ, δ^φ, δ^u, δ^ω of step t+1 side by side
        carry = np.zeros_like(self.c[0])  # δ_{t+1}^c ⊙ φ_{t+1}
        for t in range(steps, 0, -1):
            kappa, phi, u, omega, fc = self.cells[t]
            # δ_t^h = W_o·δ_t^o + W_hκ·δ_{t+1}^κ + W_hφ·δ_{t+1}^φ + W_hu·δ_{t+1}^u + W_hω·δ_{t+1}^ω
            delta_h = self.from_above(grad, t, steps) + self.sent_back(delta_next)
            # δ_t^c = δ_t^h ⊙ ω_t ⊙ (1 - tanh²(c_t)) + δ_{t+1}^c ⊙ φ_{t+1}
            delta_c = delta_h * omega * df(fc) + carry
            # δ_t^κ = δ_t^c ⊙ u_t ⊙ κ_t ⊙ (1 - κ_t)
            delta_kappa = delta_c * u * ds(kappa)
            # δ_t^φ = δ_t^c ⊙ c_{t-1} ⊙ φ_t ⊙ (1 - φ_t)
            delta_phi = delta_c * self.c[t - 1] * ds(phi)
            # δ_t^u = δ_t^c ⊙ κ_t ⊙ (1 - u_t²)
            delta_u = delta_c * kappa * df(u)
            # δ_t^ω = δ_t^h ⊙ tanh(c_t) ⊙ ω_t ⊙ (1 - ω_t)
            delta_omega = delta_h * fc * ds(omega)
            carry = delta_c * phi
            delta_next = np.concatenate([delta_kappa, delta_phi, delta_u, delta_omega], axis=-1)
            deltas.insert(0, delta_next)
        return self.finish(self.h, deltas)


class ForgetGateRNN(Recurrent):
    """φ_t = σ(net), u_t = f(net); h_t = φ_t ⊙ h_{t-1} + (1 - φ_t) ⊙ u_t (26.2.1). Order in the weights: φ u.

    The chapter's σ is recurrent_activation, its tanh activation.
    """

    gates = 2

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, return_sequences=False):
        super().__init__(units, use_bias, return_sequences)
        self.activation, self.recurrent_activation = activation, recurrent_activation

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        f, s = FORWARD[self.activation], FORWARD[self.recurrent_activation]
        self.h, self.cells = self.begin(x, step), [None]
        for t in range(1, x.shape[1] + 1):
            net_phi, net_u = self.nets(self.x[:, t - 1], self.h[t - 1])
            kinks = [kink_distance(self.recurrent_activation, net_phi), kink_distance(self.activation, net_u)]
            self.margin = min(self.margin, *kinks)
            phi, u = s(net_phi), f(net_u)
            self.h.append(phi * self.h[t - 1] + (1 - phi) * u)
            self.cells.append((phi, u))
        self.final = [self.h[-1]]
        return self.outputs(self.h)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        df, ds = DERIVATIVE[self.activation], DERIVATIVE[self.recurrent_activation]
        steps = self.x.shape[1]
        deltas: list[np.ndarray] = []
        delta_next = np.zeros((len(self.x), 2 * self.units))  # δ^φ, δ^u of step t+1 side by side
        carry = np.zeros_like(self.h[0])  # δ_{t+1}^h ⊙ φ_{t+1}
        for t in range(steps, 0, -1):
            phi, u = self.cells[t]
            # δ_t^h = W_o·δ_t^o + W_hφ·δ_{t+1}^φ + W_hu·δ_{t+1}^u + δ_{t+1}^h ⊙ φ_{t+1}
            delta_h = self.from_above(grad, t, steps) + self.sent_back(delta_next) + carry
            # δ_t^φ = δ_t^h ⊙ (h_{t-1} - u_t) ⊙ φ_t ⊙ (1 - φ_t)
            delta_phi = delta_h * (self.h[t - 1] - u) * ds(phi)
            # δ_t^u = δ_t^h ⊙ (1 - φ_t) ⊙ (1 - u_t²)
            delta_u = delta_h * (1 - phi) * df(u)
            carry = delta_h * phi
            delta_next = np.concatenate([delta_phi, delta_u], axis=-1)
            deltas.insert(0, delta_next)
        return self.finish(self.h, deltas)


class GRU(Recurrent):
    """z, r = σ(nets), u = f(net); h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ u_t (Cho et al. 2014). Order in the weights: z r u.

    reset_after (Keras', cuDNN's): net_u = W_uᵀx_t + b_u + r_t ⊙ (U_uᵀh_{t-1} + d_u), bias (2, 3 m): b, then d.
    Else: net_u = W_uᵀx_t + b_u + U_uᵀ(r_t ⊙ h_{t-1}), bias (3 m).
    """

    gates = 3

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, return_sequences=False,
        reset_after=True,
    ):  # fmt: skip
        super().__init__(units, use_bias, return_sequences)
        self.activation, self.recurrent_activation = activation, recurrent_activation
        self.reset_after = reset_after

    def build(self, shape: Shape) -> Shape:
        out = super().build(shape)
        if self.use_bias and self.reset_after:
            self.weights[2] = np.zeros((2, 3 * self.units))
        return out

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        f, s = FORWARD[self.activation], FORWARD[self.recurrent_activation]
        self.h, self.cells = self.begin(x, step), [None]
        for t in range(1, x.shape[1] + 1):
            z_x, r_x, u_x = np.split(self.x[:, t - 1] @ self.weights[0] + self.input_bias(), 3, axis=-1)
            seen = self.h[t - 1] * self.scale
            z_h, r_h, u_h = np.split(seen @ self.weights[1] + self.recurrent_bias(), 3, axis=-1)
            z, r = s(z_x + z_h), s(r_x + r_h)
            if not self.reset_after:
                u_h = (r * seen) @ self.weights[1][:, 2 * self.units :]
            net_u = u_x + (r * u_h if self.reset_after else u_h)
            u = f(net_u)
            kinks = [kink_distance(self.recurrent_activation, net) for net in (z_x + z_h, r_x + r_h)]
            self.margin = min(self.margin, *kinks, kink_distance(self.activation, net_u))
            self.h.append(z * self.h[t - 1] + (1 - z) * u)
            self.cells.append((z, r, u, u_h))
        self.final = [self.h[-1]]
        return self.outputs(self.h)

    def input_bias(self) -> np.ndarray | float:
        if not self.use_bias:
            return 0.0
        return self.weights[2][0] if self.reset_after else self.weights[2]

    def recurrent_bias(self) -> np.ndarray | float:
        return self.weights[2][1] if self.use_bias and self.reset_after else 0.0

    def backward(self, grad: np.ndarray) -> np.ndarray:
        df, ds = DERIVATIVE[self.activation], DERIVATIVE[self.recurrent_activation]
        steps, m = self.x.shape[1], self.units
        kernel, recurrent = np.zeros_like(self.weights[0]), np.zeros_like(self.weights[1])
        bias, grad_x = np.zeros((2, 3 * m)), np.zeros_like(self.x)
        sent, carry = np.zeros_like(self.h[0]), np.zeros_like(self.h[0])
        deltas_all: list[np.ndarray] = []
        for t in range(steps, 0, -1):
            z, r, u, u_h = self.cells[t]
            before = self.h[t - 1]
            seen = before * self.scale
            delta_h = self.from_above(grad, t, steps) + sent + carry
            # δ_t^z = δ_t^h ⊙ (h_{t-1} - u_t) ⊙ z_t ⊙ (1 - z_t);  δ_t^u = δ_t^h ⊙ (1 - z_t) ⊙ (1 - u_t²)
            delta_z, delta_u = delta_h * (before - u) * ds(z), delta_h * (1 - z) * df(u)
            carry = delta_h * z
            if self.reset_after:
                # δ_t^r = δ_t^u ⊙ (U_uᵀh_{t-1} + d_u) ⊙ r_t ⊙ (1 - r_t)
                delta_r = delta_u * u_h * ds(r)
                through = np.concatenate([delta_z, delta_r, r * delta_u], axis=-1)
                recurrent += seen.T @ through
                sent = through @ self.weights[1].T
            else:
                # δ_t^r = (U_u·δ_t^u) ⊙ h_{t-1} ⊙ r_t ⊙ (1 - r_t)
                reset = delta_u @ self.weights[1][:, 2 * m :].T
                delta_r = reset * seen * ds(r)
                through = np.concatenate([delta_z, delta_r], axis=-1)
                recurrent[:, : 2 * m] += seen.T @ through
                recurrent[:, 2 * m :] += (r * seen).T @ delta_u
                sent = through @ self.weights[1][:, : 2 * m].T + reset * r
            sent = sent * self.scale
            deltas = np.concatenate([delta_z, delta_r, delta_u], axis=-1)
            deltas_all.insert(0, deltas)
            kernel += self.x[:, t - 1].T @ deltas
            bias[0] += deltas.sum(axis=0)
            bias[1] += through.sum(axis=0) if self.reset_after else 0
            grad_x[:, t - 1] = deltas @ self.weights[0].T
        self.deltas = deltas_all
        self.gradients = [kernel, recurrent]
        if self.use_bias:
            self.gradients.append(bias if self.reset_after else bias[0])
        return grad_x * self.input_scale


class GoBackwards(Layer):
    """A cell that reads x from its last step to its first; h of every step come out in that order."""

    def __init__(self, cell: Recurrent) -> None:
        super().__init__()
        self.cell = cell

    def droppers(self) -> list[Dropping]:
        return self.cell.droppers()

    def recurrent(self) -> list[Recurrent]:
        return [self.cell]

    def build(self, shape: Shape) -> Shape:
        out = self.cell.build(shape)
        self.weights = self.cell.weights
        return out

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.cell.weights = self.weights
        y = self.cell.forward(x[:, ::-1], step)
        self.margin = self.cell.margin
        return y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad_x = self.cell.backward(grad)[:, ::-1]
        self.gradients = self.cell.gradients
        return grad_x


class Bidirectional(Layer):
    """h_t of a cell that reads forwards, b_t of its twin that reads backwards; o_t reads both (26.1.4).

    merge: "concat" [h_t ; b_t], "sum", "ave" (half the sum), "mul". With return_sequences off the two last states, h_τ
    and b_1.
    """

    def __init__(self, forward: Recurrent, backward: Recurrent, merge: str = "concat") -> None:
        super().__init__()
        self.cells, self.merge = (forward, backward), merge

    def droppers(self) -> list[Dropping]:
        return [dropper for cell in self.cells for dropper in cell.droppers()]

    def recurrent(self) -> list[Recurrent]:
        return list(self.cells)

    def build(self, shape: Shape) -> Shape:
        shapes = [cell.build(shape) for cell in self.cells]
        self.weights = [w for cell in self.cells for w in cell.weights]
        return shapes[0] if self.merge != "concat" else (*shapes[0][:-1], shapes[0][-1] + shapes[1][-1])

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        forwards, backwards = self.cells
        count = len(forwards.weights)
        forwards.weights, backwards.weights = self.weights[:count], self.weights[count:]
        h, b = forwards.forward(x, step), backwards.forward(x[:, ::-1], step)
        if backwards.return_sequences:
            b = b[:, ::-1]
        self.h, self.b, self.margin = h, b, min(forwards.margin, backwards.margin)
        if self.merge == "concat":
            return np.concatenate([h, b], axis=-1)
        return h * b if self.merge == "mul" else (h + b) / (2 if self.merge == "ave" else 1)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        forwards, backwards = self.cells
        if self.merge == "concat":
            grad_h, grad_b = np.split(grad, [forwards.units], axis=-1)
        elif self.merge == "mul":
            grad_h, grad_b = grad * self.b, grad * self.h
        else:
            grad_h = grad_b = grad / (2 if self.merge == "ave" else 1)
        if backwards.return_sequences:
            grad_b = grad_b[:, ::-1]
        grad_x = forwards.backward(grad_h) + backwards.backward(grad_b)[:, ::-1]
        self.gradients = forwards.gradients + backwards.gradients
        return grad_x
