"""The demo's recipe: its PyTorch models are RVC's, and a broken training goes on as if nothing had been."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

RECIPE = Path(__file__).parents[2] / "recipes" / "demo"
TOY = {
    "inter_channels": 16,
    "hidden_channels": 16,
    "filter_channels": 32,
    "n_layers": 2,
    "upsample_initial_channel": 32,
}


@pytest.fixture(autouse=True)
def recipe(monkeypatch):
    """Its modules have short names; those of other folders (`run`, `pitch`) stand aside meanwhile."""
    names = [path.stem for path in RECIPE.glob("*.py")]
    monkeypatch.syspath_prepend(str(RECIPE))
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def voice(recipe):
    from synthesizer import Synthesizer

    torch.manual_seed(0)
    model = Synthesizer(**TOY).eval()
    for layer in model.flow.flows[::2]:  # zero in the beginning: the flow would not be tested
        torch.nn.init.normal_(layer.post.weight, 0, 0.1)
    return model


def test_the_voice_is_an_rvc_voice(voice, tmp_path):
    """Written as a small model, read by mlx-rvc-synth, and the same audio without noise."""
    from mlx_rvc_synth import Noise, Synthesizer

    torch.save(voice.small_model("toy") | {"embedder_model": "toy"}, tmp_path / "voice.pth")
    ours = Synthesizer.from_pretrained(tmp_path / "voice.pth")
    draw = np.random.default_rng(0)
    features = draw.standard_normal((1, 40, 192)).astype(np.float32)
    f0 = np.where(np.arange(40) % 10 < 7, 150 + np.arange(40), 0).astype(np.float32)[None]
    voice.load_state_dict({key: value.half().float() for key, value in voice.state_dict().items()})
    for speaker in (0, 1):
        with torch.no_grad():
            g = voice.speaker(torch.tensor([speaker]))
            mean, _ = voice.enc_p(torch.from_numpy(features), torch.from_numpy(f0))
            randn = torch.randn_like
            torch.randn_like = torch.zeros_like
            try:
                theirs = voice.dec(voice.flow(mean, g, reverse=True), torch.from_numpy(f0), g)
            finally:
                torch.randn_like = randn
        noise = Noise.zeros(ours.config, 40)
        made = np.asarray(ours.infer(features, f0, speaker=speaker, noise=noise)).ravel()
        assert np.abs(made - theirs.numpy().ravel()).max() < 1e-4 * np.abs(made).max()


def test_the_encoder_is_read_as_it_was_trained(recipe, tmp_path):
    from encoder import Student, export
    from mlx_contentvec import ContentvecModel

    torch.manual_seed(0)
    student = Student(units=8, phones=4).eval()
    export(student, tmp_path / "encoder")
    student.load_state_dict(
        {key: value.half().float() for key, value in student.state_dict().items()}
    )
    audio = np.random.default_rng(0).standard_normal((1, 8000)).astype(np.float32) * 0.1
    with torch.no_grad():
        theirs = student.features(torch.from_numpy(audio)).numpy()
    ours = np.asarray(ContentvecModel.from_pretrained(tmp_path / "encoder").extract(audio))
    assert ours.shape == theirs.shape and np.abs(ours - theirs).max() < 1e-3


@pytest.fixture
def run(recipe, tmp_path):
    from run import Run, configuration

    config = configuration(quick=True) | {"model": TOY}
    config["decoder"] |= {"steps": 4, "batch": 2}
    return lambda name: Run(tmp_path / name, config)


def recordings():
    from speakers import Recording

    draw = np.random.default_rng(0)
    audio = (draw.standard_normal((2, 32000)) * 3000).astype(np.int16)
    f0 = np.full((2, 201), 120, np.float32)
    return [Recording(speaker, [(audio[speaker], f0[speaker])] * 2, []) for speaker in (0, 1)]


def test_a_broken_training_goes_on_as_if_nothing_had_been(run):
    from train import Trainer

    whole = Trainer(run("whole"), "decoder")
    whole.train(recordings())
    broken = Trainer(run("broken"), "decoder")
    broken.settings = broken.settings | {"steps": 4}
    stop = broken.one

    def one(batch):
        if broken.step == 2:
            broken.save()
            raise KeyboardInterrupt
        stop(batch)

    broken.one = one
    with pytest.raises(KeyboardInterrupt):
        broken.train(recordings())
    again = Trainer(run("broken"), "decoder")
    again.resume()
    assert again.step == 2
    again.train(recordings())
    for name, value in whole.kept.state_dict().items():
        assert torch.equal(value, again.kept.state_dict()[name]), name


def test_a_run_goes_on_from_a_checkpoint(voice, tmp_path):
    """What is left of a run, in half precision, is its encoder, its voice and its critics."""
    from checkpoint import start_steps, voice_of, write
    from discriminators import Discriminators
    from encoder import Student, trained
    from progress import save_state
    from run import Run
    from synthesizer import Synthesizer

    torch.manual_seed(1)
    student, critics = Student(units=8, phones=4).eval(), Discriminators()
    run = Run(tmp_path / "run", {})
    save_state(run.path("voice.pt"), kept=voice.state_dict(), critics=critics.state_dict(), step=7)
    assert write(tmp_path / "checkpoint", run, student) == 7
    assert start_steps(tmp_path / "checkpoint") == 7
    again = Run(tmp_path / "run", {}, tmp_path / "checkpoint")
    assert write(tmp_path / "later", again, student) == 14

    parts = voice_of(tmp_path / "checkpoint")
    model = Synthesizer(**TOY)
    model.load_state_dict(parts["kept"])
    critics.load_state_dict(parts["critics"])
    for name, value in voice.state_dict().items():
        assert torch.equal(model.state_dict()[name], value.half().float()), name
    audio = torch.randn(1, 8000) * 0.1
    with torch.no_grad():
        heard, expected = (
            trained(replace(again, keep_encoder=True)).features(audio),
            student.features(audio),
        )
    assert (heard - expected).abs().max() < 0.02 * expected.abs().max()


def test_a_copy_s_f0_never_falls_to_zero(recipe):
    """Tone of 210 Hz that goes down to 61 and back: 1.5 of that range would end below zero."""
    import parselmouth

    from perturb import widest

    f0 = np.concatenate([np.full(24000, 210.0), np.geomspace(210, 61, 8000), np.full(1600, 61.0)])
    tone = np.sin(np.cumsum(2 * np.pi * np.concatenate([f0, f0[::-1]]) / 16000))
    span = widest(parselmouth.Sound(tone, 16000))
    assert abs(1 - span * (1 - 61 / 210) - 0.1) < 0.01
    assert widest(parselmouth.Sound(np.zeros(16000), 16000)) == np.inf


def test_readers_come_from_a_commit_and_each_says_so_much(recipe, tmp_path):
    import soundfile

    from readers import Part

    there, noise = tmp_path / "there", np.random.default_rng(0).uniform(-0.1, 0.1, 4 * 16000)
    for name in ("1-2-0", "1-2-1", "1-2-2", "3-4-0"):
        path = there / "speech" / f"{name}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise, 16000)
    git = ["git", "-C", str(there), "-c", "user.name=x", "-c", "user.email=x@localhost"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "speech"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    part = Part(str(there), commit.stdout.strip(), "speech", "*.flac", 4)
    part.fetch(tmp_path / "here")
    part.fetch(tmp_path / "here")  # is there already
    spoken = part.utterances(tmp_path / "here", limit=0.1, seed=1)
    assert [utterance.speaker for utterance in spoken] == ["libri 1", "libri 1", "libri 3"]
    (tmp_path / "here" / "speech" / "3-4-0.flac").unlink()
    with pytest.raises(SystemExit, match="has 3 recordings of LibriSpeech, expected 4: remove it"):
        part.utterances(tmp_path / "here", limit=0.1, seed=1)
    with pytest.raises(SystemExit, match=r"git -C .* failed: fatal: "):
        replace(part, url=str(tmp_path / "nowhere")).fetch(tmp_path / "again")
