"""Count what a GPU would be asked to do for a second of audio, where no GPU can be timed.

Usage:

    python benchmarks/launches.py [--seconds 10] [--toy]

Each stage's graph is built on the MLX path, at full size with random weights (v2, 48 kHz, F0), and
is not evaluated. The primitives of `mx.export_to_dot` that start a kernel are counted:

- views start none: Reshape, Transpose, Slice, AsStrided and the others of VIEWS;
- a concatenation copies each of its inputs, padding and an update of a slice copy twice;
- all others count once. A convolution or a large matrix product may start more than one kernel, and
  a reshaped or strided array may have to be copied first: that is the library's affair and is not
  counted. So the counts are lower bounds, the same way on both sides.

"plain" is MLX's own ops one by one, and the GRU's recurrence step by step in both directions.
"compiled" lets `mx.compile` fuse what it can. "all" has the fused GRU too, and the lowered form of
every convolution that has one, whichever a device would choose.

Layer norm, attention and the fused GRU exist only on a GPU; a graph for the CPU holds their parts,
or nothing. So they are replaced by one node that nothing can be fused with, and count once.
"""

import argparse
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import arithmetic
import mlx.core as mx
import numpy as np
from mlx.utils import tree_map

import mlx_fastops as fastops
from mlx_contentvec import ContentvecConfig, ContentvecModel
from mlx_fastops import _fused_gru, _mlx_gru
from mlx_rmvpe.config import RMVPEConfig
from mlx_rmvpe.mel import log_mel
from mlx_rmvpe.network import E2E
from mlx_rvc_synth import Noise, SynthConfig, Synthesizer

VIEWS = {
    "AsStrided",
    "Broadcast",
    "BroadcastAxes",
    "Depends",
    "ExpandDims",
    "Flatten",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "StopGradient",
    "Transpose",
    "Unflatten",
    "View",
}
TWICE = {"Pad", "SliceUpdate", "DynamicSliceUpdate"}

# Label, compiled, form, fused GRU.
SIDES = (
    ("plain", False, "native", False),
    ("compiled", True, "native", False),
    ("all", True, "lowered", True),
)

NODE = re.compile(r"^\{ (\d+) \[label =\"([^\"]*)\", shape=rectangle\]; \}$", re.MULTILINE)
EDGE = re.compile(r"^\"[^\"]*\" -> (\d+)$", re.MULTILINE)


def launches(*arrays: mx.array) -> Counter[str]:
    """Kernels that evaluating these arrays would start, by primitive."""
    text = io.StringIO()
    mx.export_to_dot(text, *arrays)
    dot = text.getvalue()
    inputs = Counter(EDGE.findall(dot))
    found: Counter[str] = Counter()
    for node, label in NODE.findall(dot):
        if label in VIEWS:
            continue
        weight = inputs[node] if label == "Concatenate" else 2 if label in TWICE else 1
        known = "Compiled" if label.startswith("Compiled") else label
        found["one node" if known == "Sort" else known] += weight
    return found


def one_node(x: mx.array, *others: mx.array | None) -> mx.array:
    """Something of x's shape that depends on all of these and is one launch."""
    dependencies = [array for array in others if array is not None]
    return mx.sort(mx.depends(x, dependencies) if dependencies else x)


def fused_gru(gates: mx.array, u: mx.array, bhn: mx.array, h0: mx.array, params: list[int]):
    """What one launch of the GRU's kernel leaves behind, as far as a graph shows it."""
    shape = (*h0.shape[:2], params[3], h0.shape[2])
    out = one_node(mx.broadcast_to(mx.array(0.0), shape), gates, u, bhn, h0)
    return out, out[:, :, -1]


