"""The slow, obvious reference: float64 NumPy straight from the chapter's equations (docs/equations.md).

Each layer's forward and backward stand side by side. x and grad arrive with the batch in front; backward gets
∂E/∂output, assigns (never adds to) `gradients` and returns ∂E/∂input. Nothing here is shared with the native code.
"""

from .activations import Activation
from .aggregation import Aggregate
from .convolution import Conv
from .dense import Dense, Flatten, Reshape
from .dropout import Dropout, philox4x32
from .embedding import Embedding
from .layer import Layer, Step
from .network import Network, Result
from .pooling import Pool
from .recurrent import GRU, LSTM, Bidirectional, ForgetGateRNN, GoBackwards, SimpleRNN

__all__ = [
    "GRU",
    "LSTM",
    "Activation",
    "Aggregate",
    "Bidirectional",
    "Conv",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "ForgetGateRNN",
    "GoBackwards",
    "Layer",
    "Network",
    "Pool",
    "Reshape",
    "Result",
    "SimpleRNN",
    "Step",
    "philox4x32",
]
