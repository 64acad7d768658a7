"""Encoders from files, folders and the hub, and back to a folder."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mlx.utils import tree_flatten

import mlx_weights
from mlx_contentvec import known
from mlx_contentvec.config import FORMAT, FORMAT_VERSION, ContentvecConfig, normalises
from mlx_contentvec.layouts import sanitize
from mlx_contentvec.model import ContentvecModel
from mlx_contentvec.sizes import config_from_tensors

ENV = "MLX_CONTENTVEC"
OPTION = "--contentvec"
DEFAULT = known.CONTENTVEC.file
FILENAMES = (
    "model.safetensors",
    "pytorch_model.bin",
    "contentvec_base.safetensors",
    "hubert_base.pt",
)
# fairseq pickles its dictionary of training labels, and its options in older files.
FOREIGN = ("fairseq.data.dictionary.Dictionary", "argparse.Namespace")

CACHE = "contentvec"  # folder of converted files in the user's cache; a known encoder's is its name
CONVERTER = 2  # to be raised when what `convert` writes changes

Tensors = dict[str, np.ndarray]


def load(source: str | Path | None) -> ContentvecModel:
    """What `ContentvecModel.from_pretrained` does."""
    if isinstance(source, str) and not Path(source).expanduser().exists():
        encoder = known.find(source)
        if encoder is not None:
            return load_known(encoder)
        if source and not re.search(r"[/\\.]", source):  # neither a path nor a repository
            raise ValueError(
                f"there is no content encoder {source!r}: no file or folder of that name, and none "
                f"of {', '.join(known.names())}; give one of these, a file, a folder, or a hub "
                f"repository owner/name"
            )
    path = mlx_weights.locate(source, default=DEFAULT, env=ENV, option=OPTION, filenames=FILENAMES)
    return _loaded(path, CACHE if _on_hub(source) else None)


def load_known(encoder: known.KnownEncoder) -> ContentvecModel:
    """Load an encoder of the hub by its name, whatever the environment variable says.

    Raises:
        ValueError: it cannot be fetched, or does not fit.
    """
    path = mlx_weights.locate(
        None, default=encoder.file, env=None, option=OPTION, filenames=FILENAMES
    )
    return _loaded(path, encoder.name)


def _loaded(path: Path, cache: str | None) -> ContentvecModel:
    """Load a file; with `cache`, the folder of its converted copies, by way of such a copy."""
    found = path
    if cache is not None:  # kept in our layout, so that the next start need not convert
        folder = mlx_weights.converted(path, name=cache, version=CONVERTER, convert=convert)
        found = folder / FILENAMES[0]
    tensors, config = read(found)
    model = ContentvecModel(config)
    mlx_weights.load_strict(model, tensors, source=path, consume=True)
    model.eval()
    model.origin = str(path)
    return model


def _on_hub(source: str | Path | None) -> bool:
    chosen = source if source is not None else os.environ.get(ENV) or None
    return chosen is None or not Path(chosen).expanduser().exists()


def convert(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """Tensors and `config.json` of our own layout, from a file in any layout that fits the model.

    Raises:
        ValueError: as `read`, and for a missing, extra or misshapen tensor: what does not load must
            not be kept.
    """
    tensors, config = read(path)
    mlx_weights.load_strict(ContentvecModel(config), tensors, source=path)
    return tensors, own_config(config)


def read(path: Path) -> tuple[Tensors, ContentvecConfig]:
    """Tensors by our names and the configuration, from a file in any layout.

    The configuration is `config.json` beside the file, ours or Hugging Face's; without one it is
    recovered from the shapes (`sizes.py`). Its `classifier_proj_size` means nothing where the file
    has no `final_proj`: many encoders are published without.

    Raises:
        ValueError: the file is no HuBERT, or its configuration cannot be read or recovered.
    """
    checkpoint = mlx_weights.read_checkpoint(path, foreign=FOREIGN)
    described = _json(path.parent / "config.json")
    preprocessor = _json(path.parent / "preprocessor_config.json")
    try:
        tensors = sanitize(state_dict(checkpoint))
        return tensors, _config(tensors, described, preprocessor)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _config(
    tensors: Tensors, described: dict[str, Any] | None, preprocessor: dict[str, Any] | None
) -> ContentvecConfig:
    if described is None:
        return replace(config_from_tensors(tensors), do_normalize=normalises(preprocessor))
    if described.get("format") == FORMAT:
        return config_from_own(described)
    config = ContentvecConfig.from_hf(described, preprocessor)
    if not any(name.startswith("final_proj.") for name in tensors):
        config = replace(config, classifier_proj_size=None)
    return config


def state_dict(checkpoint: Any) -> Mapping[str, np.ndarray]:
    """The tensors inside a loaded checkpoint: fairseq keeps them under "model".

    Raises:
        ValueError: there are none, or they are another kind of model's.
    """
    if isinstance(checkpoint, Mapping):
        if isinstance(checkpoint.get("weight"), Mapping) and "config" in checkpoint:
            raise ValueError("this is a voice, not a content encoder; give it with --model")
        for key in ("model", "state_dict"):
            if isinstance(checkpoint.get(key), Mapping):
                checkpoint = checkpoint[key]
                break
        others = [key for key, value in checkpoint.items() if not isinstance(value, np.ndarray)]
        if checkpoint and not others:
            return checkpoint
    raise ValueError(
        "there is no state dict of tensors in it; expected a HuBERT of Hugging Face, fairseq or "
        "lexandstuff"
    )


def config_from_own(data: Mapping[str, Any]) -> ContentvecConfig:
    """Read the configuration that `save` wrote.

    Raises:
        ValueError: a later version of the format, or keys that do not belong.
    """
    values = dict(data)
    values.pop("format")
    version = values.pop("format_version", None)
    if version != FORMAT_VERSION:
        raise ValueError(
            f"config.json has {FORMAT} format_version {version!r}; this version reads "
            f"{FORMAT_VERSION}: update mlx-contentvec"
        )
    return ContentvecConfig.from_dict(values)


def save(model: ContentvecModel, folder: Path) -> None:
    """What `ContentvecModel.save_pretrained` does."""
    tensors = {name: np.asarray(value) for name, value in tree_flatten(model.parameters())}
    mlx_weights.save_model(folder, tensors, own_config(model.config))


def own_config(config: ContentvecConfig) -> dict[str, Any]:
    """What stands in the `config.json` of our own layout."""
    return {"format": FORMAT, "format_version": FORMAT_VERSION, **config.to_dict()}


def _json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where there is no file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not JSON ({error}); fetch it again") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path} holds {type(data).__name__}; expected a JSON object")
    return data
