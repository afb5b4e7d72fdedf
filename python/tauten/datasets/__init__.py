"""Data sets under Keras' names, read from files that are there; nothing is ever downloaded. `digits` comes with Tauten.

A file is looked for under the path that load_data() is given, then in the folder that the environment variable
TAUTEN_DATA names, then in ~/.keras/datasets, where Keras puts what it downloads.
"""

from tauten.datasets import california_housing, cifar10, digits, fashion_mnist, imdb, mnist, reuters

__all__ = ["california_housing", "cifar10", "digits", "fashion_mnist", "imdb", "mnist", "reuters"]
