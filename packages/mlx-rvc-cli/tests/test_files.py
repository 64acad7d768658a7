"""Files appear complete or not at all."""

import os
import stat

import pytest

from mlx_rvc_cli import CommandError, atomic_path


def test_the_file_appears_at_the_end(tmp_path):
    path = tmp_path / "a.wav"
    with atomic_path(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".wav"
        temporary.write_text("done")
        assert not path.exists()
    assert path.read_text() == "done"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.wav"
    path.write_text("old")
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_those_of_the_umask_or_of_the_old_file(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "new") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    (tmp_path / "new").chmod(0o604)
    with atomic_path(tmp_path / "new") as temporary:
        temporary.write_text("y")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o604


def test_a_link_keeps_pointing(tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "real.wav"
    target.write_text("old")
    link = tmp_path / "link.wav"
    link.symlink_to(target)
    with atomic_path(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_refusals(tmp_path):
    for path, match in (
        (tmp_path / "none" / "x", "does not exist"),
        (tmp_path, "is a folder"),
        ("/dev/null", "not a regular file"),
    ):
        with pytest.raises(CommandError, match=match), atomic_path(path):
            pass
    assert list(tmp_path.iterdir()) == []


def test_long_names_still_fit(tmp_path):
    path = tmp_path / ("n" * 250 + ".wav")
    with atomic_path(path) as temporary:
        temporary.write_text("x")
    assert path.exists()
