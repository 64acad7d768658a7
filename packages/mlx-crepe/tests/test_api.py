import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import mlx_crepe


def test_public_names_are_there_once():
    assert len(set(mlx_crepe.__all__)) == len(mlx_crepe.__all__)
    for name in mlx_crepe.__all__:
        assert getattr(mlx_crepe, name).__doc__
    assert not hasattr(mlx_crepe, "nothing")


def test_the_methods_are_registered():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    points = project["project"]["entry-points"]["mlx_f0.methods"]
    found = {name: EntryPoint(name, value, "mlx_f0.methods") for name, value in points.items()}
    assert found["crepe"].load() is mlx_crepe.CREPE
    assert found["crepe-tiny"].load() is mlx_crepe.CREPETiny
