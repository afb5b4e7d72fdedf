"""Optimizers step by step in float64, from the papers' and Keras' formulas; settings have Keras' names."""

from __future__ import annotations

import numpy as np


class Optimizer:
    """kind: sgd, adam, rmsprop or adagrad; settings that are missing are off."""

    def __init__(self, kind: str, **settings) -> None:
        self.kind, self.settings, self.steps = kind, settings, 0
        self.slots: list[dict[str, np.ndarray]] = []

    def get(self, name: str, default=0.0):
        return self.settings.get(name, default)

    def step(self, weights: list[np.ndarray], gradients: list[np.ndarray | None]) -> list[np.ndarray]:
        """New weights. Gradients include the penalties; None: the weight is frozen."""
        self.slots = self.slots or [{} for _ in weights]
        every = self.get("gradient_accumulation_steps", 1)
        update, self.steps = self.steps // every, self.steps + 1
        slots = [(i, self.slots[i]) for i, g in enumerate(gradients) if g is not None]
        found = {i: gradients[i] for i, _ in slots}
        out = list(weights)
        if every > 1:
            for i, slot in slots:
                slot["gradient_accumulator"] = slot.get("gradient_accumulator", 0.0) + found[i]
                found[i] = slot["gradient_accumulator"] / every
        if self.steps % every == 0:
            found = self.clipped(found)
            for i, slot in slots:
                slot.pop("gradient_accumulator", None)
                w = weights[i] * (1 - self.get("learning_rate") * self.get("weight_decay"))
                out[i] = w - getattr(self, self.kind)(found[i], slot, update + 1)
        for i, slot in slots if self.get("use_ema", False) else []:
            keep = self.get("ema_momentum") if update > 0 else 0.0
            slot["average"] = keep * slot.get("average", 0.0) + (1 - keep) * out[i]
            overwrite = self.get("ema_overwrite_frequency", 0)
            if overwrite and (update + 1) % overwrite == 0:
                out[i] = slot["average"]
        return out

    def clipped(self, gradients: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
        value, each, together = (self.get(name) for name in ("clipvalue", "clipnorm", "global_clipnorm"))
        if value:
            return {i: np.clip(g, -value, value) for i, g in gradients.items()}
        whole = np.sqrt(sum((g * g).sum() for g in gradients.values()))
        out = {}
        for i, g in gradients.items():
            norm = np.sqrt((g * g).sum())
            out[i] = g * min(1.0, each / norm) if each and norm else g
            out[i] = out[i] * min(1.0, together / whole) if together and whole else out[i]
        return out

    def sgd(self, g, slot, t):
        rate, momentum = self.get("learning_rate"), self.get("momentum")
        if not momentum:
            return rate * g
        slot["velocity"] = momentum * slot.get("velocity", 0.0) - rate * g
        return rate * g - momentum * slot["velocity"] if self.get("nesterov", False) else -slot["velocity"]

    def adam(self, g, slot, t):
        beta_1, beta_2 = self.get("beta_1"), self.get("beta_2")
        slot["momentum"] = beta_1 * slot.get("momentum", 0.0) + (1 - beta_1) * g
        slot["velocity"] = v = beta_2 * slot.get("velocity", 0.0) + (1 - beta_2) * g * g
        if self.get("amsgrad", False):
            slot["velocity_hat"] = v = np.maximum(slot.get("velocity_hat", 0.0), v)
        rate = self.get("learning_rate") * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        return rate * slot["momentum"] / (np.sqrt(v) + self.get("epsilon"))

    def rmsprop(self, g, slot, t):
        rho = self.get("rho")
        slot["velocity"] = v = rho * slot.get("velocity", 0.0) + (1 - rho) * g * g
        if self.get("centered", False):
            slot["average_gradient"] = a = rho * slot.get("average_gradient", 0.0) + (1 - rho) * g
            v = v - a * a
        step = self.get("learning_rate") * g / np.sqrt(v + self.get("epsilon"))
        if not self.get("momentum"):
            return step
        slot["momentum"] = self.get("momentum") * slot.get("momentum", 0.0) + step
        return slot["momentum"]

    def adagrad(self, g, slot, t):
        slot["accumulator"] = slot.get("accumulator", self.get("initial_accumulator_value")) + g * g
        return self.get("learning_rate") * g / np.sqrt(slot["accumulator"] + self.get("epsilon"))
