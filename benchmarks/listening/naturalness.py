"""How clean and natural it sounds, by a network that was trained on listeners' marks."""

from pathlib import Path

import numpy as np

from . import RATE

WINDOW = round(9.01 * RATE)  # what the network hears at once; shorter audio is repeated


class Dnsmos:
    """DNSMOS P.835, whose network speechmos ships: 1 (bad) to 5 (excellent).

    Windows and polynomials are those of speechmos; its second network (P.808) is left out.
    """

    def __init__(self):
        import onnxruntime
        from speechmos import dnsmos

        network = Path(dnsmos.__file__).parent / "dnsmos_models/sig_bak_ovr.onnx"
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1  # sums in one order: the same marks at each run
        self._network = onnxruntime.InferenceSession(str(network), settings)
        self._marks = dnsmos.DNSMOS.get_polyfit_val

    def mark(self, audio: np.ndarray) -> dict[str, float]:
        """`sig`, `bak` and `ovrl` of (samples,) at 16 kHz; what is beyond full scale is clipped."""
        audio = np.clip(audio, -1, 1).astype(np.float32)
        if not len(audio):
            raise ValueError("an empty recording; expected speech or singing")
        while len(audio) < WINDOW:
            audio = np.concatenate([audio, audio])
        hops = len(audio) // RATE - WINDOW // RATE  # a second each
        windows = [audio[hop * RATE : hop * RATE + WINDOW] for hop in range(max(1, hops))]
        found = [
            self._marks(None, *self._network.run(None, {"input_1": window[None]})[0][0], False)
            for window in windows
            if len(window) == WINDOW
        ]
        return dict(zip(("sig", "bak", "ovrl"), np.mean(found, axis=0).tolist(), strict=True))
