"""Find, fetch, check, convert and strictly load the weights of an MLX model."""
