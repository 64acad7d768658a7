"""Convolutions, matrix products and GRU for MLX: its own ops on a GPU, a BLAS path where MLX is slow."""
