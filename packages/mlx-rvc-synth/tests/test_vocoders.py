"""Applio's MRF HiFi-GAN and RefineGAN: toy voices that tools/golden_vocoders.py made with torch."""

import re
from types import SimpleNamespace

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops
import mlx_pth
from mlx_fastops import leaky_relu
from mlx_rvc_synth import Noise, Synthesizer, generator, read_voice, refine_generator, write_voice
from mlx_rvc_synth.arrays import alike
from mlx_rvc_synth.decimation import decimate, radius, taps
from mlx_rvc_synth.layer_noise import Drawn, Given
from mlx_rvc_synth.refine_generator import Downs

FRAMES = 170  # more than RefineGAN's filters look at on either side


def load(golden, name):
    arrays = dict(np.load(golden / f"{name}.npz"))
    voice = Synthesizer.from_pretrained(golden / f"{name}.pth")
    layers = [arrays[key] for key in sorted(arrays) if key.startswith("in_layer")]
    noise = Noise(
        arrays["in_latent"], arrays["in_source"], arrays.get("in_offsets"), layers or None
    )
    path = golden / f"{name}.pth"
    return SimpleNamespace(name=name, voice=voice, arrays=arrays, noise=noise, path=path)


@pytest.fixture(params=["mrf", "refine"])
def toy(request, golden):
    return load(golden, request.param)


@pytest.fixture
def mrf(golden):
    return load(golden, "mrf")


@pytest.fixture
def refine(golden):
    return load(golden, "refine")


