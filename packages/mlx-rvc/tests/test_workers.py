"""Tasks in several processes: who does them, what becomes of a process that dies, and that none stays."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest

from mlx_rvc.workers import _PATIENCE, Died, _Crew, side_by_side

HERE = Path(__file__).parent


@pytest.fixture
def toy(monkeypatch):
    """The module that workers import; they have the search path of their parent."""
    monkeypatch.syspath_prepend(str(HERE))
    import toy_work

    return toy_work


def workers(folder):
    return {int(path.stem) for path in folder.glob("*.worker")}


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def assert_gone(folder, count):
    assert len(workers(folder)) == count and all(map(gone, workers(folder)))


def test_a_long_task_holds_up_no_other(toy, tmp_path):
    heard = []
    tasks = ["wait for the others", "a", "b", "c"]
    start = partial(toy.obedient, tmp_path)
    found = list(side_by_side(tasks, start, jobs=2, hear=lambda *said: heard.append(said)))
    assert [task for task, _ in found][:2] == ["a", "b"] and {task for task, _ in found} == {*tasks}
    by = {task: pid for task, (done, pid) in found if done == task}
    assert len({by["a"], by["b"], by["c"], by["wait for the others"]}) == 2
    assert sorted(heard) == sorted((task, ("begun", by[task])) for task in tasks)
    assert_gone(tmp_path, 2)


def test_there_are_no_more_workers_than_tasks(toy, tmp_path):
    assert len(list(side_by_side(["a"], partial(toy.obedient, tmp_path), jobs=8))) == 1
    assert_gone(tmp_path, 1)
    assert list(side_by_side([], toy.refusing, jobs=8)) == []  # none would be there to refuse


def test_each_has_its_share_of_the_threads_and_is_deaf_to_ctrl_c(toy, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = dict(side_by_side("ab", toy.inherited, jobs=2))
    assert found == {"a": ("3", True), "b": ("3", True)}
    assert os.environ["OPENBLAS_NUM_THREADS"] == "7" and "OMP_NUM_THREADS" not in os.environ
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    assert list(side_by_side("a", toy.inherited, jobs=2)) == [("a", ("1", True))]


@pytest.mark.parametrize(
    ("task", "how"), [("die", "ended with signal 9"), ("leave", "ended with status 3")]
)
def test_a_worker_that_dies_loses_its_task_and_is_replaced(toy, tmp_path, task, how):
    found = dict(side_by_side(["a", task, "b"], partial(toy.obedient, tmp_path), jobs=1))
    assert isinstance(found[task], Died) and str(found[task]) == how
    assert found["a"][0] == "a" and found["b"][0] == "b" and found["a"][1] != found["b"][1]
    assert_gone(tmp_path, 2)


def test_a_worker_that_cannot_start_ends_all(toy):
    with pytest.raises(ValueError, match="the voice is none") as error:
        list(side_by_side(["a", "b", "c"], toy.refusing, jobs=2))
    assert str(error.value) == "the voice is none"
    with pytest.raises(ValueError, match="ended with signal 9 before it could start; fewer jobs"):
        list(side_by_side(["a", "b", "c"], toy.dying, jobs=2))


@pytest.mark.parametrize(
    ("task", "kind", "words"),
    [
        ("fail", RuntimeError, "unexpected KeyError: .no such thing"),
        ("fail oddly", ValueError, "this and that"),
    ],
)
def test_what_the_work_raises_is_raised_here_and_ends_all(toy, tmp_path, task, kind, words):
    """With where it happened, also for an error that cannot be sent as it is."""
    with pytest.raises(kind, match=words) as error:
        list(side_by_side(["wait", task], partial(toy.obedient, tmp_path), jobs=2))
    assert "toy_work.py" in error.value.__notes__[0]
    assert not (tmp_path / "waiting").exists()
    assert workers(tmp_path) and all(map(gone, workers(tmp_path)))


def test_warnings_are_given_here(toy, tmp_path):
    with pytest.warns(UserWarning, match="beware"):
        assert len(list(side_by_side(["warn"], partial(toy.obedient, tmp_path), jobs=1))) == 1


@pytest.mark.parametrize("wait", ["wait", "wait and catch"])
def test_an_early_end_leaves_no_worker_and_lets_them_clean_up(toy, tmp_path, wait):
    """Also where something in the work catches what ends it, as a library may."""
    with closing(side_by_side([wait, "a", "b"], partial(toy.obedient, tmp_path), jobs=2)) as found:
        assert next(found)[0] == "a"
        toy.until(tmp_path / "waiting")
        begun = time.monotonic()
    assert not (tmp_path / "waiting").exists()
    assert time.monotonic() - begun < _PATIENCE / 2  # it has ended, and was not killed
    assert_gone(tmp_path, 2)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(toy, tmp_path, number):
    """In the middle of a task; Ctrl-C reaches parent and workers at once."""
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(f"""
            import signal, sys
            from functools import partial
            from pathlib import Path
            sys.path.insert(0, {str(HERE)!r})
            import toy_work
            from mlx_rvc.workers import side_by_side

            if __name__ == "__main__":
                signal.signal(signal.SIGINT, signal.default_int_handler)
                assert next(side_by_side("a", toy_work.inherited, jobs=1))[1][1], "not deaf"
                start = partial(toy_work.obedient, Path({str(tmp_path)!r}))
                list(side_by_side(["wait", "wait for the others"], start, jobs=2))
            """)
    )
    with subprocess.Popen(
        [sys.executable, program], start_new_session=True, stderr=subprocess.PIPE, text=True
    ) as parent:
        toy.until(lambda: (tmp_path / "waiting").exists() and len(workers(tmp_path)) == 2)
        if number == signal.SIGINT:
            os.killpg(parent.pid, number)
        else:
            parent.kill()
        begun = time.monotonic()
        said = parent.stderr.read()  # ends when no process has it any more, parent or worker
    assert time.monotonic() - begun < _PATIENCE / 2 and parent.returncode == -number
    assert said.count("Traceback") == (number == signal.SIGINT)  # the program's own
    assert not (tmp_path / "waiting").exists()


def test_ctrl_c_waits_until_the_crew_has_a_worker(monkeypatch):
    """While it starts, as another thread takes the signal, which this one has blocked."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    started, over, start = [], threading.Event(), SpawnProcess.start

    def interrupted(process):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        start(process)
        started.append(process)

    monkeypatch.setattr(SpawnProcess, "start", interrupted)
    threading.Thread(target=over.wait, daemon=True).start()
    try:
        with pytest.raises(KeyboardInterrupt), _Crew(print, 1) as crew:
            crew.employ("a task")
        assert len(started) == 1 and crew.busy[0].process is started[0]
        assert not started[0].is_alive()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        over.set()
        signal.signal(signal.SIGINT, before)
