"""Training of the voice in three stages, with RVC's losses and two that a short training needs.

`decoder`: posterior encoder and vocoder alone learn to take speech apart and put it together. It
needs no content features, so it runs beside the encoder's training.

`prior`: what is heard learns to meet the decoder's latent, which stands still. No audio is made, so
a step is cheap and learns from whole crops.

`voice`: everything. Three quarters of the segments are decoded from the prior, the path that a
conversion takes; RVC decodes from the posterior only and needs far longer for the two to meet. And
the encoder listens: what it hears in the made audio has to be what it hears in the real one.
"""

from pathlib import Path

import torch
from torch import nn

from checkpoint import voice_of
from discriminators import Discriminators, Judgement
from encoder import Student
from losses import divergence, mel_distance, spectrogram, stft_distance
from progress import Average, Curves, load_state, save_state
from run import Run
from speakers import Batch, Batches, Recording
from synthesizer import HOP, RATE, Synthesizer

MEL, STFT, FEATURES = 45.0, 12.0, 2.0  # weights of the losses; the adversarial one has 1
CONTENT = 10.0
LATENT = 1.0  # weight of a latent near the standard normal where no prior is trained yet
EDGE = 4  # frames at the ends of a crop that are not decoded
AVERAGE = 0.998


def critics_loss(real: list[Judgement], made: list[Judgement]) -> torch.Tensor:
    return sum(
        ((r - 1) ** 2).mean() + (m**2).mean() for (r, _), (m, _) in zip(real, made, strict=True)
    )


def adversarial_loss(made: list[Judgement]) -> torch.Tensor:
    return sum(((score - 1) ** 2).mean() for score, _ in made)


def feature_loss(real: list[Judgement], made: list[Judgement]) -> torch.Tensor:
    return sum(
        (r - m).abs().mean()
        for (_, real_inner), (_, made_inner) in zip(real, made, strict=True)
        for r, m in zip(real_inner, made_inner, strict=True)
    )


def segments(x: torch.Tensor, starts: torch.Tensor, length: int) -> torch.Tensor:
    """From each item of (batch, ..., time) the `length` steps from its start."""
    return torch.stack(
        [item[..., start : start + length] for item, start in zip(x, starts.tolist(), strict=True)]
    )


