"""What every reference layer has in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Shape = tuple[int | None, ...]


@dataclass
class Step:
    """What a layer may want to know of the step it runs in."""

    training: bool
    call: int  # training steps before this one
    samples: np.ndarray  # position in the minibatch of each row of x


class Layer:
    """weights: arrays in Keras' shapes; gradients: one for each, assigned by backward."""

    state_weights = (
        0  # how many of the weights, the last ones, are states that a training step moves, without a gradient
    )

    def __init__(self) -> None:
        self.weights: list[np.ndarray] = []
        self.gradients: list[np.ndarray] = []
        self.margin = np.inf  # least distance of the last forward pass to a kink or a tie

    def build(self, shape: Shape) -> Shape:
        """Allocates the weights (zeros) for inputs of this shape (no batch); returns the shape of the outputs."""
        raise NotImplementedError

    def after_step(self) -> None:
        """Moves the states."""

    def droppers(self) -> list:
        """Whatever draws masks, in the order that numbers them."""
        return []

    def recurrent(self) -> list[Layer]:
        """The recurrent layers in it."""
        return []

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        raise NotImplementedError

    def backward(self, grad: np.ndarray) -> np.ndarray:
        raise NotImplementedError


def rows(x: np.ndarray) -> np.ndarray:
    """All but the last axis in one: every sample, step or position a row."""
    return x.reshape(-1, x.shape[-1])
