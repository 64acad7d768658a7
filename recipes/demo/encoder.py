"""The content encoder: a small HuBERT (2.3 M parameters, 192 features) taught by Whisper.

Its input is speech that `perturb` and `augment` have changed in voice, room and speed; its targets
(`teacher`) are those of the clean speech. So it learns to hear words and to be deaf to the rest.
It hears each stretch of speech twice, changed in two ways, and both have to give the same features
(ContentVec's idea, 2204.09224).
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import HubertConfig, HubertModel

from augment import recorded
from corpus import RATE
from progress import Average, Curves, load_state, renamed, save_state
from run import Run
from teacher import Targets
from whisper import FRAME, frames

IGNORED = -100
SAME = 1.0  # weight of the distance between the features of two views


def configuration() -> HubertConfig:
    return HubertConfig(
        hidden_size=192,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=768,
        conv_dim=(64, 64, 96, 96, 128, 128, 128),
        num_conv_pos_embeddings=64,
        num_conv_pos_embedding_groups=8,
        hidden_dropout=0.05,
        activation_dropout=0.05,
        attention_dropout=0.05,
        feat_proj_dropout=0.05,
        final_dropout=0.0,
        layerdrop=0.0,
        apply_spec_augment=False,
    )


class Student(nn.Module):
    """The encoder and two heads that only training needs."""

    def __init__(self, units: int, phones: int) -> None:
        super().__init__()
        self.encoder = HubertModel(configuration())
        self.units = nn.Linear(192, units)
        self.phones = nn.Linear(192, phones)

    def features(self, audio: torch.Tensor) -> torch.Tensor:
        """(batch, samples) at 16 kHz to (batch, frames, 192)."""
        return self.encoder(audio).last_hidden_state

    def forward(self, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features, scores of the units, scores of the phones, all (batch, frames, ...)."""
        features = self.features(audio)
        return features, self.units(features), self.phones(features)


@dataclass
class Example:
    versions: list[np.ndarray]  # (samples,) int16: the utterance, then its perturbed copies
    targets: Targets
    weight: float


