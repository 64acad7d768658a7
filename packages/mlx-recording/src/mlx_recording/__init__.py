"""Audio arrays as callers have them, checked, at a model's rate, read a stretch at a time.

What every model that listens needs before its first layer, and would otherwise write again.
"""

from .recording import Recording, check_stretch, prepare

__all__ = ["Recording", "check_stretch", "prepare"]
