from importlib.metadata import entry_points

import mlx_crepe


def test_public_names_are_sorted_and_there():
    assert mlx_crepe.__all__ == sorted(mlx_crepe.__all__)
    for name in mlx_crepe.__all__:
        assert getattr(mlx_crepe, name).__doc__
    assert set(mlx_crepe.__all__) <= set(dir(mlx_crepe))
    assert not hasattr(mlx_crepe, "nothing")


def test_the_methods_are_found_by_name():
    found = {point.name: point for point in entry_points(group="mlx_f0.methods")}
    assert found["crepe"].load() is mlx_crepe.CREPE
    assert found["crepe-tiny"].load() is mlx_crepe.CREPETiny
