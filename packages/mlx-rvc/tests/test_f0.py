"""F0 methods by name in the pipeline: loaded once, joined, and what is said without weights."""

import numpy as np
import pytest

import mlx_f0
from mlx_rvc import f0
from mlx_rvc.f0 import Methods


def test_shift_moves_voiced_frames_by_fractions_of_a_semitone():
    shifted = f0.shift(np.array([100.0, 0.0]), 0.5)
    np.testing.assert_allclose(shifted, [100 * 2 ** (0.5 / 12), 0])


def test_a_method_is_loaded_once_and_hybrids_share_their_parts():
    methods = Methods(None)
    dio = methods.get("dio")
    assert isinstance(dio, mlx_f0.Dio) and methods.get("dio") is dio
    hybrid = methods.get("hybrid[dio+harvest]")
    assert isinstance(hybrid, mlx_f0.Hybrid)
    assert hybrid.methods[0] is dio and hybrid.methods[1] is methods.get("harvest")


def test_an_object_is_itself_and_rmvpe_may_be_given_as_one():
    own = mlx_f0.Dio()
    assert Methods(None).get(own) is own
    assert Methods(own).get("rmvpe") is own


def test_without_rmvpe_s_weights_the_methods_that_work_offline_are_named(monkeypatch, tmp_path):
    from mlx_rmvpe import RMVPE

    def unreachable(source=None):
        raise ValueError("rmvpe.pt cannot be fetched: give its path with --rmvpe")

    monkeypatch.setattr(RMVPE, "from_pretrained", unreachable)
    with pytest.raises(ValueError, match=r"give its path with --rmvpe, or choose an F0 method that works offline: .*dio, .*harvest") as error:  # fmt: skip
        Methods(None).get("hybrid[dio+rmvpe]")
    assert "\n" not in str(error.value) and "rmvpe" not in str(error.value).split("offline:")[1]
    with pytest.raises(ValueError, match=r"--rmvpe$"):  # the user's own file is what is wrong
        Methods(tmp_path / "rmvpe.pt").get("rmvpe")
