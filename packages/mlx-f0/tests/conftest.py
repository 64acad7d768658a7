"""Methods that are installed for a test alone, and sounds of known pitch."""

import importlib.metadata

import numpy as np
import pytest


class Flat:
    """An F0 method that says the same everywhere."""

    def __init__(self, hz=200.0):
        self.hz = hz
        self.asked = []

    @classmethod
    def from_pretrained(cls, source=None):
        if source is None:
            raise ValueError("flat.bin cannot be fetched: give its path")
        return cls(float(source))

    def infer_from_audio(self, audio, sample_rate=16000, threshold=0.5, **settings):
        self.asked.append({"threshold": threshold, **settings})
        samples = round(np.shape(audio)[-1] * 16000 / sample_rate)
        return np.full((*np.shape(audio)[:-1], samples // 160 + 1), self.hz, np.float32)

    def infer_from_reader(self, read, samples, threshold=0.5, **settings):
        return self.infer_from_audio(read(0, samples), 16000, threshold, **settings)

    def warmup(self):
        self.asked.append("warmup")


class Lacking:
    @classmethod
    def from_pretrained(cls, source=None):
        return cls()


class Crashing:
    offline = True

    @classmethod
    def from_pretrained(cls, source=None):
        raise KeyError("no such\nlayer")


@pytest.fixture
def plugins(monkeypatch):
    """A function: name = "module:class" installs methods beside this package's own."""
    own = {
        "dio": "mlx_f0.world:Dio",
        "harvest": "mlx_f0.world:Harvest",
        "pm": "mlx_f0.praat:Praat",
    }

    def install(**added):
        entries = [
            importlib.metadata.EntryPoint(name, value, "mlx_f0.methods")
            for name, value in {**own, **added}.items()
        ]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: entries)

    install()
    return install


@pytest.fixture
def flat(plugins, monkeypatch):
    """`flat` is a method whose weights are a number, and cannot be fetched."""
    import sys
    from types import SimpleNamespace

    module = SimpleNamespace(Flat=Flat, Lacking=Lacking, Crashing=Crashing)
    monkeypatch.setitem(sys.modules, "flat_plugin", module)
    plugins(flat="flat_plugin:Flat")
    return Flat


@pytest.fixture
def song():
    """A function: seconds of a voice (n,) at 16 kHz that glides and pauses, and its F0 (n,)."""
    from mlx_f0.testing import voice

    def sing(seconds, seed=0):
        t = np.arange(int(seconds * 16000)) / 16000
        f0 = 220 * 2 ** (0.8 * np.sin(2 * np.pi * t / 3.1) + 0.02 * np.sin(2 * np.pi * 5.5 * t))
        f0 = np.where(t % 1.7 < 1.3, f0, 0)
        noise = np.random.default_rng(seed).standard_normal(len(t))
        return voice(f0) + 1e-4 * noise.astype(np.float32), f0

    return sing
