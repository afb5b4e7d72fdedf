"""Tauten side by side with other libraries; `python -m benchmarks --help` tells how."""
