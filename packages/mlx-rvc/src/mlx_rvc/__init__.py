"""Voice conversion (RVC) in MLX: turns the voice in a recording into another voice."""
