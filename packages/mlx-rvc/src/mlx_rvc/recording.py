"""The input recording as the models want it: peak rule and high-pass at 16 kHz.

Source: RVC-WebUI, `infer/modules/vc/{modules,pipeline}.py`.
"""

from typing import cast

import numpy as np

MODEL_RATE = 16000
"""Sample rate in Hz at which content features and F0 are taken."""

PEAK = 0.95
HIGHPASS_HZ = 48
HIGHPASS_ORDER = 5


def prepare(audio: np.ndarray) -> np.ndarray:
    """Scale down loud audio and remove what lies under the voice.

    audio: (samples,) at 16 kHz. Returns float64 (samples,): peak at most 0.95 before a Butterworth
    high-pass of order 5 at 48 Hz, run forwards and backwards, so that it delays nothing.
    """
    from scipy.signal import butter, filtfilt

    audio = audio.astype(np.float64)
    excess = np.abs(audio).max(initial=0.0) / PEAK
    if excess > 1:
        audio /= excess
    b, a = cast(
        "tuple[np.ndarray, np.ndarray]",
        butter(HIGHPASS_ORDER, HIGHPASS_HZ, btype="high", fs=MODEL_RATE),
    )
    # scipy's own default extends both ends by 18 samples, which shorter audio does not have.
    extension = min(3 * max(len(a), len(b)), len(audio) - 1)
    return filtfilt(b, a, audio, padlen=extension)
