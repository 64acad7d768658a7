"""The grid of every method: 16 kHz, a frame every 10 ms, frame i centred on i * 10 ms."""

SAMPLE_RATE = 16000  # Hz
HOP = 160  # samples from frame to frame: 10 ms


def frame_count(samples: int) -> int:
    """Frames of F0 that a recording of `samples` at 16 kHz has."""
    return samples // HOP + 1
