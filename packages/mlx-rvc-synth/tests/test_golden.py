"""Every intermediate of the original network, stage by stage, on both kinds of arrays."""

import numpy as np
import pytest

import mlx_fastops
from mlx_fastops import leaky_relu
from mlx_rvc_synth.arrays import alike
from mlx_rvc_synth.pitch import coarse_pitch


@pytest.fixture(params=["mlx", "blas"])
def backend(request):
    with mlx_fastops.use_backend(request.param):
        yield request.param


def close(found, expected, tolerance=1e-5):
    """Equal to float32 rounding: torch and BLAS add in another order."""
    found = np.asarray(found)
    assert found.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max()))
    assert np.abs(found - expected).max() <= tolerance * scale


def prior(case):
    x = mlx_fastops.native(case.phone)
    pitch = None if case.f0 is None else alike(coarse_pitch(case.f0), x)
    return case.voice.enc_p(x, pitch)


def speaker(case):
    table = case.voice.emb_g.weight
    return mlx_fastops.native(table[case.speaker].reshape(1, 1, -1))


def given(case, name):
    return mlx_fastops.native(case.arrays[name])


def test_prior_encoder(case, backend):
    m, logs = prior(case)
    close(m, case.arrays["m"])
    close(logs, case.arrays["logs"])


def test_first_attention(case, backend):
    enc_p = case.voice.enc_p
    x = enc_p.emb_phone(mlx_fastops.native(case.phone))
    if case.f0 is not None:
        x = x + alike(enc_p.emb_pitch.weight, x)[alike(coarse_pitch(case.f0), x)]
    x = leaky_relu(x * enc_p.scale, 0.1)
    close(enc_p.encoder.attn_layers[0](x), case.arrays["attn_0"])
    close(enc_p.encoder(x), case.arrays["encoder"])


def test_prior_sample_and_flow(case, backend):
    z_p = case.voice.prior_sample(given(case, "m"), given(case, "logs"), given(case, "in_latent"))
    close(z_p, case.arrays["z_p"])
    x, g = given(case, "z_p"), speaker(case)
    for i in reversed(range(len(case.voice.flow.flows))):
        x = case.voice.flow.flows[i](x, g)
        close(x, case.arrays[f"flow_{i}"])
    close(case.voice.flow(given(case, "z_p"), g), case.arrays["z"])


def test_source(case, backend):
    if case.f0 is None:
        assert "m_source" not in case.voice.dec
        return
    source = case.voice.dec.m_source(case.f0, given(case, "in_source"))
    close(source, case.arrays["source"])


def test_generator_stages(case, backend):
    dec = case.voice.dec
    frames = case.phone.shape[1]
    source = None if case.f0 is None else given(case, "source")
    close(dec.conv_pre(given(case, "z")), case.arrays["conv_pre"])
    x = given(case, "conv_pre") + dec.cond(speaker(case))
    for i, up in enumerate(dec.ups):
        close(up(leaky_relu(x, 0.1)), case.arrays[f"up_{i}"])
        length = case.arrays[f"up_{i}"].shape[1]
        if source is not None:
            close(dec.excite(i, source, 0, length), case.arrays[f"noise_{i}"])
        close(dec.stage(i + 1, x, 0, source, 0, length, frames), case.arrays[f"stage_{i}"])
        x = given(case, f"stage_{i}")
    audio = dec(given(case, "z"), speaker(case), source)
    close(audio, case.arrays["audio"][..., 0])


def test_audio(case, backend):
    audio = case.voice.infer(case.phone, case.f0, speaker=case.speaker, noise=case.noise)
    assert audio.shape == (case.phone.shape[0], case.phone.shape[1] * case.config.hop)
    close(audio, case.arrays["audio"][..., 0])
