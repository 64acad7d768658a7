"""The content encoders that voices name in their metadata, and where each lies on the hub.

Names and places are Applio's (`rvc/lib/utils.py`, `load_embedding`); rvc-next writes the same
names, the w-okada fork others, which are aliases here. No hash has been published for any of these
files, so what the hub serves is checked by its tensors alone.

Applio fetches `config.json` and no `preprocessor_config.json`, and normalises no audio for any of
them. Its voices expect that, so nothing else is fetched beside those weights here either.
"""

from dataclasses import dataclass

from mlx_weights import HubFile

REPO = "IAHispano/Applio"


@dataclass(frozen=True)
class KnownEncoder:
    """An encoder with a name.

    aliases: other spellings, in lower case with hyphens; `find` brings a name into that form.
    """

    name: str
    file: HubFile
    aliases: tuple[str, ...] = ()


def _applio(
    name: str,
    folder: str,
    *aliases: str,
    companions: tuple[str, ...] = ("config.json",),
) -> KnownEncoder:
    place = f"Resources/embedders/{folder}/pytorch_model.bin"
    return KnownEncoder(name, HubFile(REPO, place, companions=companions), aliases)


# What RVC calls hubert_base is ContentVec too.
CONTENTVEC = _applio(
    "contentvec",
    "contentvec",
    "hubert-base",
    companions=("config.json", "preprocessor_config.json"),
)
KNOWN = (
    CONTENTVEC,
    _applio("spin", "spin"),
    _applio("spin-v2", "spin-v2"),
    _applio("chinese-hubert-base", "chinese_hubert_base"),
    _applio(
        "japanese-hubert-base",
        "japanese_hubert_base",
        "hubert-base-japanese",
        "rinna-hubert-base-jp",
    ),
    _applio("korean-hubert-base", "korean_hubert_base"),
)


def names() -> tuple[str, ...]:
    """Give the names, without aliases."""
    return tuple(encoder.name for encoder in KNOWN)


def find(name: str) -> KnownEncoder | None:
    """Find an encoder by its name or an alias; case, and "_" for "-", do not matter."""
    plain = name.strip().lower().replace("_", "-")
    for encoder in KNOWN:
        if plain == encoder.name or plain in encoder.aliases:
            return encoder
    return None
