"""Compare each stage and the whole chain with PyTorch and with MLX's own ops, in one run.

    python benchmarks/run.py [--quick] [--lengths 5 13.5 60 300] [--rates 48k 40k] [--out FOLDER]
    python benchmarks/run.py --resume --out FOLDER      go on with a run that was stopped
    python benchmarks/run.py --render FOLDER            table and plot again, from result.json
    python benchmarks/run.py --render FOLDER --into benchmarks/README.md        and publish them

Needs the environment with PyTorch of CONTRIBUTING.md. See README.md beside this file.
"""

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("MLX_ENABLE_TF32", "0")  # before mlx is imported: float32 on both sides
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is fetched while clocks run
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import record

NEEDED = (
    "torch", "transformers", "huggingface_hub_rvc", "rvc_next", "faiss", "librosa", "soundfile",
    "threadpoolctl", "matplotlib", "mlx_rvc", "mlx_rmvpe", "mlx_contentvec", "mlx_rvc_index",
    "mlx_rvc_synth",
)  # fmt: skip
EXTRAS = ("native", "memory", "scale", "startup")
QUICK_REPEATS = 2
QUICK_STAGES = ("contentvec", "rmvpe", "index", "synthesizer", "chain")
QUICK_NATIVE = {"synthesizer": 0.1}  # seconds of audio for MLX's native ops
QUICK_WARM_UP = 2.0
MEMORY_LONGEST = 60.0  # both sides cut what is longer; memory.py has ours up to an hour
SLOW_NATIVE = "chain"  # its context alone makes it 2 s longer: minutes with MLX's native ops


def progress(text: str) -> None:
    """One line on stderr, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line, with the choices of --quick filled in."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="5 s, 48k, few runs: about two minutes"
    )
    parser.add_argument("--lengths", type=float, nargs="+", metavar="SECONDS")
    parser.add_argument("--rates", nargs="+", choices=("48k", "40k"))
    parser.add_argument("--repeats", type=int, help="runs of each side (default: by length)")
    parser.add_argument("--stages", nargs="+", help="only these stages, parts at every length")
    parser.add_argument("--without", nargs="+", choices=EXTRAS, default=[], help="leave out")
    parser.add_argument("--out", type=Path, default=Path("benchmark"), help="folder for results")
    parser.add_argument("--resume", action="store_true", help="keep the rows that --out has")
    parser.add_argument("--render", type=Path, metavar="FOLDER", help="only write table and plot")
    parser.add_argument("--into", type=Path, metavar="FILE", help="with --render: fill in FILE too")
    options = parser.parse_args(arguments)
    options.explicit = options.stages is not None
    if options.quick:
        options.lengths = options.lengths or [5.0]
        options.rates = options.rates or ["48k"]
        options.repeats = options.repeats or QUICK_REPEATS
        options.stages = options.stages or list(QUICK_STAGES)
    options.lengths = options.lengths or [5.0, 13.5, 60.0, 300.0]
    options.rates = options.rates or ["48k", "40k"]
    if options.into is not None and options.render is None:
        parser.error("--into goes with --render")
    if min(options.lengths) < 0.1:
        parser.error("--lengths: expected at least 0.1 s")
    if options.repeats is not None and options.repeats < 1:
        parser.error(f"--repeats is {options.repeats}; expected at least 1")
    return options


def check_environment() -> None:
    """Refuse to start without everything that will be needed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise SystemExit(
            f"the benchmark needs {', '.join(missing)}, not installed here; set up the environment "
            f'under "Parity tests and golden files" in CONTRIBUTING.md and run it from there'
        )


