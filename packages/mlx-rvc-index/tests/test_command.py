"""`mlx-rvc index info`."""

import json
from pathlib import Path

from mlx_rvc_cli.host import main

GOLDEN = Path(__file__).parent / "golden"


def test_info_as_json(capsys):
    path = GOLDEN / "sparse.index"
    assert main(["index", "info", str(path), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["kind"] == "IVF-Flat"
    assert data["vectors"] == 30
    assert data["lists"] == 100
    assert data["empty_lists"] > 50
    assert data["nprobe"] == 1
    assert data["width"] == 16
    assert data["version"] is None
    assert data["bytes"] == path.stat().st_size


def test_info_as_text(capsys):
    assert main(["index", "info", str(GOLDEN / "flat.index")]) == 0
    lines = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert lines["kind"] == "Flat"
    assert lines["vectors"] == "400"


def test_errors_are_one_line(capsys):
    assert main(["index", "info", str(GOLDEN / "trained.index"), "--json"]) == 1
    out, err = capsys.readouterr()
    assert "added_" in json.loads(out)["error"]
    assert err.startswith("mlx-rvc: error: ")
    assert err.count("\n") == 1
    assert main(["index", "info"]) == 2
