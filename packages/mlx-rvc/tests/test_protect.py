import numpy as np

from mlx_rvc.protect import protect_unvoiced

BLENDED, ORIGINAL = np.full((2, 3), 10.0, np.float32), np.zeros((2, 3), np.float32)
F0 = np.array([100.0, 0.0])


def test_only_unvoiced_frames_get_their_own_features_back():
    mixed = protect_unvoiced(BLENDED, ORIGINAL, F0, 0.33)
    np.testing.assert_allclose(mixed[0], 10)
    np.testing.assert_allclose(mixed[1], 3.3, rtol=1e-6)


def test_half_is_off():
    assert protect_unvoiced(BLENDED, ORIGINAL, F0, 0.5) is BLENDED