@pytest.fixture(params=["mlx", "blas"])
def backend(request):
    with mlx_fastops.use_backend(request.param):
        yield request.param


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Padding, masks and tiles as when compiled, but nothing is: see test_compiled."""
    monkeypatch.setattr(mx, "compile", lambda function, inputs: function)
    with mlx_fastops.use_backend("mlx"):
        yield


def close(found, expected, tolerance=1e-5):
    found = np.asarray(found)
    assert found.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max()))
    assert np.abs(found - expected).max() <= tolerance * scale


def given(toy, name):
    return mlx_fastops.native(toy.arrays[name])


def speaker(toy):
    return mlx_fastops.native(toy.voice.emb_g.weight[1].reshape(1, 1, -1))


def infer(toy, **changes):
    a = toy.arrays
    arguments = {"speaker": 1, "noise": toy.noise} | changes
    return np.asarray(toy.voice.infer(a["in_phone"], a["in_f0"], **arguments))


def inputs(config, frames, batch=1):
    rng = np.random.default_rng(frames)
    features = rng.standard_normal((batch, frames, config.feature_channels)).astype(np.float32)
    f0 = rng.uniform(80, 300, (batch, frames)).astype(np.float32)
    f0[:, frames // 2 : frames // 2 + 5] = 0
    return features, f0, Noise.normal(config, frames, batch, seed=1)


def test_source(toy, backend):
    """Torch sums the phase of single samples in float32: that is the difference."""
    own = {"offsets": toy.arrays["in_offsets"]} if toy.name == "mrf" else {}
    source = toy.voice.dec.m_source(toy.arrays["in_f0"], given(toy, "in_source"), **own)
    close(source, toy.arrays["source"], 5e-5)


def test_mrf_stages(mrf, backend):
    dec, frames = mrf.voice.dec, mrf.arrays["z"].shape[1]
    source = given(mrf, "source")
    x = dec.conv_pre(given(mrf, "z")) + dec.cond(speaker(mrf))
    for i in range(2):
        close(dec.upsampling(i)(leaky_relu(x, 0.1)), mrf.arrays[f"up_{i}"])
        length = mrf.arrays[f"up_{i}"].shape[1]
        close(dec.excite(i, source, 0, length), mrf.arrays[f"noise_{i}"])
        close(dec.stage(i + 1, x, 0, source, 0, length, frames), mrf.arrays[f"stage_{i}"])
        x = given(mrf, f"stage_{i}")
    close(dec(given(mrf, "z"), speaker(mrf), source), mrf.arrays["audio"][..., 0])


def test_refine_stages(refine, backend):
    dec, frames = refine.voice.dec, refine.arrays["z"].shape[1]
    z, source = given(refine, "z"), given(refine, "source")
    downs = dec.bring_down(source, 0, frames * 12, frames)
    assert downs.starts == [0, 0, 0]
    arrays = [refine.arrays[name] for name in ("down_1", "down_0", "pre_conv")]
    expected = [arrays[0], *(np.where(a > 0, a, np.float32(0.2) * a) for a in arrays[1:])]
    for found, array in zip(downs.arrays, expected, strict=True):
        close(found, array)
    x = dec.mel_conv(z)
    close(x, refine.arrays["mel_conv"])
    expected = [mlx_fastops.native(a) for a in expected]
    joined = np if isinstance(x, np.ndarray) else mx
    x = joined.concatenate([x + dec.cond(speaker(refine)), expected[0]], axis=2)
    hidden = (Downs(expected, [0, 0, 0]), Given(refine.noise.layers))
    for i, length in enumerate((frames * 3, frames * 12)):
        close(dec.stage(i + 1, x, 0, hidden, 0, length, frames), refine.arrays[f"stage_{i}"])
        x = given(refine, f"stage_{i}")
    audio = dec(z, speaker(refine), source, layers=Given(refine.noise.layers))
    close(audio, refine.arrays["audio"][..., 0])


def test_audio(toy, backend):
    close(infer(toy), toy.arrays["audio"][..., 0], 3e-5)


def test_audio_as_on_a_gpu(toy, as_on_a_gpu):
    with mlx_fastops.use_compilation(True):
        close(infer(toy), toy.arrays["audio"][..., 0], 3e-5)


@pytest.mark.parametrize("frames", [1, 2, 33])
def test_padded_lengths_change_nothing(toy, frames, as_on_a_gpu):
    features, f0, noise = inputs(toy.voice.config, frames, batch=2)
    expected = np.array(toy.voice.infer(features, f0, noise=noise))
    with mlx_fastops.use_compilation(True):
        found = np.array(toy.voice.infer(features, f0, noise=noise))
    assert found.shape == (2, frames * 12)
    close(found, expected)


def test_tiles_of_a_gpu_change_nothing(toy, as_on_a_gpu, monkeypatch):
    features, f0, noise = inputs(toy.voice.config, FRAMES)
    expected = np.array(toy.voice.infer(features, f0, noise=noise))
    for module in (generator, refine_generator):
        monkeypatch.setattr(module, "DEVICE_TILE", 1)
    with mlx_fastops.use_compilation(True):
        found = np.array(toy.voice.infer(features, f0, noise=noise))
    close(found, expected)


def test_a_new_length_is_not_traced_again(toy, compiler):
    """Graphs are built, and not evaluated."""
    with mlx_fastops.use_backend("mlx"), mlx_fastops.use_compilation(True):
        for frames in (3, 32, 33, 36):
            features, f0, noise = inputs(toy.voice.config, frames)
            toy.voice.infer(features, f0, noise=noise)
    device = toy.voice.dec._on_device
    both = toy.name == "refine"
    traced = (device.source, device.noisy) if both else (device.compiled[True],)
    assert [function.traces for function in traced] == [2] * len(traced)
    assert toy.voice.dec.m_source._on_device.traces == 2


def rendered(toy, tile):
    config, rng = toy.voice.config, np.random.default_rng(0)
    z = rng.standard_normal((1, FRAMES, config.inter_channels)).astype(np.float32)
    source = rng.standard_normal((1, FRAMES * config.hop, 1)).astype(np.float32)
    own = {"layers": Drawn(3)} if toy.name == "refine" else {}
    with mlx_fastops.use_backend("blas"):
        return toy.voice.dec(z, speaker(toy), source, tile=tile, **own)


@pytest.mark.parametrize("tile", [1 << 11, 1 << 13])
def test_tiles_give_what_one_pass_gives(toy, tile, monkeypatch):
    whole = rendered(toy, 1 << 30)
    monkeypatch.setattr(refine_generator, "LONGEST", 7)
    assert np.abs(rendered(toy, tile) - whole).max() < 2e-6


def test_a_margin_too_small_is_seen(toy, monkeypatch):
    whole = rendered(toy, 1 << 30)
    toy.voice.dec.radius -= 2
    assert np.abs(rendered(toy, 1 << 11) - whole).max() > 2e-6


def test_a_seed_repeats_and_zeros_are_silent(toy):
    once, again = (infer(toy, noise=None, seed=5) for _ in range(2))
    assert np.array_equal(once, again)
    assert np.abs(once - infer(toy, noise=None, seed=6)).max() > 1e-3
    frames = toy.arrays["in_phone"].shape[1]
    batch = len(toy.arrays["in_phone"])
    silent = infer(toy, noise=Noise.zeros(toy.voice.config, frames, batch))
    assert np.abs(once - silent).max() > 1e-3


def test_noise_that_does_not_fit_is_refused(mrf, refine):
    for toy, changes, message in (
        (mrf, {"offsets": np.zeros((2, 3))}, r"offsets have shape \(2, 3\).*\(2, 9\)"),
        (mrf, {"layers": Drawn(1)}, "layers are of RefineGAN"),
        (mrf, {"source": np.zeros((2, 228, 1))}, r"\(2, 228, 9\)"),
        (refine, {"layers": None}, "layers is missing"),
        (refine, {"layers": refine.noise.layers[:-1]}, "7 arrays.*needs 8"),
        (refine, {"offsets": np.zeros((1, 1))}, "offsets are of MRF HiFi-GAN"),
    ):
        noise = Noise(**(vars(toy.noise) | changes))
        with pytest.raises(ValueError, match=message):
            infer(toy, noise=noise)


def test_drawn_noise_does_not_depend_on_the_cut():
    whole = Drawn(7).of(2, 0, 9000, 16, 2)
    assert np.array_equal(Drawn(7).of(2, 4000, 4500, 16, 2), whole[:, 4000:4500])
    assert abs(whole.std() - 1) < 0.01
    assert (
        abs(np.corrcoef(whole[0].ravel(), Drawn(7).of(3, 0, 9000, 16, 2)[0].ravel())[0, 1]) < 0.02
    )


def test_a_second_piece_goes_on_where_the_first_ended(toy):
    """Overtones too; RefineGAN's F0 glides, so there from the middle of a frame on."""
    source, config = toy.voice.dec.m_source, toy.voice.config
    f0 = np.random.default_rng(0).uniform(80, 110, (1, 900)).astype(np.float32)
    quiet = np.zeros((1, 900 * config.hop, config.harmonics), np.float32)
    whole = source(f0, quiet)
    cut = 400 * config.hop
    phase = np.sum(f0[0, :400], dtype=np.float64) / 100
    middle = config.hop // 2
    expected = whole[:, cut + middle :]
    assert np.abs(source(f0[:, 400:], quiet[:, cut:], phase)[:, middle:] - expected).max() < 1e-5
    assert np.abs(source(f0[:, 400:], quiet[:, cut:])[:, middle:] - expected).max() > 0.01


