"""Models: Sequential, layers in a row, and Model, any graph of layers; load_model() and clone_model()."""

from tauten.models._config import clone_model
from tauten.models.model import Model
from tauten.models.sequential import Sequential
from tauten.saving import load_model

__all__ = ["Model", "Sequential", "clone_model", "load_model"]
