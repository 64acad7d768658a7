"""The command mlx-rvc: a host for commands, audio files, progress, tables and errors."""
