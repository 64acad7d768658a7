"""Hundreds of random shapes against torch.nn.functional, both paths. Needs torch."""

import random

import mlx.core as mx
import numpy as np
import pytest
import torch
import torch.nn.functional as F

import mlx_fastops as fo

BACKENDS = pytest.mark.parametrize("backend", ["blas", "mlx"])


def _arrays(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def _first(x):
    """Channels first, as torch has them."""
    return torch.tensor(x).movedim(-1, 1)


def _torch_transposed_weight(weight, groups):
    """(O, taps..., C/g) -> (C, O/g, taps...)."""
    w = _first(weight)
    w = w.reshape(groups, -1, *w.shape[1:]).transpose(1, 2)
    return w.flatten(0, 1)


def _case(seed, axes, transposed):
    r = random.Random(seed)
    groups, group_in, group_out = r.choice([1, 1, 2, 3]), r.choice([1, 3, 8]), r.choice([1, 2, 5])
    kernel = [
        r.choice([1, 2, 3, 5, 7, 11, 40]) if axes == 1 else r.randint(1, 4) for _ in range(axes)
    ]
    stride = [r.choice([1, 1, 2, 3, 5]) for _ in range(axes)]
    dilation = [r.choice([1, 1, 2, 3, 5]) for _ in range(axes)]
    padding = [r.randint(0, 6) for _ in range(axes)]
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if transposed:
        options["output_padding"] = [
            r.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True)
        ]
    sizes = []
    for k, s, d, p in zip(kernel, stride, dilation, padding, strict=True):
        span = d * (k - 1) + 1
        least = 1 + max(0, -(-(2 * p - span + 1) // s)) if transposed else max(1, span - 2 * p)
        sizes.append(least + r.randint(0, 200 if axes == 1 else 15))
    x, w, b = _arrays(
        seed,
        (r.randint(1, 3), *sizes, groups * group_in),
        (groups * group_out, *kernel, group_in),
        (groups * group_out,),
    )
    return x, w, b if r.random() < 0.7 else None, options


@pytest.mark.filterwarnings("ignore:TF32 acceleration")
@BACKENDS
@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("transposed", [False, True])
def test_convolutions(seed, axes, transposed, backend):
    x, w, b, options = _case(seed, axes, transposed)
    name = f"conv{'_transpose' if transposed else ''}{axes}d"
    torch_w = _torch_transposed_weight(w, options["groups"]) if transposed else _first(w)
    torch_b = None if b is None else torch.tensor(b)
    # oneDNN (torch 2.13) crashes on images narrower than their padding; torch's own loops do not.
    with torch.backends.mkldnn.flags(enabled=False):
        expected = getattr(F, name)(_first(x), torch_w, torch_b, **options)
    expected = expected.movedim(1, -1).numpy()
    found = getattr(fo, name)(x, w, b, backend=backend, **options)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("channels", "frames", "taps", "options"),
    [
        (256, 1200, 11, {"dilation": 5, "padding": 25}),
        (128, 12000, 7, {"dilation": 3, "padding": 9}),
        (32, 60000, 11, {"dilation": 5, "padding": 25}),
        (768, 500, 128, {"groups": 16, "padding": 64}),
        (512, 4001, 3, {"stride": 2}),
    ],
)
def test_full_size_conv1d(channels, frames, taps, options):
    group_in = channels // options.get("groups", 1)
    x, w, b = _arrays(0, (1, frames, channels), (channels, taps, group_in), (channels,))
    w /= np.sqrt(taps * group_in)
    expected = F.conv1d(_first(x), _first(w), torch.tensor(b), **options).movedim(1, -1).numpy()
    np.testing.assert_allclose(fo.conv1d(x, w, b, **options), expected, atol=2e-5)


@pytest.mark.parametrize(
    ("inputs", "outputs", "taps", "stride", "frames"),
    [
        (512, 256, 24, 12, 100),
        (256, 128, 20, 10, 600),
        (64, 32, 4, 2, 24000),
        (256, 128, 16, 9, 90),
    ],
)
def test_full_size_conv_transpose1d(inputs, outputs, taps, stride, frames):
    x, w, b = _arrays(0, (1, frames, inputs), (outputs, taps, inputs), (outputs,))
    w /= np.sqrt(2 * inputs)
    options = {"stride": stride, "padding": (taps - stride) // 2}
    options["output_padding"] = (taps - stride) % 2
    torch_w = _torch_transposed_weight(w, 1)
    expected = F.conv_transpose1d(_first(x), torch_w, torch.tensor(b), **options)
    found = fo.conv_transpose1d(x, mx.array(w), b, **options)
    np.testing.assert_allclose(found, expected.movedim(1, -1).numpy(), atol=2e-5)


@pytest.mark.parametrize(("channels", "width"), [(16, 128), (64, 32), (256, 8), (512, 4)])
def test_full_size_images(channels, width):
    x, w, up, b = _arrays(
        0,
        (1, 96, width, channels),
        (channels, 3, 3, channels),
        (channels // 2, 3, 3, channels),
        (channels,),
    )
    w /= 3 * np.sqrt(channels)
    up /= 3 * np.sqrt(channels)
    expected = F.conv2d(_first(x), _first(w), torch.tensor(b), padding=1).movedim(1, -1).numpy()
    np.testing.assert_allclose(fo.conv2d(x, w, b, padding=1), expected, atol=2e-5)
    options = {"stride": 2, "padding": 1, "output_padding": 1}
    expected = F.conv_transpose2d(_first(x), _torch_transposed_weight(up, 1), **options)
    np.testing.assert_allclose(
        fo.conv_transpose2d(x, up, **options), expected.movedim(1, -1).numpy(), atol=2e-5
    )


@BACKENDS
@pytest.mark.parametrize("seed", range(12))
def test_gru(seed, backend):
    r = random.Random(seed)
    torch.manual_seed(seed)
    batch, frames, inputs, hidden = (
        r.randint(1, 3),
        r.randint(1, 300),
        r.randint(1, 40),
        r.randint(1, 64),
    )
    gru = torch.nn.GRU(inputs, hidden, batch_first=True)
    x, h0 = _arrays(seed, (batch, frames, inputs), (batch, hidden))
    with torch.no_grad():
        expected = gru(torch.tensor(x), torch.tensor(h0)[None])[0].numpy()
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in gru.parameters())
    b = b_ih.copy()
    b[: 2 * hidden] += b_hh[: 2 * hidden]
    found = fo.gru(x, w_ih, w_hh, b, b_hh[2 * hidden :], h0=h0, backend=backend)
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("seed", range(10))
def test_gelu_softmax_layer_norm(seed):
    channels = random.Random(seed).randint(2, 800)
    x, w, b = _arrays(seed, (3, 50, channels), (channels,), (channels,))
    x *= 3
    t = torch.tensor(x)
    np.testing.assert_allclose(fo.gelu(x), F.gelu(t.double()).numpy(), atol=1e-6)
    np.testing.assert_allclose(fo.softmax(x), torch.softmax(t, -1).numpy(), atol=1e-6)
    expected = F.layer_norm(t, (channels,), torch.tensor(w), torch.tensor(b)).numpy()
    np.testing.assert_allclose(fo.layer_norm(x, w, b), expected, atol=1e-5)
