"""The sentences that the synthetic voices speak: public-domain texts, and sentences from templates.

The templates mix everyday words so that every English sound stands beside many others; the texts
(the Jargon File and two documents of state, all in the public domain) bring natural phrases.
"""

import gzip
import random
import re
import tomllib
from pathlib import Path

JARGON = Path("/usr/share/doc/jargon-text/jargon.txt.gz")  # Debian: jargon-text
STATE = [
    Path(f"/usr/share/state/us-{name}.gz") for name in ("declaration", "constitution")
]  # miscfiles

WORDS = tomllib.loads((Path(__file__).parent / "words.toml").read_text())


def from_template(draw: random.Random) -> str:
    noun, noun2, noun3 = draw.sample(WORDS["nouns"], 3)
    adjective, adjective2 = draw.sample(WORDS["adjectives"], 2)
    words = {
        "noun": noun,
        "noun2": noun2,
        "noun3": noun3,
        "adjective": adjective,
        "adjective2": adjective2,
    }
    frame = draw.choice(WORDS["frames"])
    verb, name, tail = (draw.choice(WORDS[kind]) for kind in ("verbs", "names", "tails"))
    sentence = frame.format(**words, verb=verb, name=name, tail=tail)
    return sentence[0].upper() + sentence[1:]


def paragraphs(path: Path) -> list[str]:
    with gzip.open(path, "rt", errors="ignore") as file:
        return [re.sub(r"\s+", " ", part).strip() for part in re.split(r"\n\s*\n", file.read())]


def from_jargon() -> list[str]:
    """Whole sentences of plain words: no abbreviations, markup or tables."""
    found = []
    for paragraph in paragraphs(JARGON):
        text = re.sub(r"\([^)]*\)|[{}_]", "", paragraph)
        for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", text):
            plain = re.fullmatch(r"[A-Z][a-z' ,;A-Z-]+[.!?]", sentence)
            if plain and 30 <= len(sentence) <= 120 and not re.search(r"[A-Z]{2,}", sentence):
                found.append(sentence)
    return found


def from_state() -> list[str]:
    found = []
    for path in STATE:
        for paragraph in paragraphs(path):
            for clause in re.split(r"(?<=[.;,:])\s+", paragraph):
                plain = clause.strip(" ;:,.")
                if re.fullmatch(r"[A-Za-z' ,-]+", plain) and 30 <= len(plain) <= 120:
                    found.append(plain[0].upper() + plain[1:] + ".")
    return found


def sentences(templates: int, seed: int) -> list[str]:
    """All sentences in a fixed order; a missing text is an error, never fewer sentences."""
    for path in (JARGON, *STATE):
        if not path.exists():
            raise SystemExit(f"{path} is missing: apt-get install jargon-text miscfiles")
    draw = random.Random(seed)
    found = from_jargon() + from_state() + [from_template(draw) for _ in range(templates)]
    found = list(dict.fromkeys(found))
    draw.shuffle(found)
    return found
