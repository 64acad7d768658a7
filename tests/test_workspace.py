"""What holds across all packages: versions, READMEs, public names, import weight."""

import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from mlx_rvc_cli.host import main

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(folder.name for folder in (ROOT / "packages").iterdir() if folder.is_dir())
HEADINGS = [
    "What it does and does not do",
    "Install",
    "Use",
    "Shapes and rates",
    "Weights and licence",
    "Accuracy and speed",
]


def project(package):
    return tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text())["project"]


def test_versions_are_in_lockstep():
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    pinned = re.compile(r"^(mlx-[a-z0-9-]+)(\[[a-z]+\])?==(.+)$")
    for package in PACKAGES:
        about = project(package)
        assert about["version"] == root, package
        extras = about.get("optional-dependencies", {}).values()
        for dependency in chain(about["dependencies"], *extras):
            name = re.split(r"[\[=><]", dependency)[0]
            if name in PACKAGES:
                found = pinned.match(dependency)
                assert found and found[3] == root, f"{package}: {dependency}"
    assert f"## {root}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_typed_licensed_and_described_like_the_others(package):
    folder = ROOT / "packages" / package
    module = folder / "src" / package.replace("-", "_")
    assert (module / "py.typed").exists() and (folder / "LICENSE").exists()
    headings = re.findall(r"^## (.+)$", (folder / "README.md").read_text(), re.MULTILINE)
    assert headings == HEADINGS


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_exist_and_are_explained(package):
    module = importlib.import_module(package.replace("-", "_"))
    assert module.__all__
    for name in module.__all__:
        public = getattr(module, name)
        assert public.__doc__ or not (inspect.isclass(public) or inspect.isroutine(public))


def test_import_mlx_rvc_is_light():
    code = "import sys, mlx_rvc; sys.exit('mlx.core' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_each_option_in_the_readme_exists(capsys):
    """Every `mlx-rvc COMMAND --option` that a README shows is accepted by the command."""
    commands = [
        *("convert", "batch", "demo", "plot", "doctor", "info", "export", "features", "f0"),
        "verify",
        *("blend", "extract", "index info", "index build", "index convert"),
    ]
    commands += [f"voices {name}" for name in ("add", "list", "show", "check", "preset")]
    commands += [f"voices {name}" for name in ("rename", "remove")]
    commands += [f"weights {name}" for name in ("fetch", "list", "verify", "pack", "unpack")]
    options = {}
    for command in commands:
        assert main([*command.split(), "--help"]) == 0
        options[command] = set(re.findall(r"--[a-z][a-z0-9-]*", capsys.readouterr().out))
        assert "--json" in options[command], command
    readmes = [ROOT / "README.md", *ROOT.glob("packages/*/README.md")]
    names = "|".join(commands)
    seen = 0
    for readme in readmes:
        text = readme.read_text().replace("\\\n", " ")
        for line in re.findall(rf"mlx-rvc ((?:{names})\b.*)", text):
            command = next(c for c in commands if line.startswith(c))
            for option in re.findall(r"--[a-z][a-z0-9-]*", line.split("`")[0]):
                assert option in options[command], f"{readme.name}: mlx-rvc {line}"
                seen += 1
    assert seen >= 5