@contextmanager
def as_on_a_gpu(fused: bool) -> Iterator[None]:
    """Build graphs that a GPU would get; evaluating them would give nonsense."""

    def layer_norm(x: mx.array, weight: mx.array, bias: mx.array, eps: float) -> mx.array:
        return one_node(x, weight, bias)

    def attention(q: mx.array, k: mx.array, v: mx.array, *, scale: float, mask=None) -> mx.array:
        return one_node(q, k, v, mask)

    replaced = [
        (mx.fast, "layer_norm", layer_norm),
        (mx.fast, "scaled_dot_product_attention", attention),
        (_mlx_gru, "STEPS_PER_EVALUATION", 1 << 62),
        (_fused_gru, "_wanted", lambda hidden, arrays: fused),
        (_fused_gru, "_followed", lambda *arrays: False),
        (_fused_gru, "_proved", lambda hidden, directions: fused_gru),
    ]
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    for owner, name, value in replaced:
        setattr(owner, name, value)
    try:
        with fastops.use_backend("mlx"):
            yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def stages(seconds: float, toy: bool) -> dict[str, tuple[Callable[[], mx.array], int]]:
    """Stage name to a function that builds its graph, and its multiply-accumulates."""
    rng = np.random.default_rng(0)
    audio = (0.1 * rng.standard_normal(round(seconds * 16000))).astype(np.float32)
    frames = round(seconds * 100)
    encoder, network, voice = models(toy)
    config = voice.config
    features = mx.zeros((1, frames, config.feature_channels))
    f0 = np.full((1, frames), 180, np.float32)
    noise = Noise(
        mx.zeros((1, frames, config.inter_channels)), mx.zeros((1, frames * config.hop, 1))
    )
    mx.eval(features, noise.latent, noise.source)
    return {
        "ContentVec": (
            lambda: encoder.extract(audio),
            arithmetic.contentvec(encoder.config, len(audio)),
        ),
        "RMVPE (mel, network)": (
            lambda: network(log_mel(audio[None], network.config)),
            arithmetic.rmvpe(network.config, frames + 1),
        ),
        "synthesizer": (
            lambda: voice.infer(features, f0, noise=noise),
            arithmetic.synthesizer(config, frames),
        ),
    }


def models(toy: bool) -> tuple[ContentvecModel, E2E, Synthesizer]:
    """The three models with weights of zeros: what is counted does not depend on their values."""
    small = {"conv_dim": (8,) * 7, "hidden_size": 16, "num_hidden_layers": 2} if toy else {}
    small |= {"num_attention_heads": 2, "intermediate_size": 16} if toy else {}
    small |= {"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2} if toy else {}
    sizes = {
        "inter_channels": 16 if toy else 192,
        "hidden_channels": 16 if toy else 192,
        "filter_channels": 32 if toy else 768,
        "n_heads": 2,
        "n_layers": 2 if toy else 6,
        "kernel_size": 3,
        "resblock": "1",
        "resblock_kernel_sizes": (3, 7, 11),
        "resblock_dilation_sizes": ((1, 3, 5),) * 3,
        "upsample_rates": (12, 10, 2, 2),
        "upsample_initial_channel": 32 if toy else 512,
        "upsample_kernel_sizes": (24, 20, 4, 4),
        "spk_embed_dim": 4,
        "gin_channels": 8 if toy else 256,
        "sample_rate": 48000,
        "feature_channels": 16 if toy else 768,
        "f0": True,
        "version": "v2",
    }
    rmvpe = RMVPEConfig(n_blocks=1, inter_layers=1, gru_hidden=8) if toy else RMVPEConfig()
    made = (
        ContentvecModel(ContentvecConfig.from_hf(small)),
        E2E(rmvpe),
        Synthesizer(SynthConfig(**sizes)),
    )
    for model in made:
        model.update(tree_map(lambda array: mx.zeros(array.shape), model.parameters()))
        mx.eval(model.parameters())
    return made


def main() -> None:
    """Count and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of audio in one chunk")
    parser.add_argument("--toy", action="store_true", help="small models, to try the script")
    parser.add_argument("--details", action="store_true", help="counts of each primitive")
    arguments = parser.parse_args()
    print("| stage | GMAC | plain | compiled | all | plain / all |")
    print("|---|---|---|---|---|---|")
    details = []
    for name, (build, products) in stages(arguments.seconds, arguments.toy).items():
        counts = []
        for label, compiled, form, fused in SIDES:
            with (
                as_on_a_gpu(fused),
                fastops.use_compilation(compiled),
                fastops.use_form(form),
            ):
                counts.append(launches(build()))
            details.append((name, label, counts[-1]))
        totals = [sum(count.values()) / arguments.seconds for count in counts]
        cells = " | ".join(f"{total:.1f}" for total in totals)
        gmac = products / arguments.seconds / 1e9
        print(f"| {name} | {gmac:.1f} | {cells} | {totals[0] / totals[-1]:.1f} |")
    if arguments.details:
        for name, side, counts in details:
            print(f"\n{name}, {side}: {sum(counts.values())} " + str(dict(counts.most_common())))


if __name__ == "__main__":
    main()
