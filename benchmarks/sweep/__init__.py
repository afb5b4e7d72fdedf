"""Recurrent training steps over a grid of hidden sizes, batches and steps, beside the multiply-add peak."""
