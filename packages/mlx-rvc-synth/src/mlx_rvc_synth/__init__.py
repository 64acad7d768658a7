"""The RVC voice model in MLX: content features, F0 and a speaker to audio."""
