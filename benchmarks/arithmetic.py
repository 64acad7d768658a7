"""Multiply-accumulates of each stage, counted from its configuration.

Counted are the products that define the network: convolutions, matrix products, attention and the
recurrence. Not counted are what an implementation adds (margins of tiles and blocks, zeros that a
library multiplies) and what is not a product (activations, norms, the Fourier transform). So a
figure of GFLOP/s made of it, two operations for each multiply-accumulate, is useful work only.
"""

import math
from dataclasses import dataclass

from mlx_contentvec import ContentvecConfig
from mlx_rmvpe import RMVPEConfig
from mlx_rvc_synth import SynthConfig

CONTENT_RATE = 50  # frames of content features a second; F0 and the voice model have twice as many
SAMPLE_RATE = 16000  # Hz, of what the encoder and RMVPE listen to
CONTEXT = 1  # seconds of context on either side of every piece of a conversion
WHOLE, PIECE = 41, 38  # seconds: audio longer than WHOLE is converted in pieces of about PIECE


@dataclass(frozen=True)
class IndexSize:
    """A voice's index: `vectors` of `width` in `lists`, of which a search reads `probes`."""

    vectors: int = 20_000
    width: int = 768
    lists: int = 512
    probes: int = 1


def contentvec(config: ContentvecConfig, samples: int) -> int:
    """Of the encoder, to its last layer, for `samples` of audio at 16 kHz."""
    total, length, inputs = 0, samples, 1
    sizes = zip(config.conv_dim, config.conv_kernel, config.conv_stride, strict=True)
    for outputs, kernel, stride in sizes:
        length = (length - kernel) // stride + 1
        total += length * kernel * inputs * outputs
        inputs = outputs
    width, frames = config.hidden_size, length
    total += frames * inputs * width
    # The positional convolution has an even kernel, padded on both sides: one frame too many.
    group = width // config.num_conv_pos_embedding_groups
    total += (frames + 1) * config.num_conv_pos_embeddings * group * width
    attention = 4 * frames * width**2 + 2 * frames**2 * width
    dense = 2 * frames * width * config.intermediate_size
    return total + config.num_hidden_layers * (attention + dense)


def rmvpe(config: RMVPEConfig, frames: int) -> int:
    """Of mel filters, U-Net, GRU and output layer; `frames` of 10 ms, padded as the model does."""
    padded = math.ceil(frames / config.frame_multiple) * config.frame_multiple
    mel = frames * (config.n_fft // 2 + 1) * config.n_mels
    gates = 3 * config.gru_hidden
    inputs = config.cnn_channels * config.n_mels
    recurrence = 2 * padded * gates * (inputs + config.gru_hidden)
    output = padded * 2 * config.gru_hidden * config.n_bins
    return mel + _unet(config, padded) + recurrence + output


def _unet(config: RMVPEConfig, frames: int) -> int:
    cells = [frames * config.n_mels // 4**level for level in range(config.en_de_layers + 1)]
    widths = [config.en_out_channels * 2**level for level in range(config.en_de_layers + 1)]
    total, inputs = 0, 1
    for area, width in zip(cells[:-1], widths[:-1], strict=True):
        total += area * _residual_stack(inputs, width, config.n_blocks)
        inputs = width
    for _ in range(config.inter_layers):
        total += cells[-1] * _residual_stack(inputs, widths[-1], config.n_blocks)
        inputs = widths[-1]
    for area, width in zip(cells[-2::-1], widths[-2::-1], strict=True):
        total += area // 4 * 9 * inputs * width  # doubled in time and frequency
        total += area * _residual_stack(2 * width, width, config.n_blocks)
        inputs = width
    return total + cells[0] * 9 * inputs * config.cnn_channels


def _residual_stack(inputs: int, outputs: int, blocks: int) -> int:
    """Of one cell in a stack whose first block changes the width, by a shortcut of its own."""
    first = 9 * (inputs * outputs + outputs**2) + (inputs * outputs if inputs != outputs else 0)
    return first + (blocks - 1) * 18 * outputs**2


def prior(config: SynthConfig, frames: int) -> int:
    """Of prior encoder and flow for `frames` of 10 ms."""
    return _text_encoder(config, frames) + _flow(config, frames)


def _text_encoder(config: SynthConfig, frames: int) -> int:
    width = config.hidden_channels
    attention = 4 * frames * width**2 + 2 * frames**2 * width
    attention += 2 * frames * (2 * config.window_size + 1) * width  # relative keys and values
    dense = 2 * frames * config.kernel_size * width * config.filter_channels
    ends = frames * width * (config.feature_channels + 2 * config.inter_channels)
    return ends + config.n_layers * (attention + dense)


def _flow(config: SynthConfig, frames: int) -> int:
    width, layers = config.hidden_channels, config.flow_n_layers
    ends = frames * config.inter_channels * width  # into the gated stack and out of it, half each
    condition = config.gin_channels * 2 * width * layers
    gates = layers * frames * config.flow_kernel_size * 2 * width**2
    skips = frames * width**2 * (2 * layers - 1)  # the last layer has no residual half
    return config.n_flows * (ends + condition + gates + skips)


def vocoder(config: SynthConfig, frames: int) -> int:
    """Of the generator with its source for `frames` of 10 ms."""
    width = config.upsample_initial_channel
    total = frames * 7 * config.inter_channels * width + config.gin_channels * width
    length, samples = frames, frames * config.hop
    stages = zip(config.channels, config.upsample_rates, config.upsample_kernel_sizes, strict=True)
    for channels, rate, kernel in stages:
        total += length * kernel * width * channels
        length, width = length * rate, channels
        blocks = zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True)
        for taps, dilations in blocks:
            convolutions = len(dilations) * (2 if config.resblock == "1" else 1)
            total += length * convolutions * taps * channels**2
        if config.f0:
            stride = samples // length
            taps = 1 if stride == 1 else 2 * stride - stride % 2
            total += length * taps * channels
    return total + samples * 7 * width + (samples if config.f0 else 0)


def synthesizer(config: SynthConfig, frames: int) -> int:
    """Of the whole voice model."""
    return prior(config, frames) + vocoder(config, frames)


def index(size: IndexSize, queries: int, neighbours: int = 8) -> int:
    """Of search and blend, where the lists that are read have the average length."""
    read = size.lists + size.probes * size.vectors // size.lists
    return queries * size.width * (read + neighbours)


def conversion(
    content: ContentvecConfig,
    f0: RMVPEConfig,
    voice: SynthConfig,
    size: IndexSize | None,
    seconds: float,
) -> int:
    """Of the whole chain: pieces of equal length, each with its context; F0 in one pass."""
    pieces = 1 if seconds <= WHOLE else math.ceil(seconds / PIECE)
    samples = round((seconds / pieces + 2 * CONTEXT) * SAMPLE_RATE)
    features = content.frames(samples)
    piece = contentvec(content, samples) + synthesizer(voice, 2 * features)
    if size is not None:
        piece += index(size, features)
    frames = round((seconds + 2 * CONTEXT) * SAMPLE_RATE) // f0.hop_length + 1
    return pieces * piece + rmvpe(f0, frames)
