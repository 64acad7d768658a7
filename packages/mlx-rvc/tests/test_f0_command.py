"""`mlx-rvc f0` with a network: the toy RMVPE, alone and beside others."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mlx_rmvpe import RMVPE
from mlx_rvc_cli.host import main

TOY = Path(__file__).parents[2] / "mlx-rmvpe/tests/golden/toy_rmvpe.pt"


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "voice.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal((22050, 2)), 44100)
    return path


def expected(recording, threshold=0.03):
    audio, rate = soundfile.read(recording, dtype="float32")
    mono = audio.mean(axis=1, dtype=np.float32)
    return RMVPE.from_pretrained(TOY).infer_from_audio(mono, rate, threshold)


@pytest.mark.parametrize("weights", [["--rmvpe", TOY], ["--weights", TOY], ["--weights", f"rmvpe={TOY}"]])  # fmt: skip
def test_rmvpe_is_the_default_and_takes_its_weights(recording, tmp_path, capsys, weights):
    target = tmp_path / "curve.npy"
    assert main(["f0", str(recording), str(target), "--json", *map(str, weights)]) == 0
    np.testing.assert_array_equal(np.load(target), expected(recording))
    data = json.loads(capsys.readouterr().out)
    assert data["methods"]["rmvpe"]["frames"] == 51 and data["duration_s"] == 0.5


def test_nothing_voiced(recording, capsys):
    arguments = ["--rmvpe", str(TOY), "--threshold", "1", "--json"]
    assert main(["f0", str(recording), *arguments]) == 0
    data = json.loads(capsys.readouterr().out)
    found = data["methods"]["rmvpe"]
    assert found["voiced_share"] == 0 and found["median_hz"] is None and data["output"] is None


def test_methods_side_by_side(recording, tmp_path, capsys):
    target = tmp_path / "curves.npy"
    arguments = ["--method", "dio,rmvpe", "--weights", f"rmvpe={TOY}", "--json"]
    assert main(["f0", str(recording), str(target), *arguments]) == 0
    assert list(json.loads(capsys.readouterr().out)["methods"]) == ["dio", "rmvpe"]
    curves = np.load(target)
    assert curves.shape == (2, 51)
    np.testing.assert_array_equal(curves[1], expected(recording))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "dio", "--rmvpe", "x.pt"], "weights for RMVPE are given"),
        (["--method", "dio,rmvpe", "--weights", "x.pt"], "whose weights is x.pt?"),
        (["--rmvpe", "x.pt", "--weights", "y.pt"], "given twice"),
    ],
)
def test_weights_that_belong_to_no_method_are_one_line(recording, capsys, arguments, words):
    assert main(["f0", str(recording), *arguments]) == 1
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1
