"""One session: the voice converts every recording for every speaker, the judges listen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from .figures import PROTECTED_RATE
from .judges import Judges
from .melody import Curve, auto_pitch
from .recordings import Recording
from .speaker import centre
from .spectrum import log_spectral_distance, mel_cepstral_distortion
from .subject import Subject
from .targets import Target

SWEEPS = {"index-rate": (0.0, 0.25, 0.5, 0.75, 1.0), "protect": (0.0, 0.1, 0.2, 0.33, 0.5)}


@dataclass(frozen=True)
class Role:
    """A speaker of the voice, whom it should sound like, and the shift (None: automatic)."""

    number: int
    name: str
    target: Target
    pitch: float | None


@dataclass
class Session:
    """Everything that is loaded once; `items` grows by a record for each piece that was judged."""

    subject: Subject
    judges: Judges
    recordings: list[Recording]
    roles: list[Role]
    seeds: int
    tell: Callable[[str], None]
    items: list[dict] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = [recording.name for recording in self.recordings]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two recordings are called {twice[0]}; rename one")
        self.curves: dict[str, Curve] = {}
        embeddings: dict[str, list[np.ndarray]] = {}
        voiced: dict[str, list[np.ndarray]] = {}
        for recording in self.recordings:
            curve = self.judges.tracker.follow(recording.at_16k)
            self.curves[recording.name] = curve
            voiced.setdefault(recording.reader, []).append(curve.f0_hz[curve.voiced])
            embeddings.setdefault(recording.reader, []).append(
                self.judges.speaker.embed(recording.at_16k)
            )
        self.readers = {reader: centre(found) for reader, found in embeddings.items()}
        self.medians = {
            reader: float(np.median(np.concatenate(found))) for reader, found in voiced.items()
        }

    def pitch(self, role: Role, recording: Recording) -> float:
        """The shift in semitones that a recording gets for a speaker."""
        if role.pitch is not None:
            return role.pitch
        median = self.medians[recording.reader]
        if not np.isfinite(median):
            raise ValueError(f"{recording.reader} has no voiced frame; give --pitch")
        return auto_pitch(median, role.target.median_hz, singing=recording.singing)

    def sources(self) -> None:
        """Judge the recordings themselves."""
        for recording in self.recordings:
            sound = self.judges.sound(recording.at_16k, recording.text)
            for role in self.roles:
                voice = self.judges.voice(
                    recording.at_16k, role.target.centre, self.readers[recording.reader]
                )
                figures = {**sound.figures, **voice.figures}
                self._keep("source", recording, role, figures, sound.heard)

    def conversions(
        self, run: str = "conversion", **controls: float
    ) -> Iterator[tuple[Recording, Role, np.ndarray]]:
        """Convert and judge; yields each first seed's audio at 16 kHz."""
        for role, recording, seed in self._pieces():
            pitch = self.pitch(role, recording)
            audio = self.subject.convert(
                recording, speaker=role.number, pitch=pitch, seed=seed, **controls
            )
            self._judge(run, recording, role, audio, seed=seed, **controls)
            if seed == 0:
                yield recording, role, audio

    def sweep(self, name: str) -> None:
        """The same at several index rates or degrees of protection."""
        field_name = name.replace("-", "_")
        others = {"index_rate": PROTECTED_RATE} if name == "protect" else {}
        for value in SWEEPS[name]:
            self.tell(f"{name} {value:g}")
            for _ in self.conversions(f"sweep {name}", **{field_name: value}, **others):
                pass

    def against_pytorch(self) -> None:
        """Convert with equal noise by both programs, judge both, and measure how far they differ.

        For scale, ours is also set against ours with the next seed.
        """
        from .oracle import Oracle

        oracle = Oracle(self.subject)
        for role, recording, seed in self._pieces():
            pitch = self.pitch(role, recording)
            about = {"speaker": role.number, "pitch": pitch}
            theirs = oracle.theirs(recording, seed=seed, **about)
            ours, again = (
                oracle.ours(recording, seed=number, **about)[: len(theirs)]
                for number in (seed, self.seeds + seed)
            )
            self._judge("equal noise, MLX", recording, role, ours, seed=seed)
            self._judge(
                "equal noise, PyTorch", recording, role, theirs, seed=seed,
                apart=_apart(theirs, ours),
            )  # fmt: skip
            self._judge(
                "other noise, MLX", recording, role, again, seed=seed, apart=_apart(ours, again)
            )

    def _pieces(self) -> Iterator[tuple[Role, Recording, int]]:
        for role in self.roles:
            for recording in self.recordings:
                for seed in range(self.seeds):
                    yield role, recording, seed

    def _judge(
        self, run: str, recording: Recording, role: Role, audio: np.ndarray, *, seed: int,
        apart: dict[str, float] | None = None, **controls: float,
    ) -> None:  # fmt: skip
        pitch = self.pitch(role, recording)
        wanted = self.curves[recording.name].shifted(pitch)
        sound = self.judges.sound(audio, recording.text)
        voice = self.judges.voice(audio, role.target.centre, self.readers[recording.reader])
        melody = self.judges.melody(audio, wanted)
        figures = {**sound.figures, **voice.figures, **melody.figures, **(apart or {})}
        self._keep(run, recording, role, figures, sound.heard, seed=seed, pitch=pitch, **controls)

    def _keep(
        self, run: str, recording: Recording, role: Role, figures: dict, heard: dict, **more: float
    ) -> None:
        self.items.append({
            "run": run, "recording": recording.name, "reader": recording.reader,
            "kind": "singing" if recording.singing else "speech", "speaker": role.number, **more,
            "figures": {name: _plain(value) for name, value in figures.items()}, "heard": heard,
        })  # fmt: skip
        if run != "source":
            told = {name: figures[name] for name in ("to_target", "accuracy", "ovrl")}
            words = f"{figures['wrong_words']}/{figures['words']} words wrong, " if heard else ""
            self.tell(
                f"{run}: {recording.name} to {role.name}: {words}"
                + ", ".join(f"{name} {value:.2f}" for name, value in told.items())
            )


def _apart(reference: np.ndarray, found: np.ndarray) -> dict[str, float]:
    return {
        "mcd": mel_cepstral_distortion(reference, found),
        "lsd": log_spectral_distance(reference, found),
    }


def _plain(value: float) -> float | int | None:
    """For JSON, which has no nan."""
    if isinstance(value, int):
        return value
    return round(float(value), 6) if np.isfinite(value) else None
