"""The lock holds only what has an origin and a hash; advisories nobody asked for are no absence."""

import copy
import json
import tomllib
from pathlib import Path

import audit
import pytest

LOCK = tomllib.loads((Path(__file__).parents[1] / "uv.lock").read_text("utf-8"))
OURS = sum(1 for package in LOCK["package"] if package["source"] != audit.INDEX)


def test_the_lock_is_from_the_public_index_with_hashes():
    assert len(LOCK["package"]) > 80 and OURS == 18
    assert audit.wrong_in_lock(LOCK) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": {"git": "https://example.org/x"}}, "numpy .* comes from .*example.org"),
        ({"source": {"registry": "https://example.org/simple"}}, "comes from"),
        ({"source": {"editable": "../elsewhere"}}, "comes from"),
        ({"wheels": [], "sdist": None}, "has no files"),
        ({"sdist": {"url": f"{audit.HOST}x/numpy.tar.gz"}}, "no SHA-256 for numpy.tar.gz"),
        ({"sdist": {"url": f"{audit.HOST}n.gz", "hash": "md5:" + "0" * 64}}, "no SHA-256"),
        ({"sdist": {"url": f"{audit.HOST}n.gz", "hash": "sha256:00"}}, "no SHA-256"),
        (
            {"sdist": {"url": "https://example.org/n.gz", "hash": "sha256:" + "0" * 64}},
            "is fetched from https://example.org",
        ),
    ],
)
def test_what_is_amiss_in_a_lock_is_found(change, words):
    lock = copy.deepcopy(LOCK)
    next(package for package in lock["package"] if package["name"] == "numpy").update(change)
    with pytest.raises(AssertionError, match=words):
        assert "\n".join(audit.wrong_in_lock(lock)) == ""


def service(tmp_path, dependencies):
    """A uv whose pip-audit answers so, or not at all."""
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"dependencies": dependencies}))
    uv = tmp_path / "uv"
    give = f'while [ $# -gt 1 ]; do shift; done; cp "{answer}" "$1"' if dependencies else "false"
    uv.write_text(
        '#!/bin/sh\nif [ "$1" = export ]; then printf "sam==1 --hash=sha256:0\\nann==2\\n"; exit; fi\n'
        f'echo "no such host" >&2\n{give}\n'
    )
    uv.chmod(0o755)
    return str(uv)


WELL = {"name": "sam", "version": "1", "vulns": []}
UNKNOWN = {"name": "sam", "skip_reason": "Dependency not found on PyPI"}
ILL = {"name": "ann", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}


@pytest.mark.parametrize(
    ("dependencies", "said", "status", "in_ci"),
    [
        ([WELL], "0 advisories", 0, 0),
        ([WELL, ILL], "1 advisories", 1, 1),
        ([UNKNOWN], "advisories not checked: the index gives none (sam==1 is unknown to it)", 0, 1),
        ([], "advisories not checked: no such host", 0, 1),
    ],
)
def test_advisories(dependencies, said, status, in_ci, tmp_path, monkeypatch, capfd):
    uv = service(tmp_path, dependencies)
    for value, expected in (("", status), ("true", in_ci)):
        monkeypatch.setenv("CI", value)
        assert audit.main(uv) == expected
        out, err = capfd.readouterr()
        assert out.splitlines()[1] == said
        assert err == ("ann 2: CVE-1, mended in 3\n" if ILL in dependencies else "")
