"""Judges of converted speech and singing, and what `benchmarks/quality.py` makes of their figures.

Each judge is a program of its own (a recogniser, a speaker model, a pitch tracker, a model of
opinions); none of them made the conversion. What they measure is turned into figures by pure
functions that need NumPy only.
"""

RATE = 16000
"""Every judge hears mono float32 at 16 kHz."""
