"""2D convolutions over a grid of shapes, phase by phase, beside oneDNN and the multiply-add peak."""
