"""RMVPE pitch (F0) estimation in MLX."""
