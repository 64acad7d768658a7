"""Speech of flite and festival (CMU), Kokoro (Apache-2.0) and Asterisk's prompts (CC BY 3.0).

Programs and prompts come from Debian: flite festival festlex-cmu festvox-kdlpc16k
festvox-us-slt-hts asterisk-core-sounds-it-g722 asterisk-core-sounds-ru-g722 ffmpeg.
"""

import random
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import kokoro
from corpus import Utterance, minutes, prepare

PROMPTS = Path("/usr/share/asterisk/sounds")
PARTS = ("kokoro1", "kokoro2", "kokoro3")  # the slow source, in parts that a broken run keeps
FESTIVAL = {"ked": "ked_diphone", "slt_hts": "cmu_us_slt_arctic_hts"}


def run(command: list[str], **options) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout
    except FileNotFoundError:
        raise SystemExit(
            f"the program {command[0]} is missing: apt-get install it (README, Sources)"
        ) from None


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


def kokoro_mixtures(
    part: str, speakers: int, each: int, texts: list[str], seed: int
) -> list[Utterance | None]:
    """Speakers that no one is: random mixtures of Kokoro's voices, pushed away from their mean."""
    voices, draw = kokoro.Voices(), np.random.default_rng((seed, PARTS.index(part)))
    texts = [text for text in texts if 30 < len(text) < 95]
    spoken = kokoro.pronounce(texts[: speakers * each])
    out = []
    for speaker in range(speakers):
        style = voices.mixture(draw)
        for text, phonemes in spoken[speaker * each : (speaker + 1) * each]:
            audio = voices.speak(phonemes, style, speed=float(draw.uniform(0.85, 1.1)))
            out.append(prepare(audio, kokoro.RATE, text, f"{part} {speaker}"))
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


def make(name: str, settings: dict, texts: list[str], seed: int) -> list[Utterance]:
    """Everything one source says. Sources begin at different places of the text."""
    start = random.Random(f"{seed} {name}").randrange(len(texts))
    turned = texts[start:] + texts[:start]
    if name in ("slt", "rms", "awb", "kal16"):
        made = flite(name, turned[: settings[name]])
    elif name in FESTIVAL:
        made = festival(name, turned[: settings[name]])
    elif name in PARTS:
        made = kokoro_mixtures(
            name, settings["kokoro_speakers"], settings["kokoro_sentences"], turned, seed
        )
    else:
        made = prompts(name, settings["prompts"], seed)
    return [utterance for utterance in made if utterance is not None]


SOURCES = ("slt", "rms", "awb", "kal16", "ked", "slt_hts", "it", "ru", *PARTS)