class Trainer:
    def __init__(self, run: Run, stage: str, listener: Student | None = None) -> None:
        self.run, self.stage, self.settings = run, stage, run.config[stage]
        self.listener = listener and listener.requires_grad_(False)
        self.path = run.path(f"{stage}.pt")
        torch.manual_seed(run.seed)
        torch.set_num_threads(self.settings["threads"])
        self.model, self.kept = (
            Synthesizer(**run.config["model"]),
            Synthesizer(**run.config["model"]),
        )
        self.critics = Discriminators()
        rate = self.settings["rate"]
        self.makers = torch.optim.AdamW(self.model.parameters(), rate, betas=(0.8, 0.99), eps=1e-9)
        self.judges = torch.optim.AdamW(
            self.critics.parameters(), rate / 2, betas=(0.8, 0.99), eps=1e-9
        )
        self.average = Average(self.model, self.kept, AVERAGE)
        self.step = 0
        self.curves = Curves(run.path(f"{stage}.csv"))

    def resume(self) -> None:
        if state := load_state(self.path):
            for name in ("model", "kept", "critics", "makers", "judges"):
                getattr(self, name).load_state_dict(state[name])
            self.step = state["step"]

    def begin_from(self, stage: str) -> None:
        path = self.run.path(f"{stage}.pt")
        state = load_state(path)
        if state is None or state["step"] < self.run.config[stage]["steps"]:
            raise SystemExit(f"{path} is not trained to its end: run the step {stage}")
        self.model.load_state_dict(state["kept"])
        self.kept.load_state_dict(state["kept"])
        self.critics.load_state_dict(state["critics"])

    def begin_from_start(self, folder: Path) -> None:
        parts = voice_of(folder)
        self.model.load_state_dict(parts["kept"])
        self.kept.load_state_dict(parts["kept"])
        self.critics.load_state_dict(parts["critics"])

    def save(self) -> None:
        parts = ("model", "kept", "critics", "makers", "judges")
        save_state(
            self.path, **{name: getattr(self, name).state_dict() for name in parts}, step=self.step
        )
        self.curves.draw()

    def set_rates(self) -> None:
        share = self.step / self.settings["steps"]
        rate = self.settings["rate"] * (self.settings["rate_end"] / self.settings["rate"]) ** share
        rate *= min(1, (self.step + 1) / 100)
        for optimiser, factor in ((self.makers, 1.0), (self.judges, 0.5)):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor

    def decoded(
        self, batch: Batch, spectrum: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
        """Made and real (batch, samples), the loss of the latent, how many came from the prior."""
        model, settings = self.model, self.settings
        g = model.speaker(batch.speaker)
        with torch.autocast("cpu", torch.bfloat16):
            z, mean_q, log_q = model.enc_q(spectrum, g)
        z, mean_q, log_q = z.float(), mean_q.float(), log_q.float()
        primed = 0
        if batch.features is None:
            loss = LATENT * divergence(z, log_q, torch.zeros_like(z), torch.zeros_like(z))
        else:
            with torch.autocast("cpu", torch.bfloat16):
                z_prior = model.flow(z, g)
                mean_p, log_p = model.enc_p(batch.features, batch.f0)
            mean_p, log_p = mean_p.float(), log_p.float()
            distance = divergence(z_prior.float(), log_q, mean_p, log_p)
            self.curves.add(kl=distance.item())
            loss = settings["kl"] * distance
            primed = int(settings["from_prior"] * len(z))
            noise = torch.randn_like(mean_p[:primed]) * 0.66666
            with torch.autocast("cpu", torch.bfloat16):
                drawn = mean_p[:primed] + log_p[:primed].exp() * noise
                z = torch.cat([model.flow(drawn, g[:primed], reverse=True).float(), z[primed:]])
        length = int(settings["segment"] * RATE) // HOP
        starts = torch.randint(EDGE, z.shape[2] - length - EDGE, (len(z),))
        with torch.autocast("cpu", torch.bfloat16):
            made = model.dec(segments(z, starts, length), segments(batch.f0, starts, length), g)
        return made.float(), segments(batch.audio, starts * HOP, length * HOP), loss, primed

    def one(self, batch: Batch) -> None:
        made, real, loss, primed = self.decoded(batch, spectrogram(batch.audio))
        mel, stft = mel_distance(made, real), stft_distance(made, real)
        loss = loss + MEL * mel.mean() + STFT * stft
        if self.listener is not None:
            with torch.autocast("cpu", torch.bfloat16):
                heard_made, heard_real = self.listener.features(torch.cat([made, real])).chunk(2)
            content = (heard_made.float() - heard_real.float().detach()).abs().mean()
            self.curves.add(content=content.item())
            loss = loss + CONTENT * content
        with torch.autocast("cpu", torch.bfloat16):
            judged_real, judged_made = self.critics(real), self.critics(made.detach())
        critics = critics_loss(judged_real, judged_made)
        self.judges.zero_grad()
        critics.backward()
        self.judges.step()

        self.critics.requires_grad_(False)
        with torch.autocast("cpu", torch.bfloat16):
            judged_made = self.critics(made)
            with torch.no_grad():
                judged_real = self.critics(real)
        self.critics.requires_grad_(True)
        adversarial, features = (
            adversarial_loss(judged_made),
            feature_loss(judged_real, judged_made),
        )
        loss = loss + min(1, (self.step + 1) / 500) * (adversarial + FEATURES * features)
        self.makers.zero_grad()
        loss.backward()
        if torch.isfinite(nn.utils.clip_grad_norm_(self.model.parameters(), 100.0)):
            self.makers.step()
        self.average.update(self.step)
        if primed:
            self.curves.add(mel_prior=mel[:primed].mean().item())
        if primed < len(mel):
            self.curves.add(mel_posterior=mel[primed:].mean().item())
        self.curves.add(stft=stft.item(), critics=critics.item(), adversarial=adversarial.item())
        self.curves.add(features=features.item())

    def train(self, recordings: list[Recording]) -> None:
        batches = Batches(recordings, self.settings["batch"], self.settings["crop"], self.run.seed)
        while self.step < self.settings["steps"]:
            torch.manual_seed(self.run.seed + self.step)  # a step is the same after a break
            self.set_rates()
            self.one(batches[self.step])
            self.step += 1
            last = self.step == self.settings["steps"]
            if self.step % 50 == 0 or last:
                self.run.log(f"{self.stage}: step {self.step} {self.curves.flush(self.step)}")
            if self.step % 250 == 0 or last:
                self.save()


class PriorTrainer(Trainer):
    """Only prior and flow learn."""

    def __init__(self, run: Run) -> None:
        super().__init__(run, "prior")
        self.model.requires_grad_(False)
        self.model.enc_p.requires_grad_(True)
        self.model.flow.requires_grad_(True)

    def one(self, batch: Batch) -> None:
        model, g = self.model, self.model.speaker(batch.speaker)
        with torch.autocast("cpu", torch.bfloat16):
            z, _, log_q = model.enc_q(spectrogram(batch.audio), g)
            z_prior = model.flow(z, g)
            mean, log_deviation = model.enc_p(batch.features, batch.f0)
        loss = divergence(z_prior.float(), log_q.float(), mean.float(), log_deviation.float())
        self.makers.zero_grad()
        loss.backward()
        if torch.isfinite(nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)):
            self.makers.step()
        self.average.update(self.step)
        self.curves.add(kl=loss.item())
