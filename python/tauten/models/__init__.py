"""Models: Sequential, layers in a row, and Model, any graph of layers; what loads, saves and clones them."""

from tauten.models._config import clone_model, model_from_json
from tauten.models.model import Model
from tauten.models.sequential import Sequential
from tauten.saving import load_model, save_model

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
