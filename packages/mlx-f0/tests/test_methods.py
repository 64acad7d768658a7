import subprocess
import sys

import numpy as np
import pytest

import mlx_f0


def test_the_installed_methods_are_listed_without_importing_them(plugins):
    plugins(ghost="no_such_module:Ghost")
    assert mlx_f0.available() == ["dio", "ghost", "harvest", "pm"]


def test_methods_are_loaded_by_name(flat):
    assert isinstance(mlx_f0.load("harvest"), mlx_f0.Harvest)
    assert mlx_f0.load("flat", "300").hz == 300


def test_an_unknown_name_lists_the_installed(plugins):
    with pytest.raises(ValueError, match=r"'yin' is unknown; installed are dio, harvest, pm"):
        mlx_f0.load("yin")
    with pytest.raises(ValueError, match=r"'yin' in hybrid\[dio\+yin\] is unknown"):
        mlx_f0.load("hybrid[dio+yin]")


@pytest.mark.parametrize("name", ["hybrid[dio]", "hybrid[dio+dio]"])
def test_a_hybrid_of_one_is_refused(plugins, name):
    with pytest.raises(ValueError, match="is no hybrid"):
        mlx_f0.load(name)


def test_a_hybrid_is_loaded_with_the_weights_of_its_parts(flat):
    method = mlx_f0.load("hybrid[flat + dio]", {"flat": "150"})
    assert isinstance(method, mlx_f0.Hybrid)
    assert method.methods[0].hz == 150 and isinstance(method.methods[1], mlx_f0.Dio)
    with pytest.raises(ValueError, match="whose weights is 150"):
        mlx_f0.load("hybrid[flat+dio]", "150")
    with pytest.raises(ValueError, match="given for flat, which dio is not"):
        mlx_f0.load("dio", {"flat": "150"})


def test_without_weights_the_methods_that_work_offline_are_named(flat, plugins):
    plugins(flat="flat_plugin:Flat", ghost="no_such_module:Ghost")
    with pytest.raises(ValueError, match=r"give its path, or choose .* offline: dio, harvest"):
        mlx_f0.load("flat")
    with pytest.raises(ValueError, match=r"^could not convert string to float: 'x'$"):
        mlx_f0.load("flat", "x")  # what the user gave is wrong: another method is no answer


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no_such_module:Ghost", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("flat_plugin:Missing", "AttributeError"),
        ("flat_plugin:Crashing", "KeyError"),
        ("flat_plugin:Lacking", "lacks infer_from_audio"),
    ],
)
def test_a_broken_plug_in_is_one_line_and_disturbs_no_other(flat, plugins, value, words):
    plugins(broken=value)
    with pytest.raises(ValueError, match="the F0 method 'broken'") as error:
        mlx_f0.load("broken")
    text = str(error.value)
    assert words in text and value in text and "\n" not in text
    assert isinstance(mlx_f0.load("dio"), mlx_f0.Dio)
    assert {"dio", "harvest"} <= set(mlx_f0.offline())


def test_weights_for_a_method_without_any_are_refused():
    with pytest.raises(ValueError, match=r"Harvest has no weights, but x\.pt is given"):
        mlx_f0.Harvest.from_pretrained("x.pt")


def test_settings_ask_only_for_what_is_set(flat):
    method = flat()
    assert mlx_f0.F0Settings().from_audio(method, np.zeros(800, np.float32)).shape == (6,)
    settings = mlx_f0.F0Settings(threshold=0.2, f0_max=500.0, filter_radius=3)
    found = settings.from_audio(method, np.zeros((2, 800), np.float32))
    assert method.asked[0] == {"threshold": 0.5, "progress": None}
    assert method.asked[1] == {"threshold": 0.2, "f0_max": 500.0, "progress": None}
    assert found.shape == (2, 6) and (found == 200).all()


def test_a_curve_off_the_grid_is_refused(flat, monkeypatch):
    monkeypatch.setattr(flat, "infer_from_audio", lambda self, *_, **__: np.zeros(7))
    with pytest.raises(ValueError, match=r"Flat gave a curve of shape \(7,\); expected \(6,\)"):
        mlx_f0.F0Settings().from_reader(flat(), lambda a, b: np.zeros(b - a), 800)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"f0_min": 10}, "f0_min is 10 Hz"),
        ({"f0_max": 5000}, "f0_max is 5000 Hz"),
        ({"f0_min": 300, "f0_max": 300}, "expected f0_min < f0_max"),
        ({"filter_radius": -1}, "filter radius is -1"),
        ({"unvoiced": "hold"}, "choose one of zero, interp"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        mlx_f0.F0Settings(**settings)


def test_public_names_are_sorted_and_there():
    assert mlx_f0.__all__ == sorted(mlx_f0.__all__)
    for name in mlx_f0.__all__:
        assert getattr(mlx_f0, name).__doc__
    assert not hasattr(mlx_f0, "nothing")


@pytest.mark.parametrize("module", ["mlx_f0", "mlx_f0.methods"])
def test_names_load_no_array_library(module):
    code = (
        f"import sys, {module}; heavy = {{'mlx', 'numpy', 'pyworld', 'parselmouth'}};"
        "import mlx_f0; mlx_f0.available(); print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