def test_decimation_is_the_sum_that_defines_it(backend):
    rate, h = 3, taps(3)
    x = np.random.default_rng(0).standard_normal((2, 700, 2)).astype(np.float32)
    padded = np.pad(x, ((0, 0), (radius(rate), 0), (0, 0)))
    found = np.asarray(decimate(mlx_fastops.native(padded), rate, 230))
    longer = np.pad(padded.astype(np.float64), ((0, 0), (0, 900), (0, 0)))
    expected = [h @ longer[:, m * rate : m * rate + len(h)] for m in range(230)]
    assert np.abs(found - np.stack(expected, axis=1)).max() < 1e-5
    assert abs(h.sum() - 1) < 1e-3  # a constant passes


def test_every_form_is_read_back(toy, tmp_path):
    voice, expected = read_voice(toy.path), infer(toy)
    write_voice(voice, tmp_path / "a.safetensors")
    write_voice(read_voice(tmp_path / "a.safetensors"), tmp_path / "b.pth")
    write_voice(voice, tmp_path / "folder")
    for name in ("a.safetensors", "b.pth", "folder"):
        toy.voice = Synthesizer.from_pretrained(tmp_path / name)
        np.testing.assert_allclose(infer(toy), expected, atol=2e-6)
    stored = set(read_voice(toy.path).originals)
    assert (
        set(read_voice(tmp_path / "b.pth").originals) == stored
    )  # weight norm where Applio has it


@pytest.mark.parametrize("shape", [None, (4,), (0, 3, 3)])
@pytest.mark.parametrize(
    "name",
    [
        "dec.upsamples.0.weight_v",
        "dec.mrfs.0.0.layers.0.conv1.weight_v",
        "dec.mel_conv.weight_v",
        "dec.upsample_conv_blocks.0.blocks.0.1.convs1.0.weight_v",
        "dec.upsample_conv_blocks.1.blocks.0.0.weight",
    ],
)
def test_damaged_tensors_are_named(golden, name, shape, tmp_path):
    content = mlx_pth.load(
        golden / ("mrf.pth" if "mrfs" in name or "upsamples" in name else "refine.pth")
    )
    weight = {key: value for key, value in content["weight"].items() if key != name}
    assert len(weight) == len(content["weight"]) - 1
    if shape is not None:
        weight[name] = np.zeros(shape, np.float32)
    mlx_pth.save(tmp_path / "voice.pth", content | {"weight": weight})
    with pytest.raises(ValueError, match=re.escape(name.removesuffix("_v"))) as caught:
        Synthesizer.from_pretrained(tmp_path / "voice.pth")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("frames", [1, 7])
def test_interpolation_of_few_frames(refine, frames, backend):
    features, f0, noise = inputs(refine.voice.config, frames)
    audio = np.asarray(refine.voice.infer(features, f0, noise=noise))
    assert audio.shape == (1, frames * 12) and np.isfinite(audio).all()


def test_noise_is_scaled_by_channel(refine):
    block = refine.voice.dec.upsample_conv_blocks[0].blocks[0][0]
    x = np.zeros((1, 4, 64), np.float32)
    loud = block(x, np.ones((1, 4, 64), np.float32))
    weight = np.asarray(alike(block.weight, x))
    close(loud, np.broadcast_to(np.where(weight > 0, weight, np.float32(0.2) * weight), x.shape))
