"""What differs between scikit-learn's versions, from 1.3 on."""

from __future__ import annotations

from typing import Any

from sklearn.utils import validation


def validate_data(estimator: Any, X: Any, **kwargs: Any) -> Any:
    """X as an array, checked, its columns counted and their names compared; before 1.6 that was a method."""
    if hasattr(validation, "validate_data"):
        return validation.validate_data(estimator, X, **kwargs)
    return estimator._validate_data(X, **kwargs)
