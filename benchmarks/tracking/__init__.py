"""Pitch trackers against exact truth: what `benchmarks/pitch.py` measures, scores and writes.

Signals whose F0 is known (`signals`, of `curves` under `conditions`), the methods and their
originals, runs that outlive a break, scores, what independent trackers agree on, report and plot.
"""
