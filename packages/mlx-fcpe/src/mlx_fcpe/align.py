"""Where FCPE's frames lie in time, and the one place that decides it.

The spectrogram's frame i is centred on sample 160 i + 80, because torchfcpe pads half of what the
window exceeds the hop by, and not half of the window:

    sample        -432        0        160 i - 432      160 i + 80      160 i + 592
    window 0        [---------|----------]                   |
    window i                               [-----------------+-----------------]

So a network that named the pitch at a window's centre would be 5 ms late on a grid of i * 10 ms,
and silence of half a hop put before the recording would bring it there. A network that was trained
on labels at i * 10 ms has learnt the difference, and must not be shifted.

The published network has learnt it. Rising and falling glides (0.5 to 2 octaves a second around
130 Hz, 0.5 and 1 around 220 Hz) put its frames within 0.15 ms of i * 10 ms as it is, and 4.8 to 5.0 ms early with the
delay. So there is none; networks trained otherwise would need it.
"""

from __future__ import annotations

import numpy as np

from .recording import Recording

DELAY = 0  # samples of silence put before every recording: 0 or half a hop (80)


def delayed(recording: Recording) -> Recording:
    """The recording after `DELAY` samples of silence; frame i is then centred on i * 10 ms."""
    delay = DELAY
    if not delay:
        return recording

    def read(start: int, stop: int) -> np.ndarray:
        silence = np.zeros((recording.batch, max(min(stop, delay) - start, 0)), np.float32)
        if stop <= delay:
            return silence
        heard = recording.read(max(start - delay, 0), stop - delay)
        return np.concatenate([silence, heard], axis=1) if silence.size else heard

    return Recording(read, recording.batch, recording.samples + delay)
