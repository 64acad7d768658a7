import mlx_fcpe


def test_public_names_are_there_and_explained():
    assert mlx_fcpe.__all__ == sorted(mlx_fcpe.__all__, key=lambda n: (not n.isupper(), n))
    for name in mlx_fcpe.__all__:
        public = getattr(mlx_fcpe, name)
        assert public.__doc__ or not callable(public)


def test_it_is_a_method_that_can_be_chosen_by_name():
    """The entry point of this checkout's pyproject.toml names the class."""
    import importlib
    import tomllib
    from pathlib import Path

    about = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    module, name = about["entry-points"]["mlx_f0.methods"]["fcpe"].split(":")
    assert getattr(importlib.import_module(module), name) is mlx_fcpe.FCPE
