"""The full-size encoder against transformers' HubertModel, random weights. Needs torch.

The weights are drawn so that every layer matters: matrices of variance 1 / inputs (at
transformers' own 0.02 the layers would change little), norms and biases not at 1 and 0. The values
compared have a standard deviation of about 1.
"""

import mlx.core as mx
import numpy as np
import pytest
import torch
from transformers import HubertConfig, HubertModel

import mlx_fastops as fastops
from mlx_contentvec import ContentvecConfig, ContentvecModel, sanitize

TOLERANCE = 5e-5
PROJECTION = 256


def drawn(config):
    """A torch model with its projection, both with random weights."""
    torch.manual_seed(7)
    model = HubertModel(config).eval()
    projection = torch.nn.Linear(config.hidden_size, PROJECTION)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *projection.named_parameters()]:
            if name.endswith("original0") or ("norm" in name and name.endswith("weight")):
                tensor.copy_(1 + 0.1 * torch.randn_like(tensor))
            elif tensor.ndim == 1:
                tensor.copy_(0.1 * torch.randn_like(tensor))
            elif "conv_layers" not in name:  # those keep their Kaiming values
                tensor.copy_(torch.randn_like(tensor) / tensor[0].numel() ** 0.5)
    return model, projection


def ours(model, projection):
    tensors = {k: v.numpy() for k, v in model.state_dict().items()}
    tensors |= {f"final_proj.{k}": v.numpy() for k, v in projection.state_dict().items()}
    loaded = ContentvecModel(ContentvecConfig.from_hf(model.config.to_dict()))
    loaded.load_weights([(k, mx.array(v)) for k, v in sanitize(tensors).items()])
    return loaded


def signal(seconds):
    """A gliding voice-like sound in noise, with a silence in it."""
    rng = np.random.default_rng(4)
    time = np.arange(round(16000 * seconds)) / 16000
    phase = 2 * np.pi * np.cumsum(140 + 60 * np.sin(2 * np.pi * 0.7 * time)) / 16000
    voice = sum(np.sin(h * phase) / h for h in range(1, 20)) * 0.1
    voice[len(voice) // 3 : len(voice) // 3 + 4000] = 0
    return (voice + 0.003 * rng.standard_normal(len(time))).astype(np.float32)


@pytest.fixture(scope="module")
def base():
    model, projection = drawn(HubertConfig())
    return model, projection, ours(model, projection)


@pytest.mark.parametrize(("backend", "seconds"), [("blas", 3.013), ("blas", 10.1), ("mlx", 1.5)])
def test_base(base, backend, seconds):
    theirs, projection, model = base
    audio = signal(seconds)
    with torch.no_grad():
        hidden = theirs(torch.from_numpy(audio)[None], output_hidden_states=True).hidden_states
        expected = {(9, False): hidden[9], (12, False): hidden[12]}
        expected[9, True] = projection(hidden[9])
    with fastops.use_backend(backend):
        for (layer, project), want in expected.items():
            got = np.array(model.extract(audio, layer=layer, project=project))
            error = np.abs(got - want.numpy()).max()
            print(f"{backend} {seconds} s, layer {layer}{' projected' * project}: max error "
                  f"{error:.1e}, std {want.std():.2f}, max {want.abs().max():.1f}")  # fmt: skip
            assert 0.5 < want.std() < 2
            assert error <= TOLERANCE


def test_large_kind():
    """Norm before attention, a norm in every convolution; large's widths, fewer layers."""
    config = HubertConfig(
        hidden_size=1024,
        num_hidden_layers=4,
        num_attention_heads=16,
        intermediate_size=4096,
        feat_extract_norm="layer",
        conv_bias=True,
        do_stable_layer_norm=True,
    )
    theirs, projection = drawn(config)
    audio = signal(2.0)
    with torch.no_grad():
        want = theirs(torch.from_numpy(audio)[None]).last_hidden_state.numpy()
    got = np.array(ours(theirs, projection).extract(audio))
    print(f"large kind: max error {np.abs(got - want).max():.1e}")
    assert np.abs(got - want).max() <= TOLERANCE
