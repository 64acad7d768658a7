"""Speech of flite and festival (CMU), Kokoro (Apache-2.0), Asterisk's prompts (CC BY 3.0) and
people (`readers.py`).

Programs and prompts come from Debian: flite festival festlex-cmu festvox-kdlpc16k
festvox-us-slt-hts asterisk-core-sounds-it-g722 asterisk-core-sounds-ru-g722 ffmpeg npm.
"""

import random
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import kokoro
import readers
from corpus import Utterance, minutes, prepare
from tools import run

PROMPTS = Path("/usr/share/asterisk/sounds")
# The slow source, in parts that a broken run keeps and that two processes share.
PARTS = ("kokoro1", "kokoro2", "kokoro3", "kokoro4")
# Voices that no training hears: what the encoder is judged by.
UNHEARD = ("am_michael", "bf_emma", "im_nicola", *readers.UNHEARD)
FESTIVAL = {"ked": "ked_diphone", "slt_hts": "cmu_us_slt_arctic_hts"}


def flite(voice: str, texts: list[str]) -> list[Utterance | None]:
    """With the phones and their ends, which the synthesizer knows exactly."""
    out = []
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/speech.wav"
        for text in texts:
            printed = run(["flite", "-voice", voice, "-t", text, "-psdur", "-o", path])
            phones = [
                (name, float(end))
                for name, end in (item.rsplit(":", 1) for item in printed.split())
            ]
            out.append(
                prepare(*soundfile.read(path, dtype="float32"), text, f"flite {voice}", phones)
            )
    return out


def festival(voice: str, texts: list[str]) -> list[Utterance | None]:
    out = []
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/speech.wav"
        for text in texts:
            run(["text2wave", "-eval", f"(voice_{FESTIVAL[voice]})", "-o", path], input=text)
            out.append(prepare(*soundfile.read(path, dtype="float32"), text, f"festival {voice}"))
    return out


def kokoro_voices(
    part: str, settings: dict, texts: list[str], archive: Path, seed: int
) -> list[Utterance | None]:
    """A part of Kokoro's voices, and as many mixtures, each with sentences of its own."""
    styles, draw = kokoro.read_styles(archive), np.random.default_rng((seed, PARTS.index(part)))
    names = list(styles)[PARTS.index(part) :: len(PARTS)]
    heard = [style for name, style in styles.items() if name not in UNHEARD]
    speakers = [(name, styles[name], settings["kokoro_sentences"]) for name in names]
    speakers += [
        (f"mixture {number}", kokoro.mixture(heard, draw), settings["kokoro_mixed"])
        for number in range(len(names))
    ]
    texts = [text for text in texts if 30 < len(text) < 95]
    spoken = kokoro.pronounce(texts[: sum(count for *_, count in speakers)])
    model, out = kokoro.Speaker(), []
    for name, style, count in speakers:
        for text, phonemes in spoken[:count]:
            audio = model.speak(phonemes, style, speed=float(draw.uniform(0.85, 1.15)))
            out.append(prepare(audio, kokoro.RATE, text, f"{part} {name}"))
        spoken = spoken[count:]
    return out


def prompts(language: str, limit: float, seed: int) -> list[Utterance | None]:
    """Prompts of a telephone exchange, one speaker a language, up to `limit` minutes."""
    paths = sorted(PROMPTS.glob(f"{language}*/**/*.g722"))
    if not paths:
        raise SystemExit(
            f"no prompts below {PROMPTS}: apt-get install asterisk-core-sounds-{language}-g722"
        )
    random.Random(seed).shuffle(paths)
    out: list[Utterance | None] = []
    decode = ["-ar", "16000", "-f", "s16le", "-"]
    for path in paths:
        if "silence" in str(path):
            continue
        raw = subprocess.run(
            ["ffmpeg", "-v", "error", "-f", "g722", "-i", str(path), *decode],
            check=True,
            capture_output=True,
        )
        audio = np.frombuffer(raw.stdout, np.int16)
        if len(audio) > 8000 and np.abs(audio.astype(np.int32)).max() > 800:
            out.append(prepare(audio / 32768, 16000, path.stem, f"prompts {language}"))
        if minutes([u for u in out if u is not None]) > limit:
            break
    return out


def make(name: str, settings: dict, texts: list[str], folder: Path, seed: int) -> list[Utterance]:
    """Everything one source says. Sources begin at different places of the text.

    folder: where what was fetched lies.
    """
    start = random.Random(f"{seed} {name}").randrange(len(texts))
    turned = texts[start:] + texts[:start]
    if name in ("slt", "rms", "awb", "kal16"):
        made = flite(name, turned[: settings[name]])
    elif name in FESTIVAL:
        made = festival(name, turned[: settings[name]])
    elif name in PARTS:
        made = kokoro_voices(name, settings, turned, folder / "kokoro" / kokoro.ARCHIVE, seed)
    elif name in readers.PARTS:
        fetched = folder / "readers" / name
        made = readers.PARTS[name].utterances(fetched, settings["readers"], seed)
    else:
        made = prompts(name, settings["prompts"], seed)
    return [utterance for utterance in made if utterance is not None]


SOURCES = ("slt", "rms", "awb", "kal16", "ked", "slt_hts", "it", "ru", *readers.PARTS, *PARTS)
