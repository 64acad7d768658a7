"""ContentVec and HuBERT content features in MLX."""