class Benchmark:
    """One run: what is asked for, the models, and the record that grows with each row."""

    def __init__(self, options: argparse.Namespace, models, book: record.Book, threads: int):
        self.options = options
        self.models = models
        self.book = book
        self.threads = threads

    def stage(self, name: str) -> None:
        """All rows of a stage; its models are loaded once for each rate."""
        import ours
        import pytorch
        from measure import in_pieces
        from stages import STAGES

        stage = STAGES[name]
        for rate in self.options.rates if stage.by_rate else [None]:
            lengths = [s for s in self.options.lengths if self._wanted(stage, rate, s)]
            native = self._native_wanted(stage, rate)
            if not lengths and not native:
                continue
            progress(f"{stage.title}{f' {rate}' if rate else ''}: loading")
            mine = ours.load(name, self.models, rate)
            if native:
                self._native_row(stage, rate, mine)
            if lengths:
                theirs = in_pieces(pytorch.load(name, self.models, rate), stage.piece)
                mine = in_pieces(mine, stage.piece)
                apart = self._apart(mine, theirs) if name == "chain" else {}
                for seconds in lengths:
                    self._row(stage, rate, seconds, mine, theirs, apart)

    def _wanted(self, stage, rate: str | None, seconds: float) -> bool:
        if stage.part and seconds > stage.piece and not self.options.explicit:
            return False
        return not self.book.has("pytorch", stage.name, rate, seconds)

    def _native_wanted(self, stage, rate: str | None) -> bool:
        if self._native_seconds(stage) is None or "native" in self.options.without:
            return False
        first = rate in (None, self.options.rates[0])
        return first and not self.book.has("mlx", stage.name, rate, self._native_seconds(stage))

    def _native_seconds(self, stage) -> float | None:
        return QUICK_NATIVE.get(stage.name) if self.options.quick else stage.native_seconds

    def _apart(self, ours, theirs) -> dict:
        """What to put in place of a row's difference: rvc-next's output does not align."""
        import clip
        from measure import CHECK, conversions_differ

        given = clip.cut(CHECK, self.models.features())
        return {"difference": conversions_differ(ours, theirs, given)}

    def _row(self, stage, rate: str | None, seconds: float, ours, theirs, apart: dict) -> None:
        import clip
        from measure import LONG, SIDES, WARM_UP, compare, repeats_for

        given = warm_up = clip.cut(seconds, self.models.features())
        if seconds >= LONG or self.options.quick:
            length = QUICK_WARM_UP if self.options.quick else WARM_UP
            warm_up = clip.cut(min(length, seconds), self.models.features())
        # What was compared before has warmed both sides up.
        warm = () if apart and self.options.quick else SIDES
        repeats = repeats_for(seconds, self.options.repeats)
        times = compare(ours, theirs, given, warm_up, repeats, warm=warm)
        self._keep("pytorch", stage, rate, seconds, {**times, **apart})

    def _native_row(self, stage, rate: str | None, ours) -> None:
        import clip
        from measure import compare, native

        seconds = self._native_seconds(stage)
        given = clip.cut(seconds, self.models.features())
        repeats = 1 if stage.name == SLOW_NATIVE or self.options.quick else 2
        times = compare(ours, native(ours), given, given, repeats, warm=("ours",))
        self._keep("mlx", stage, rate, seconds, times)

    def _keep(self, against: str, stage, rate: str | None, seconds: float, times: dict) -> None:
        from stages import macs
        from summary import Summary

        row = {"against": against, "stage": stage.name, "rate": rate, "seconds": seconds, **times}
        row["macs"] = macs(stage, rate, seconds)
        self.book.add("rows", row)
        found = Summary.of(row)
        progress(
            f"{stage.title}{f' {rate}' if rate else ''} {seconds:g} s: ours "
            f"{found.ours.median:.3g} s, {against} {found.other.median:.3g} s, "
            f"{found.ratio.median:.2f} times"
        )

    def memory(self) -> None:
        """Peak memory of the whole conversion, each side and length in a process of its own."""
        import worker

        for rate in self.options.rates:
            for seconds in self.options.lengths:
                if seconds > MEMORY_LONGEST:
                    continue
                for side in ("ours", "pytorch"):
                    if self.book.has_memory(side, rate, seconds):
                        continue
                    found = worker.measured(side, self.models, rate, seconds, self.threads)
                    self.book.add(
                        "memory", {**found, "side": side, "rate": rate, "seconds": seconds}
                    )
                    progress(f"memory {rate} {seconds:g} s: {side} {found['peak_mb']:.0f} MB")

    def scale(self) -> None:
        """The chain's stages at 30 s and 300 s."""
        import scale

        repeats = self.options.repeats or 2
        if len(self.book.data["scale"]) >= repeats * len(scale.LENGTHS):
            return  # fewer runs than there are never replace them
        progress("seconds of each stage at 30 and 300 s")
        self.book.set("scale", [])
        for run in scale.measure(self.models, self.options.rates[0], scale.LENGTHS, repeats):
            self.book.add("scale", run)
            progress(f"{run['seconds']:g} s: {run['stages']['all']:.3g} s")

    def startup(self) -> None:
        """How soon the command answers."""
        import startup

        if "startup" in self.book.data:
            return
        progress("start-up")
        self.book.set("startup", startup.measure())

    def gemm(self, when: str) -> None:
        """The machine's GEMM peak, now."""
        import machine
        import pytorch

        with machine.Watch() as watch:
            peak = machine.gemm_peak(self.threads, pytorch.device())
        self.book.add("gemm", {"when": when, "gflops": peak, "load": watch.load})
        progress(f"GEMM at the {when}: " + ", ".join(f"{k} {v:.0f}" for k, v in peak.items()))


