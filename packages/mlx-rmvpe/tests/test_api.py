import mlx_rmvpe


def test_public_names_are_sorted_and_there():
    assert mlx_rmvpe.__all__ == sorted(mlx_rmvpe.__all__)
    for name in mlx_rmvpe.__all__:
        assert getattr(mlx_rmvpe, name).__doc__
    assert set(mlx_rmvpe.__all__) <= set(dir(mlx_rmvpe))
    assert not hasattr(mlx_rmvpe, "nothing")
