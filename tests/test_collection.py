"""Every kind of file that people take for a voice: read as what it is, or named in one line.

The files are those of tests/collection; docs/compatibility.md is their table, which
`python tests/collection/table.py` writes.
"""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from collection import OTHERS, VOICES, table
from collection.network import tensors

from mlx_rvc_synth import Noise, Synthesizer, read_voice
from mlx_rvc_synth.config import config_from_list
from mlx_rvc_synth.describing import describe, rows
from mlx_rvc_synth.resolve import resolve
from mlx_rvc_synth.sanitizing import sanitize
from mlx_rvc_synth.weights import build
from mlx_rvc_voices import Library

FRAMES = 3


def test_the_collection_is_large_and_named_once():
    ids = [case.id for case in (*VOICES, *OTHERS)]
    assert len(set(ids)) == len(ids)
    assert len(VOICES) >= 60
    assert len({case.program for case in VOICES}) >= 9


@cache
def inputs(network):
    """Features, F0 with an unvoiced frame, and noise for this network."""
    rng = np.random.default_rng(3)
    features = rng.standard_normal((1, FRAMES, network.width)).astype(np.float32)
    f0 = np.array([[150.0, 0.0, 310.0]], np.float32) if network.f0 else None
    return features, f0


def audio(synthesizer, network):
    features, f0 = inputs(network)
    noise = Noise.normal(synthesizer.config, FRAMES, seed=5)
    return np.asarray(synthesizer.infer(features, f0, speaker=network.speakers - 1, noise=noise))[0]


@cache
def expected(network):
    """Audio of the network itself, which went through no file."""
    clean = sanitize(tensors(network), "torch")
    config, _ = resolve(clean, config_from_list(network.config()), {}, None)
    synthesizer = Synthesizer(config)
    synthesizer.load_weights(list(_arrays(clean)))
    return audio(synthesizer, network)


def _arrays(clean):
    import mlx.core as mx

    return ((name, mx.array(value)) for name, value in clean.items())


@pytest.mark.parametrize("case", VOICES, ids=lambda case: case.id)
def test_a_voice(case, tmp_path):
    network = case.network
    voice = read_voice(case.build(tmp_path))
    config = voice.config
    assert (config.version, config.f0) == (network.version, network.f0)
    assert config.sample_rate == network.khz * 1000
    assert (config.speakers, config.resblock) == (network.speakers, network.resblock)
    assert (config.upsample_rates, config.upsample_kernel_sizes) == (network.rates, network.kernels)

    assert voice.metadata.get("embedder") == case.embedder
    assert voice.metadata.get("embedder_layer") == case.layer
    assert voice.metadata.get("speaker_names", {}) == case.names
    said = describe(voice)
    assert said["kind"] == case.kind
    assert said["index_vectors"] == case.index_vectors
    assert ("file", str(voice.path), case.kind) in rows(said)

    reference = expected(network)
    assert len(reference) == FRAMES * network.khz * 10
    level = np.sqrt(np.mean(reference**2))
    assert level > 0.03
    assert np.abs(audio(build(voice), network) - reference).max() <= case.level * level


# Of each kind, in each of its forms; of wrappers, which change names, all.
KEPT = {(case.program, case.file, case.kind): case for case in VOICES}
KEPT |= {case.id: case for case in VOICES if case.id in ("module", "compiled", "state-dict-module")}


@pytest.mark.parametrize("case", KEPT.values(), ids=lambda case: case.id)
def test_a_voice_stays_what_it_is_in_the_library(case, tmp_path):
    given_in = tmp_path / "given"
    given_in.mkdir()
    path = case.build(given_in)
    given = read_voice(path)
    kept = read_voice(Library(tmp_path / "voices").add(str(path)).voice.model_path)
    assert (kept.config, kept.kind, kept.metadata) == (given.config, given.kind, given.metadata)
    assert len(KEPT) > 20
    assert kept.tensors.keys() == given.tensors.keys()
    assert all(np.array_equal(kept.tensors[name], given.tensors[name]) for name in kept.tensors)


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.id)
def test_what_is_no_voice(case, tmp_path):
    path = case.build(tmp_path)
    with pytest.raises(ValueError, match=re.escape(case.words)) as caught:
        read_voice(path)
    said = str(caught.value)
    assert re.search(case.advice, said), said
    assert path.name in said and "\n" not in said
    assert len(said.replace(str(tmp_path), "")) < 260


def test_a_flow_in_another_order_is_heard(tmp_path):
    """The comparison of audio sees what Acelogic's numbers of the flow could do."""
    network = VOICES[0].network
    swapped = {
        name.replace("flows.0.", "flows.x.").replace("flows.2.", "flows.0.").replace("x.", "2."): v
        for name, v in tensors(network).items()
    }
    clean = sanitize(swapped, "torch")
    config, _ = resolve(clean, config_from_list(network.config()), {}, None)
    synthesizer = Synthesizer(config)
    synthesizer.load_weights(list(_arrays(clean)))
    reference = expected(network)
    difference = np.abs(audio(synthesizer, network) - reference).max()
    assert difference > 1e-2 * np.sqrt(np.mean(reference**2))


def test_the_table_is_that_of_the_collection():
    page = Path(__file__).parents[1] / "docs/compatibility.md"
    assert page.read_text("utf-8") == table.page(), "run python tests/collection/table.py"
