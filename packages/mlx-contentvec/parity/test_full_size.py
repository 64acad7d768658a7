"""The full-size encoder against transformers' HubertModel, random weights. Needs torch.

The weights are drawn so that every layer matters (`mlx_rvc_verify.drawn`); the values compared have
a standard deviation of about 1.
"""

import mlx.core as mx
import pytest
import torch
from transformers import HubertConfig, HubertModel

import mlx_fastops as fastops
from mlx_contentvec import ContentvecConfig, ContentvecModel, sanitize
from mlx_rvc_verify import compare_content
from mlx_rvc_verify.drawn import draw_hubert
from mlx_rvc_verify.signal import glide
from mlx_rvc_verify.torch_encoder import TorchEncoder
from mlx_rvc_verify.verdict import PASS

TOLERANCE = 5e-5
PROJECTION = 256


def drawn(config):
    """A torch model with its projection, both with random weights."""
    torch.manual_seed(7)
    model = HubertModel(config).eval()
    projection = torch.nn.Linear(config.hidden_size, PROJECTION)
    draw_hubert(model, projection, seed=7)
    return model, projection


def ours(model, projection):
    tensors = {k: v.numpy() for k, v in model.state_dict().items()}
    tensors |= {f"final_proj.{k}": v.numpy() for k, v in projection.state_dict().items()}
    loaded = ContentvecModel(ContentvecConfig.from_hf(model.config.to_dict()))
    loaded.load_weights([(k, mx.array(v)) for k, v in sanitize(tensors).items()])
    return loaded


@pytest.fixture(scope="module")
def base():
    model, projection = drawn(HubertConfig())
    return model, projection, ours(model, projection)


@pytest.mark.parametrize(("backend", "seconds"), [("blas", 3.013), ("blas", 10.1), ("mlx", 1.5)])
def test_base(base, backend, seconds):
    theirs, projection, model = base
    audio = glide(seconds)
    oracle = TorchEncoder(theirs, projection)
    with fastops.use_backend(backend):
        for layer, project in ((9, False), (12, False), (9, True)):
            row = compare_content(model, oracle, audio, layer=layer, project=project, warm=False)
            print(f"{backend} {seconds} s, layer {layer}{' projected' * project}: max error "
                  f"{row.max_error:.1e}, std {row.level:.2f}")  # fmt: skip
            assert row.verdict == PASS, row
            assert 0.5 < row.level < 2
            assert row.max_error <= TOLERANCE


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
    audio = glide(2.0)
    row = compare_content(ours(theirs, projection), TorchEncoder(theirs), audio, warm=False)
    print(f"large kind: max error {row.max_error:.1e}")
    assert row.verdict == PASS, row
    assert row.max_error <= TOLERANCE
