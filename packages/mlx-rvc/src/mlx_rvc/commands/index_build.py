"""What `mlx-rvc index build` needs of this package: the features of recordings.

mlx-rvc-index finds `open_features` under the entry point group `mlx_rvc.recording_features`.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from mlx_contentvec import ContentvecModel


def open_features(
    *, model: str | None, version: str | None, contentvec: str | None
) -> "tuple[str, Callable[[Path], np.ndarray]]":
    """Load the content encoder that `mlx-rvc convert` would take.

    model: the voice the features are for (file, folder, hub repository, "demo"), or None for the
    usual encoder with `version` "v1" or "v2" (None: v2). contentvec: the encoder, as for convert.

    Returns (identity, extract): text that changes whenever the features would, and a function from
    the path of a recording to float32 (frames, channels), 50 frames a second. Raises ValueError.
    """
    from mlx_rvc.encoder import load_encoder, output_layer

    if model is not None and version is not None:
        raise ValueError("--version is that of the voice; leave it out, or leave out --model")
    width = embedder = layer = None
    if model is not None:
        from mlx_rvc.voice import voice_file
        from mlx_rvc_synth import read_voice
        from mlx_rvc_synth.weights import locate_voice

        voice = read_voice(locate_voice(voice_file(model)))
        version, width = voice.config.version, voice.config.feature_channels
        embedder = voice.metadata.get("embedder")
        layer = output_layer(voice.metadata)
    kind = version or "v2"
    encoder = load_encoder(embedder, contentvec)

    def extract(path: Path) -> "np.ndarray":
        features = _features(encoder, path, kind, width, layer)
        if width is not None and features.shape[1] != width:
            raise ValueError(
                f"the encoder gives features {features.shape[1]} wide, the voice {model} takes "
                f"{width}: give its encoder with --contentvec"
            )
        return features

    said = "" if layer is None else f" layer {layer}"
    return f"{kind} {width}{said} {_fingerprint(encoder)}", extract


def _features(
    encoder: "ContentvecModel", path: Path, version: str, width: int | None, layer: int | None
) -> "np.ndarray":
    from mlx_rvc.content import recording_features
    from mlx_rvc.recording import Recording, prepare
    from mlx_rvc_cli.audio import AudioReader, to_mono

    with AudioReader(path) as reader:
        recording = Recording.taken((to_mono(block) for block in reader), reader.sample_rate)
    audio = prepare(recording.audio)
    return recording_features(encoder, audio, version=version, width=width, layer=layer)


def _fingerprint(encoder: "ContentvecModel") -> str:
    """A digest of the encoder's weights, whatever file they came from."""
    import numpy as np
    from mlx.utils import tree_flatten

    digest = hashlib.sha256()
    for name, value in sorted(dict(tree_flatten(encoder.parameters())).items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(np.asarray(value)).data)
    return digest.hexdigest()
