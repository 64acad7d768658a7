"""docs/compatibility.md out of the collection: `python tests/collection/table.py` writes it."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/compatibility.md"

INTRODUCTION = """\
# Which files are read

Each row is a file that `tests/collection` builds and `tests/test_collection.py` reads: as a toy
network of a few channels, with the names, shapes and entries of the program that writes such files.
For every voice the test checks version, F0, sample rate, speakers, their names, content encoder and
its layer, and that the audio is that of the same network in every other file, within 1e-5 of its
level (2e-2 where the file is rounded to float16 after folding). "converts" is this audio, made from
given features: a conversion also needs the content encoder that the voice was trained on, which the
column names where it is not ContentVec (`hubert_base` of RVC is ContentVec). `mlx-rvc info` says
what the column "told as" holds. The page is written by `python tests/collection/table.py`.

The files of Hugging Face RVC and the networks themselves are also built by that program's own code
(`tests/parity/test_collection.py`); the other layouts follow the programs' published code. Real
files of these programs, with the licence to be kept here, are not among them.

## Voices

| program | file | holds | read, told as | converts | notes | test |
|---|---|---|---|---|---|---|
"""

VOCODERS = """
### Other vocoders

Of Applio's own code (`tools/golden_vocoders.py`), so not in the collection; recognised by their tensors.

| program | file | holds | read, told as | converts | notes | test |
|---|---|---|---|---|---|---|
| Applio | `NAME.pth` | MRF HiFi-GAN | yes, small model (Applio) | yes | 24 to 48 kHz | `packages/mlx-rvc-synth/tests/test_vocoders.py` |
| Applio | `NAME.pth` | RefineGAN | yes, small model (Applio) | yes | 24 to 48 kHz | `packages/mlx-rvc-synth/tests/test_vocoders.py` |
| Applio | `G_*.pth` | either of them | yes, training checkpoint | yes | RefineGAN: `--sample-rate` | `packages/mlx-rvc-synth/tests/test_vocoders.py` |
"""

OTHERS_HEADER = """
## Not voices

Neither read nor converted: one line says what the file is and what to do, beginning with its name.

| file | what is said | test |
|---|---|---|
"""


def page():
    """The whole page."""
    from collection import OTHERS, VOICES

    rows = [
        f"| {case.program} | {case.file} | {case.holds} | yes, {case.kind} | {_converts(case)} "
        f"| {_notes(case)} | `{case.id}` |"
        for case in VOICES
    ]
    others = [f"| {case.file} | {_line(case)} | `{case.id}` |" for case in OTHERS]
    return (
        INTRODUCTION + "\n".join(rows) + "\n" + VOCODERS + OTHERS_HEADER + "\n".join(others) + "\n"
    )


def _converts(case):
    usual = case.embedder in (None, "contentvec", "hubert_base")
    return "yes" if usual else f"yes, with {case.embedder}"


def _notes(case):
    layer = case.layer and f"layer {case.layer} of the encoder"
    index = case.index_vectors and "index inside"
    return "; ".join(filter(None, (layer, index, case.notes)))


def _line(case):
    """The line itself, without the path before it."""
    from mlx_rvc_synth import read_voice

    with tempfile.TemporaryDirectory() as folder:
        path = case.build(Path(folder))
        try:
            read_voice(path)
        except ValueError as error:
            said = str(error).replace(str(path), "").replace(f"{folder}/", "")
            return said.lstrip(": ").replace("|", "\\|")
    raise AssertionError(f"{case.id} was read")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    PAGE.write_text(page(), "utf-8")
