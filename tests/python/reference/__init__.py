"""The slow, obvious reference: float64 NumPy straight from the chapter's equations (docs/equations.md).

Each layer's forward and backward stand side by side. x and grad arrive with the batch in front; backward gets
∂E/∂output, assigns (never adds to) `gradients` and returns ∂E/∂input. Nothing here is shared with the native code.
"""

from .activations import ELU, Activation, PReLU, ReLU
from .aggregation import Aggregate
from .convolution import Conv, DepthwiseConv, SeparableConv
from .dense import Dense, Flatten, Reshape
from .dropout import Dropout, philox4x32
from .embedding import Embedding
from .grids import ChannelsFirst, GlobalPool, Margins, Permute, UpSampling
from .layer import Layer, Step
from .network import Network, Result
from .normalization import BatchNormalization, LayerNormalization, SpatialDropout
from .pooling import Pool
from .recurrent import GRU, LSTM, Bidirectional, ForgetGateRNN, GoBackwards, SimpleRNN

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "Activation",
    "Aggregate",
    "BatchNormalization",
    "Bidirectional",
    "ChannelsFirst",
    "Conv",
    "Dense",
    "DepthwiseConv",
    "Dropout",
    "Embedding",
    "Flatten",
    "ForgetGateRNN",
    "GlobalPool",
    "GoBackwards",
    "Layer",
    "LayerNormalization",
    "Margins",
    "Network",
    "PReLU",
    "Permute",
    "Pool",
    "ReLU",
    "Reshape",
    "Result",
    "SeparableConv",
    "SimpleRNN",
    "SpatialDropout",
    "Step",
    "UpSampling",
    "philox4x32",
]
