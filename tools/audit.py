"""What the lock installs: from the public index alone, with hashes, and without known advisories.

    python tools/audit.py uv

The argument is the uv to ask. Two checks: every package of uv.lock has a SHA-256 for each of its
files and comes from the public index, or is one of ours; and pip-audit, which asks the index for
advisories about each version. Where that service does not answer, a line says so, and in CI the
status is 1: an advisory that nobody asked for is not an absent one.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
INDEX = {"registry": "https://pypi.org/simple"}
HOST = "https://files.pythonhosted.org/"
PIP_AUDIT = "pip-audit==2.10.1"
_HEX = set("0123456789abcdef")


def wrong_in_lock(lock: dict[str, Any]) -> list[str]:
    """Every package that is not ours and not from the public index with a SHA-256 a file."""
    wrong = []
    for package in lock["package"]:
        what, source = f"{package['name']} {package.get('version', '')}".strip(), package["source"]
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        ours = source.get("editable", "").startswith("packages/") or source == {"virtual": "."}
        if ours:
            continue
        if source != INDEX:
            wrong.append(f"{what} comes from {source}")
        if not files:
            wrong.append(f"{what} has no files")
        for file in files:
            if not file["url"].startswith(HOST):
                wrong.append(f"{what} is fetched from {file['url']}")
            if not _is_sha256(file.get("hash", "")):
                wrong.append(f"{what} has no SHA-256 for {file['url'].rpartition('/')[2]}")
    return wrong


def _is_sha256(text: str) -> bool:
    kind, _, digits = text.partition(":")
    return kind == "sha256" and len(digits) == 64 and set(digits) <= _HEX


def judged(answer: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What pip-audit's JSON says: advisories, and packages that it could not ask about."""
    found, unasked = [], []
    for package in answer["dependencies"]:
        if "skip_reason" in package:
            unasked.append(package["name"])
        for advisory in package.get("vulns", ()):
            mended = ", ".join(advisory["fix_versions"]) or "none yet"
            found.append(
                f"{package['name']} {package['version']}: {advisory['id']}, mended in {mended}"
            )
    return found, unasked


def asked(uv: str, requirements: str) -> tuple[list[str], list[str]]:
    """Ask pip-audit about pinned requirements with hashes; OSError with its last words."""
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder, "requirements.txt"), Path(folder, "answer.json")
        given.write_text(requirements)
        words = [uv, "tool", "run", PIP_AUDIT, "-r", str(given), "--require-hashes"]
        words += ["--disable-pip", "--progress-spinner", "off", "-f", "json", "-o", str(answer)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if not answer.exists():
            lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise OSError(lines[-1])
        return judged(json.loads(answer.read_text()))


def advisories(uv: str) -> tuple[list[str], str]:
    """Advisories about what the lock installs, and why some were not asked for, or ""."""
    words = [uv, "export", "--quiet", "--frozen", "--no-emit-workspace", "--no-header"]
    words += ["--all-packages", "--all-extras", "--no-annotate"]
    locked = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    packages = locked.replace("\\\n", " ").splitlines()
    try:
        # One alone, as a service that is not there knows none and answers "nothing found".
        if asked(uv, packages[0])[1]:
            return [], f"the index gives none ({packages[0].split()[0]} is unknown to it)"
        found, unasked = asked(uv, locked)
    except OSError as error:
        return [], str(error)
    return found, f"{', '.join(unasked)} unknown to the index" if unasked else ""


def main(uv: str) -> int:
    """Check, say what was found, and give the status."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    wrong = wrong_in_lock(lock)
    print(f"{len(lock['package'])} packages in uv.lock: {len(wrong)} without origin or hash")
    found, unasked = advisories(uv)
    print(f"advisories not checked: {unasked}" if unasked else f"{len(found)} advisories")
    for line in (*wrong, *found):
        print(line, file=sys.stderr)
    return int(bool(wrong or found or (unasked and os.environ.get("CI"))))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