class Batches:
    """Batch number `step` is always the same, so a broken run goes on as if nothing had been."""

    def __init__(self, examples: list[Example], size: int, seconds: float, seed: int) -> None:
        self.examples, self.size, self.seed = examples, size, seed
        self.samples = int(seconds * RATE)
        weights = np.array([example.weight for example in examples])
        self.weights = weights / weights.sum()

    def one(self, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Two views (2, samples), units (frames,), phones (frames, phones)."""
        example = self.examples[draw.choice(len(self.examples), p=self.weights)]
        first, second = example.versions[0], example.versions[draw.integers(len(example.versions))]
        audio = np.stack([first, second]).astype(np.float32) / 32767
        # Faster or slower, as a tape: pitch and formants move too, and the targets with time.
        speed = (
            float(np.exp(draw.uniform(np.log(0.82), np.log(1.2)))) if draw.random() < 0.6 else 1.0
        )
        need = int(self.samples * speed) + 1
        length = audio.shape[1]
        if length > need:
            offset = int(draw.integers(0, length - need))
            audio = audio[:, offset : offset + need]
        else:
            offset = -int(draw.integers(0, need - length + 1))
            audio = np.pad(audio, ((0, 0), (-offset, need - length + offset)))
        times = np.arange(self.samples) * speed
        centres = (np.arange(frames(self.samples)) * FRAME + 200) * speed + offset
        at = np.round((centres - 200) / FRAME).astype(int)
        inside = (at >= 0) & (at < len(example.targets.units))
        at = np.clip(at, 0, len(example.targets.units) - 1)
        units = np.where(inside, example.targets.units[at], IGNORED)
        views = []
        for view in audio:
            other = self.examples[draw.integers(len(self.examples))].versions[0]
            warped = np.interp(times, np.arange(len(view)), view)
            views.append(recorded(warped, other.astype(np.float32) / 32767, draw))
        return np.stack(views), units, example.targets.phones[at] * inside[:, None]

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Audio (batch, samples), units (batch, frames), phones (batch, frames, phones).

        Each example is there twice, its two views side by side.
        """
        draw = np.random.default_rng((self.seed, step))
        audio, units, phones = zip(*(self.one(draw) for _ in range(self.size // 2)), strict=True)
        return (
            torch.from_numpy(np.concatenate(audio)),
            torch.from_numpy(np.repeat(np.stack(units), 2, 0)).long(),
            torch.from_numpy(np.repeat(np.stack(phones), 2, 0)).float(),
        )


@torch.no_grad()
def accuracy(model: Student, examples: list[Example]) -> tuple[float, float]:
    """Shares of the frames whose unit and phone are right, on clean and perturbed speech."""
    units = phones = total = 0
    for example in examples:
        for version in example.versions[:2]:
            _, says_unit, says_phone = model(
                torch.from_numpy(version.astype(np.float32) / 32767)[None]
            )
            count = min(says_unit.shape[1], len(example.targets.units))
            units += (says_unit[0, :count].argmax(1).numpy() == example.targets.units[:count]).sum()
            right = example.targets.phones[:count].argmax(1)
            phones += (says_phone[0, :count].argmax(1).numpy() == right).sum()
            total += count
    return units / total, phones / total


def train(
    run: Run, examples: list[Example], unheard: list[Example], units: int, phones: int
) -> None:
    """From nothing, or from the encoder of the run's start; the heads are new in either case."""
    settings, path = run.config["encoder"], run.path("encoder.pt")
    torch.manual_seed(run.seed)
    torch.set_num_threads(settings["threads"])
    model, average_model = Student(units, phones), Student(units, phones)
    if run.start is not None:
        load_encoder(model, run.start)
    optimiser = torch.optim.AdamW(
        model.parameters(), settings["rate"], betas=(0.9, 0.98), weight_decay=0.01
    )
    average = Average(model, average_model, 0.995)
    first = 0
    if state := load_state(path):
        model.load_state_dict(state["model"])
        average_model.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first = state["step"]
    batches = Batches(examples, settings["batch"], settings["seconds"], run.seed)
    curves = Curves(run.path("encoder.csv"))
    for step in range(first, settings["steps"]):
        rise, fall = min(1, (step + 1) / 150), 0.5 * (1 + np.cos(np.pi * step / settings["steps"]))
        for group in optimiser.param_groups:
            group["lr"] = float(settings["rate"] * rise * (0.03 + 0.97 * fall))
        torch.manual_seed(run.seed + step)  # a step is the same after a break
        audio, right_units, right_phones = batches[step]
        model.train()
        with torch.autocast("cpu", torch.bfloat16):
            features, says_units, says_phones = model(audio)
        says_units, says_phones = says_units.float(), says_phones.float()
        first, second = features.float().unflatten(0, (-1, 2)).unbind(1)
        apart = (first - second)[right_units[::2] >= 0].square().mean()
        unit_loss = F.cross_entropy(says_units.transpose(1, 2), right_units, ignore_index=IGNORED)
        known = right_phones.sum(-1)
        phone_loss = -(right_phones * F.log_softmax(says_phones, -1)).sum() / known.sum()
        optimiser.zero_grad()
        (unit_loss + phone_loss + SAME * apart).backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        if torch.isfinite(norm):
            optimiser.step()
        average.update(step)
        right = (says_units.argmax(-1) == right_units)[right_units >= 0].float().mean()
        curves.add(
            unit_loss=unit_loss.item(), phone_loss=phone_loss.item(), unit_accuracy=right.item()
        )
        curves.add(views_apart=apart.item(), spread=features.float().var((0, 1)).mean().item())
        done = step + 1
        if done % 500 == 0 or done == settings["steps"]:
            heard_units, heard_phones = accuracy(average_model, unheard)
            curves.add(unheard_units=heard_units, unheard_phones=heard_phones)
        if done % 50 == 0 or done == settings["steps"]:
            run.log(f"encoder: step {done} {curves.flush(done)}")
        if done % 250 == 0 or done == settings["steps"]:
            state = {"model": model.state_dict(), "average": average_model.state_dict()}
            save_state(path, **state, optimiser=optimiser.state_dict(), step=done)
            curves.draw()


def load_encoder(model: Student, start: Path) -> None:
    """Weights of a run before; its heads are not kept, since only its training needed them."""
    from checkpoint import encoder_weights

    model.encoder.load_state_dict(encoder_weights(start))


def trained(run: Run) -> Student:
    """The encoder of this run, or the one it starts from and leaves as it is."""
    if run.start is not None and run.keep_encoder:
        model = Student(1, 1)
        load_encoder(model, run.start)
        return model.eval()
    with np.load(run.path("targets.npz")) as data:
        units, phones = run.config["teacher"]["units"], len(data["phones"])
    state = load_state(run.path("encoder.pt"))
    if state is None or state["step"] < run.config["encoder"]["steps"]:
        raise SystemExit("the encoder is not trained to its end: run the step encoder")
    model = Student(units, phones)
    model.load_state_dict(state["average"])
    return model.eval()


def export(model: Student, folder: Path) -> None:
    """The layout of Hugging Face's HuBERT in half precision: what mlx-contentvec reads."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {}
    for key, value in model.encoder.state_dict().items():
        weights[renamed(key)] = value.half().contiguous()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    described = configuration().to_diff_dict() | {
        "architectures": ["HubertModel"],
        "dtype": "float16",
    }
    (folder / "config.json").write_text(json.dumps(described, indent=1) + "\n")
    extractor = {
        "do_normalize": False,
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
        "sampling_rate": RATE,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor, indent=1) + "\n")