def stage_names(options: argparse.Namespace) -> list[str]:
    """The stages asked for; unknown ones end the program."""
    from stages import STAGES

    names = options.stages or list(STAGES)
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        raise SystemExit(f"unknown stages {', '.join(unknown)}; there are {', '.join(STAGES)}")
    return [name for name in STAGES if name in names]


def extras(options: argparse.Namespace) -> list[str]:
    """What is measured beside the stages."""
    chain = not options.explicit or "chain" in options.stages
    wanted = {
        "startup": True,
        "memory": chain,
        # Two conversions of five minutes are worth it only beside others of that length.
        "scale": not options.quick and chain and max(options.lengths) >= 300,
    }
    return [name for name, wish in wanted.items() if wish and name not in options.without]


def measure_all(options: argparse.Namespace, write: Callable[[Path], None]) -> None:
    """Everything that was asked for, written down row by row."""
    import warnings

    warnings.filterwarnings("ignore", category=FutureWarning, module="torch")
    from mlx_rvc_verify.beside import import_hf_rvc

    import_hf_rvc()
    import machine
    import models
    import pytorch

    names = stage_names(options)
    threads = machine.threads()
    pytorch.use_threads(threads)
    about = {"machine": machine.describe(), "threads": threads, "quick": options.quick}
    about["lengths"], about["rates"] = options.lengths, options.rates
    book = record.Book.open(options.out, about, resume=options.resume)
    with tempfile.TemporaryDirectory() as name:
        progress("models of full size with random weights")
        run = Benchmark(options, models.save(Path(name), options.rates), book, threads)
        run.gemm("start")
        for stage in names:
            run.stage(stage)
            write(options.out)
        for extra in extras(options):
            getattr(run, extra)()
            write(options.out)
        run.gemm("end")
    book.finish()
    write(options.out)


def main() -> None:
    """Measure, or render what was measured."""
    options = parse()
    if options.render is not None:
        import report

        try:
            report.write(options.render)
            if options.into is not None:
                report.fill_in(options.render, options.into)
        except (OSError, ValueError) as error:
            raise SystemExit(f"{options.render}: {error}") from None
        return
    check_environment()
    import report

    try:
        measure_all(options, report.write)
    except record.RecordError as error:
        raise SystemExit(str(error)) from None
    progress(f"written: {options.out}/result.json, table.md, plot.png")


if __name__ == "__main__":
    main()
