import numpy as np
import pytest

from mlx_f0 import override, read_table, write_table
from mlx_f0.table import write_columns


def test_what_is_written_is_read(tmp_path):
    f0 = np.array([0, 220.125, 1099.9, 0], np.float32)
    write_table(tmp_path / "f0.csv", f0)
    assert (tmp_path / "f0.csv").read_text().startswith("time,Hz\n0.000,0.000\n0.010,220.125\n")
    times, hz = read_table(tmp_path / "f0.csv")
    np.testing.assert_allclose(times, [0, 0.01, 0.02, 0.03])
    np.testing.assert_allclose(hz, f0, atol=5e-4)
    np.testing.assert_allclose(override(np.zeros(4), times, hz), f0, atol=5e-4)


def test_several_curves_are_columns(tmp_path):
    write_columns(tmp_path / "f0.csv", {"a": np.array([1.0, 2]), "b": np.array([0.0, 3])})
    assert (tmp_path / "f0.csv").read_text() == "time,a,b\n0.000,1.000,0.000\n0.010,2.000,3.000\n"


@pytest.mark.parametrize("text", ["0,100\n0.5,0\n", "\ufefftime,Hz\r\n0,100\r\n\r\n 0.5 , 0\r\n"])
def test_header_spaces_and_empty_lines_do_not_matter(tmp_path, text):
    (tmp_path / "f0.csv").write_bytes(text.encode())
    times, hz = read_table(tmp_path / "f0.csv")
    assert times.tolist() == [0, 0.5] and hz.tolist() == [100, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,Hz\n0,100\n0.01,x\n", "line 3: not two numbers in '0.01,x'; expected time,Hz"),
        ("0,100\n\n0.01\n", "line 3: not two numbers in '0.01'"),
        ("0;100\n", "line 1: not two numbers"),
        ("this is no table\n", "line 1: not two numbers"),
        ("0,100,3\n", "line 1: not two numbers"),
        ("0,100\n0.2,-5\n", "line 2: a number that is negative"),
        ("0,nan\n", "line 1: a number that is negative or not finite"),
        ("0,100\n0.2,5\n0.2,6\n", "line 3: a time that does not come after 0.2 s"),
        ("0,100\n" + "9" * 200, "line 2: not two numbers in '" + "9" * 57 + r"\.\.\.'"),
        ("time,Hz\n", "holds no points"),
        ("", "holds no points"),
    ],
)
def test_a_line_that_is_no_point_is_named(tmp_path, text, words):
    (tmp_path / "f0.csv").write_text(text)
    with pytest.raises(ValueError, match=words) as error:
        read_table(tmp_path / "f0.csv")
    assert "f0.csv" in str(error.value) and "\n" not in str(error.value)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "f0.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ValueError, match="is not text"):
        read_table(tmp_path / "f0.csv")
    with pytest.raises(OSError):
        read_table(tmp_path / "missing.csv")


def reference(f0, points):
    """RVC-WebUI's get_f0, its rule for a file, with x_pad = 0."""
    count = int(np.round((points[:, 0].max() - points[:, 0].min()) * 100 + 1))
    replaced = np.interp(list(range(count)), points[:, 0] * 100, points[:, 1])
    f0 = f0.copy()
    f0[: len(replaced)] = replaced[: len(f0[: len(replaced)])]
    return f0


@pytest.mark.parametrize("last", [0.004, 0.5, 0.73, 3.0])
def test_a_file_that_begins_at_0_is_applied_as_in_rvc(last):
    points = np.array([[0, 100], [last / 3, 300], [last / 2, 0], [last, 200]])
    f0 = np.full(101, 50.0)
    np.testing.assert_allclose(
        override(f0, points[:, 0], points[:, 1]), reference(f0, points), rtol=1e-6
    )


def test_a_file_that_begins_later_begins_later():
    found = override(np.full(11, 50.0), np.array([0.04, 0.06]), np.array([100.0, 200.0]))
    np.testing.assert_allclose(found, [50] * 4 + [100, 150, 200] + [50] * 4)
    with pytest.raises(ValueError, match=r"begins at 2\.00 s, the recording ends at 0\.10 s"):
        override(np.zeros(11), np.array([2.0]), np.array([100.0]))
