"""A compact demonstration voice, content encoder and recording for mlx-rvc."""
