"""Embedding: a row of weights for each token, the product of a one-hot x_t with W_i (26.1) without the zeros."""

from __future__ import annotations

import numpy as np

from .layer import Layer, Shape, Step, rows


class Embedding(Layer):
    """y_t = W[token_t]. Weights: embeddings (vocabulary, units)."""

    def __init__(self, vocabulary: int, units: int) -> None:
        super().__init__()
        self.vocabulary, self.units = vocabulary, units

    def build(self, shape: Shape) -> Shape:
        self.weights = [np.zeros((self.vocabulary, self.units))]
        return (*shape, self.units)

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.one_hot = np.eye(self.vocabulary)[x]
        return self.one_hot @ self.weights[0]

    def backward(self, grad: np.ndarray) -> np.ndarray:
        # ∇W = Σ_t onehot(token_t)·δ_tᵀ; tokens have no gradient
        self.gradients = [rows(self.one_hot).T @ rows(grad)]
        return np.zeros(0)
