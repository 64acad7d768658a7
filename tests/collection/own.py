"""What mlx-rvc itself writes: `mlx-rvc export` in its three forms."""

from mlx_rvc_synth import read_voice
from mlx_rvc_synth.weights import write_voice

from .applio_fork import fork
from .case import Voice
from .containers import torch_file
from .network import Network

NETWORK = Network()


def _exported(name, **options):
    def build(folder):
        source = torch_file(folder / "source.pth", fork(NETWORK, "contentvec", 9))
        write_voice(read_voice(source), folder / name, **options)
        return folder / name

    return build


def _case(id, file, holds, build, kind="mlx-rvc safetensors", level=1e-5, notes=""):
    return Voice(
        id=id,
        program="mlx-rvc",
        file=file,
        holds=holds,
        build=build,
        network=NETWORK,
        kind=kind,
        embedder="contentvec",
        layer=9,
        level=level,
        notes=notes,
    )


CASES = [
    _case("own-folder", "folder", "`config.json`, `model.safetensors`", _exported("voice")),
    _case("own-file", "`.safetensors`", "everything in the header", _exported("voice.safetensors")),
    _case(
        "own-float16",
        "`.safetensors`",
        "float16",
        _exported("voice.safetensors", dtype="float16"),
        level=2e-2,
        notes="rounded after folding",
    ),
    _case(
        "own-pth",
        "`.pth`",
        "the small model, for RVC-WebUI and Applio",
        _exported("voice.pth", dtype="float16"),
        kind="small model (w-okada, ddPn08)",
    ),
]
