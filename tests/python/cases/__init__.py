"""Every layer x option x loss x regularizer of the library, as small networks for the gradient checks."""

from __future__ import annotations

from cases.activations import activation_cases, prelu_cases
from cases.convolutions import conv_cases, conv_option_cases, winograd_cases
from cases.dense import dense_cases, loss_cases, penalty_cases
from cases.grids import aggregate_cases, first_cases, grid_cases, pool_cases
from cases.normalization import normalization_cases
from cases.recurrent import recurrent_cases
from cases.sequences import step_weight_cases, stepless_cases, unequal_cases
from cases.shared import reset_first
from cases.stacks import stack_cases

__all__ = ["CASES", "reset_first"]

CASES = [
    case
    for cases in (
        dense_cases,
        activation_cases,
        prelu_cases,
        loss_cases,
        penalty_cases,
        conv_cases,
        winograd_cases,
        conv_option_cases,
        pool_cases,
        grid_cases,
        first_cases,
        aggregate_cases,
        recurrent_cases,
        unequal_cases,
        step_weight_cases,
        stepless_cases,
        stack_cases,
        normalization_cases,
    )
    for case in cases()
]
assert len({case.name for case in CASES}) == len(CASES)
