"""What the content encoder learns to say: speech units and phones, from Whisper's features.

The features are normalised speaker by speaker, which takes most of the voice out of them. K-means
on their principal components gives units; a small network, trained where flite knows its phones,
gives phone posteriors everywhere.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.cluster import MiniBatchKMeans
from torch import nn

from corpus import Utterance

BLEND = 500  # frames of a speaker that weigh as much as the whole source


def normalised(utterances: list[Utterance], features: list[np.ndarray]) -> list[np.ndarray]:
    """Mean 0 and deviation 1 a speaker; one who said little leans on the whole source."""
    joined = np.concatenate(features).astype(np.float32)
    mean, deviation = joined.mean(0), joined.std(0) + 1e-5
    speakers: dict[str, list[np.ndarray]] = {}
    for utterance, feature in zip(utterances, features, strict=True):
        speakers.setdefault(utterance.speaker, []).append(feature.astype(np.float32))
    scales = {}
    for name, parts in speakers.items():
        own = np.concatenate(parts)
        share = len(own) / (len(own) + BLEND)
        scales[name] = (
            share * own.mean(0) + (1 - share) * mean,
            share * own.std(0) + (1 - share) * deviation + 1e-5,
        )
    return [
        (feature.astype(np.float32) - scales[utterance.speaker][0]) / scales[utterance.speaker][1]
        for utterance, feature in zip(utterances, features, strict=True)
    ]


@dataclass
class Components:
    """Principal components: (frames, 384) to (frames, count)."""

    mean: np.ndarray
    axes: np.ndarray

    @classmethod
    def fit(cls, features: np.ndarray, count: int) -> "Components":
        mean = features.mean(0)
        _, axes = np.linalg.eigh(np.cov((features - mean).T))
        return cls(mean, axes[:, ::-1][:, :count].astype(np.float32))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray((features - self.mean) @ self.axes, np.float32)


def with_context(features: np.ndarray) -> np.ndarray:
    """Each frame beside the one before and after it: three times as wide."""
    padded = np.pad(features, ((1, 1), (0, 0)), "edge")
    return np.concatenate([padded[:-2], features, padded[2:]], 1)


def phone_labels(utterance: Utterance, count: int, names: list[str]) -> np.ndarray:
    times = np.arange(count) * 0.02 + 0.0125
    ends = np.array([end for _, end in utterance.phones or []])
    at = np.minimum(np.searchsorted(ends, times), len(ends) - 1)
    return np.array([names.index(name) for name, _ in utterance.phones or []])[at]


class PhoneClassifier(nn.Sequential):
    def __init__(self, inputs: int, phones: int) -> None:
        super().__init__(
            nn.Dropout(0.1),
            nn.Linear(3 * inputs, 256),
            nn.GELU(),
            nn.Dropout(0.3),
            nn.Linear(256, phones),
        )

    def learn(self, features: np.ndarray, labels: np.ndarray, steps: int = 1200) -> None:
        x, y = torch.from_numpy(features), torch.from_numpy(labels)
        optimiser = torch.optim.AdamW(self.parameters(), 2e-3, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, steps)
        for _ in range(steps):
            batch = torch.randint(len(x), (1024,))
            loss = F.cross_entropy(self(x[batch]), y[batch], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        self.eval()

    @torch.no_grad()
    def posteriors(self, features: np.ndarray) -> np.ndarray:
        return F.softmax(self(torch.from_numpy(features)), 1).numpy()


@dataclass
class Targets:
    units: np.ndarray  # (frames,) int16
    phones: np.ndarray  # (frames, phones) float16, sums to 1


KNOWN = 0.7  # weight of flite's own phone against the classifier's opinion


def targets(
    spoken: dict[str, list[Utterance]],
    heard: dict[str, list[np.ndarray]],
    components: int,
    units: int,
    seed: int,
) -> tuple[dict[str, list[Targets]], list[str], float]:
    """Targets of every source, the phones' names, accuracy on a voice left out of a first fit."""
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    clean = {name: normalised(spoken[name], heard[name]) for name in spoken}
    joined = {name: np.concatenate(parts) for name, parts in clean.items()}
    sample = np.concatenate([part[draw.permutation(len(part))[:25000]] for part in joined.values()])
    reduce = Components.fit(sample, components)
    kmeans = MiniBatchKMeans(units, batch_size=4096, n_init=1, max_iter=25, random_state=seed).fit(
        reduce(sample)
    )

    aligned = [name for name in spoken if spoken[name][0].phones is not None]
    names = sorted({phone for name in aligned for u in spoken[name] for phone, _ in u.phones or []})

    def features_and_labels(sources: list[str]) -> tuple[np.ndarray, np.ndarray]:
        pairs = [
            (u, feature)
            for name in sources
            for u, feature in zip(spoken[name], clean[name], strict=True)
        ]
        labels = np.concatenate([phone_labels(u, len(feature), names) for u, feature in pairs])
        return np.concatenate([with_context(reduce(feature)) for _, feature in pairs]), labels

    trial = PhoneClassifier(components, len(names))
    trial.learn(*features_and_labels([name for name in aligned if name != "rms"]), steps=500)
    features, labels = features_and_labels(["rms"])
    accuracy = float((trial.posteriors(features).argmax(1) == labels).mean())

    classifier = PhoneClassifier(components, len(names))
    classifier.learn(*features_and_labels(aligned))
    out: dict[str, list[Targets]] = {}
    for name, utterances in spoken.items():
        out[name] = []
        for utterance, feature in zip(utterances, clean[name], strict=True):
            reduced = reduce(feature)
            phones = classifier.posteriors(with_context(reduced))
            if utterance.phones is not None:
                exact = np.eye(len(names), dtype=np.float32)[
                    phone_labels(utterance, len(feature), names)
                ]
                phones = KNOWN * exact + (1 - KNOWN) * phones
            out[name].append(
                Targets(kmeans.predict(reduced).astype(np.int16), phones.astype(np.float16))
            )
    return out, names, accuracy
