"""The benchmark's count of arithmetic against PyTorch's own counter, at full size."""

import arithmetic
import pytest
import torch
from golden_rmvpe import reference
from huggingface_hub_rvc.core.models import SynthesizerTrnMs768NSFsid
from models import voice_config
from stages import synth_config
from torch.nn.utils import parametrize
from torch.utils.flop_counter import FlopCounterMode
from transformers import HubertConfig, HubertModel

from mlx_contentvec import ContentvecConfig
from mlx_rmvpe import RMVPEConfig


def macs(run):
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() // 2


def test_contentvec():
    hubert = HubertModel(HubertConfig(attn_implementation="eager")).eval()
    # The counter cannot follow a weight that is computed at each call.
    parametrize.remove_parametrizations(hubert.encoder.pos_conv_embed.conv, "weight")
    audio = torch.zeros(1, 24000)
    assert arithmetic.contentvec(ContentvecConfig(), 24000) == macs(lambda: hubert(audio))


def test_rmvpe():
    network = reference.E2E(4, 1, (2, 2)).eval()
    mel = torch.zeros(1, 128, 96)
    filters = 96 * 513 * 128
    assert arithmetic.rmvpe(RMVPEConfig(), 96) == macs(lambda: network(mel)) + filters


@pytest.mark.parametrize("rate", ["48k", "40k"])
def test_synthesizer(rate):
    voice = SynthesizerTrnMs768NSFsid(*voice_config(rate), is_half=False).eval()
    voice.remove_weight_norm()
    frames = 30
    coarse, f0_hz = torch.full((1, frames), 60), torch.full((1, frames), 180.0)
    inputs = torch.zeros(1, frames, 768), torch.tensor([frames]), coarse, f0_hz, torch.tensor([0])
    # The original multiplies with all 2T - 1 offsets, of which 21 are not zero.
    config = synth_config(rate)
    zeros = 2 * config.n_layers * frames * config.hidden_channels * (2 * frames - 1 - 21)
    assert arithmetic.synthesizer(config, frames) + zeros == macs(lambda: voice.infer(*inputs))
