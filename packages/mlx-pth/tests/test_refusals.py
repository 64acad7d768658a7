"""What a hostile pickle may try: everything but plain data is refused, and nothing runs."""

import pickle
import zipfile

import pytest

import mlx_pth
from mlx_pth import DamagedFileError, PthError, RefusedError, TooLargeError

NAMES = [
    ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("__builtin__", "eval"),
    ("builtins", "getattr"), ("builtins", "set"), ("subprocess", "Popen"), ("torch", "load"),
    ("torch.serialization", "load"), ("torch", "FloatStorage.__init__"), ("numpy", "load"),
    ("numpy", "ndarray.tofile"), ("collections", "OrderedDict.fromkeys"), ("collections", "Counter"),
    ("_codecs", "decode"), ("codecs", "encode"), ("torch._utils", "_rebuild_tensor"),
    ("torch._utils", "_import_dotted_name"), ("copyreg", "_reconstructor"), ("functools", "partial"),
    ("torch", "QInt8Storage"), ("argparse", "Namespace"), ("fairseq.data.dictionary", "Dictionary"),
    ("", "torch.FloatStorage"), ("mlx_pth.names", "Table"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_names_off_the_list_are_refused_by_name(make, module, name):
    for value in (
        make.Call(make.Name(module, name), ("echo",)),
        make.Raw(make.body(module) + make.body(name) + b"\x93"),  # STACK_GLOBAL
    ):
        with pytest.raises(RefusedError) as caught:
            mlx_pth.load(make.zip(["before", value]))
        assert f"{module}.{name}" in str(caught.value)


def test_nothing_runs(make, tmp_path):
    """The same file that runs a command under Python's own unpickler."""
    sign = tmp_path / "ran"
    payload = make.dump(make.Call(make.Name("os", "mkdir"), (str(sign),)))
    with pytest.raises(RefusedError, match=r"mkdir"):
        mlx_pth.load(make.zip(payload))
    with pytest.raises(RefusedError, match=r"mkdir"):
        mlx_pth.load(make.legacy(make.Raw(payload[2:-1]), {}))
    assert not sign.exists()
    pickle.loads(payload)
    assert sign.exists()  # else this test would prove nothing


@pytest.mark.parametrize("header", [0, 1, 2, 4])
def test_hostile_pickles_in_any_place_of_a_legacy_file(make, header):
    path = make.legacy({}, {})
    bad = make.dump(make.Call(make.Name("os", "system"), ("true",)))
    parts = [make.dump(p) for p in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, {}, [])]
    parts[header] = bad if header else parts[0][:-1] + b"0" + bad[2:]
    path.write_bytes(b"".join(parts))
    with pytest.raises(RefusedError, match=r"os\.system"):
        mlx_pth.load(path)


@pytest.mark.parametrize(
    ("code", "opcode"),
    [
        (b"\x82\x01", "EXT1"),
        (b"\x83\x01\x00", "EXT2"),
        (b"\x84\x01\x00\x00\x00", "EXT4"),
        (b"(ios\nsystem\n", "INST"),
        (b"(cos\nsystem\no", "os.system"),
        (b"(ccollections\nOrderedDict\no", "OBJ"),
        (b"Psystem\n", "PERSID"),
        (b"\x8f", "EMPTY_SET"),
        (b"(\x91", "FROZENSET"),
        (b"\x96" + bytes(8), "BYTEARRAY8"),
        (b"\x97", "NEXT_BUFFER"),
    ],
)
def test_opcodes_weights_never_need(make, code, opcode):
    with pytest.raises(RefusedError, match=opcode):
        mlx_pth.load(make.zip([make.Raw(code)]))


def ordered(make):
    return make.Call(make.Name("collections", "OrderedDict"), ())


def test_state_on_an_ordered_dict_is_dropped(make):
    state = {"__class__": "x", "update": 1, "_metadata": {"version": 1}}
    found = mlx_pth.load(make.zip({"w": make.Build(ordered(make), state)}))
    assert found == {"w": {}}
    assert type(found["w"]) is dict
    assert not hasattr(found["w"], "_metadata")


def test_state_on_anything_else_is_refused(make):
    storage = make.storage("0", "Float", 1)
    tensor = make.tensor(storage, 0, (1,), (1,))
    for target in (tensor, storage, {}, [], "text", make.Name("torch", "FloatStorage")):
        with pytest.raises(RefusedError, match="state"):
            mlx_pth.load(make.zip([make.Build(target, {"key": 1})], {"0": bytes(4)}))


def test_calling_what_is_no_name(make):
    for target in ("os.system", 5, {}, make.storage("0", "Float", 1), ordered(make)):
        with pytest.raises(RefusedError, match="calls"):
            mlx_pth.load(make.zip([make.Call(target, ("x",))]))
    for name in ("FloatStorage", "float16"):
        with pytest.raises(RefusedError, match="calls"):
            mlx_pth.load(make.zip([make.Call(make.Name("torch", name), (4,))]))


@pytest.mark.parametrize(
    "args",
    [
        lambda m: (m.Name("numpy", "dtype"), ("O8", False, True)),
        lambda m: (m.Name("numpy", "dtype"), ("V8",)),
        lambda m: (m.Name("numpy", "dtype"), ("U5",)),
        lambda m: (m.Name("numpy", "dtype"), ("f4,f4",)),
        lambda m: (m.Name("numpy", "dtype"), ([("a", "f4")],)),
        lambda m: (m.Name("numpy.core.multiarray", "scalar"), (m.Name("numpy", "ndarray"), b"")),
        lambda m: (
            m.Name("numpy.core.multiarray", "_reconstruct"),
            (m.Name("torch", "FloatStorage"), (0,), b"b"),
        ),
        lambda m: (m.Name("numpy", "ndarray"), ((2**40,),)),
        lambda m: (m.Name("_codecs", "encode"), ("x", "rot13")),
        lambda m: (m.Name("_codecs", "encode"), (b"x", "latin1")),
        lambda m: (m.Name("_codecs", "encode"), ("ü≥", "latin1")),
        lambda m: (m.Name("torch", "Size"), (("a",),)),
        lambda m: (m.Name("torch", "device"), ({},)),
        lambda m: (m.Name("collections", "OrderedDict"), (5,)),
        lambda m: (m.Name("collections", "OrderedDict"), (["ab", "cd", "efg"],)),
        lambda m: (m.Name("collections", "OrderedDict"), ((), ())),
        lambda m: (m.Name("collections", "OrderedDict"), [()]),
        lambda m: (m.Name("torch._utils", "_rebuild_parameter"), ("x", False, ordered(m))),
        lambda m: (m.Name("torch._utils", "_rebuild_tensor_v2"), ("0", 0, (1,), (1,))),
        lambda m: (m.Name("torch._utils", "_rebuild_tensor_v2"), ()),
    ],
)
def test_listed_names_with_arguments_torch_never_gives(make, args):
    with pytest.raises((RefusedError, DamagedFileError)):
        mlx_pth.load(make.zip([make.Call(*args(make))]))


@pytest.mark.parametrize(
    "identity",
    [
        "0", (), ("module", "x", "file", "source"), ("storage",),
        ("storage", "FloatStorage", "0", "cpu", 1),
        ("storage", None, "0", "cpu", 1),
    ],
)  # fmt: skip
def test_identities_that_are_no_storages(make, identity):
    with pytest.raises((RefusedError, DamagedFileError)):
        mlx_pth.load(make.zip([make.Persistent(identity)], {"0": bytes(4)}))


@pytest.mark.parametrize(("key", "numel"), [(0, 1), ("0", -1), ("0", 1.0), ("0", 2**63), ([], 1)])
def test_storages_with_odd_keys_or_sizes(make, key, numel):
    with pytest.raises(DamagedFileError):
        mlx_pth.load(make.zip([make.storage(key, "Float", numel)], {"0": bytes(4)}))


@pytest.mark.parametrize(
    "code",
    [b"", b".", b"(.", b"0.", b"R.", b"t.", b"s.", b"h\x05.", b"K\x01K\x02.", b"]K\x01u.",
     b"}(K\x01u.", b"\x93.", b"(K\x01", b"\x8a\xffx.", b"I12x\n.", b"\x80\x09N.", b"\xff", b"(e.",
     b"X\xff\xff\xff\x7fabc.", b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.", b"\x85."],
)  # fmt: skip
def test_nonsense_is_damage(make, code):
    with pytest.raises(PthError):
        mlx_pth.load(make.zip(b"\x80\x02" + code))


def test_deep_nesting_is_refused_without_a_crash(make):
    depth = 300_000
    for code in (b"]" * depth + b"a" * (depth - 1), b")" + b"\x85" * depth):
        with pytest.raises(RefusedError, match="nested"):
            mlx_pth.load(make.zip(b"\x80\x02" + code + b"."))


def test_deeply_nested_keys_are_refused_without_a_crash(make):
    code = b"}" + b")" + b"\x85" * 300_000 + b"K\x01s"
    with pytest.raises(RefusedError, match="key"):
        mlx_pth.load(make.zip(b"\x80\x02" + code + b"."))


def test_keys_whose_hashes_collide_are_refused(make):
    for keys in (
        (2**61 - 1, 2 * (2**61 - 1)),
        ((1, 2), (3, 4)),
    ):  # a second number undoes the first
        with pytest.raises(RefusedError, match="key"):
            mlx_pth.load(make.zip(dict.fromkeys(keys, 0)))
    assert mlx_pth.load(make.zip({0: 1, -5: 2, (1, "a"): 3})) == {0: 1, -5: 2, (1, "a"): 3}


def test_a_list_that_contains_itself(make):
    with pytest.raises(RefusedError, match="contain themselves"):
        mlx_pth.load(make.zip(b"\x80\x02]q\x00h\x00a."))


def test_shared_lists_do_not_multiply(make):
    """Levels of [x, x]: whoever walks or prints sixty of them meets 2^60 leaves."""

    def forking(levels):
        code = b"]q\x00" + b"".join(b"0]q%c(h%ch%ce" % (i + 1, i, i) for i in range(levels))
        return make.zip(b"\x80\x02" + code + b".")

    found = mlx_pth.load(forking(15))
    assert found[0] is found[1]
    with pytest.raises(TooLargeError, match="repeat themselves"):
        mlx_pth.load(forking(60))


def test_a_text_that_repeats_itself_is_counted(make):
    code = b"](" + make.body("x" * 10**6) + b"q\x01" + b"h\x01" * 100 + b"e"
    with pytest.raises(TooLargeError, match="repeat themselves"):
        mlx_pth.load(make.zip(b"\x80\x02" + code + b"."))


def test_a_pickle_of_a_million_opcodes_is_refused(make):
    with pytest.raises(TooLargeError, match="opcodes"):
        mlx_pth.load(make.zip(b"\x80\x02" + b"N0" * 500_000 + b"N."))


def test_enormous_whole_numbers_are_refused(make):
    with pytest.raises(RefusedError, match="whole number"):
        mlx_pth.load(make.zip({"sr": 10**700}))
    assert mlx_pth.load(make.zip({"sr": 10**600})) == {"sr": 10**600}


def test_places_of_the_memo_whose_hashes_collide_are_damage(make):
    with pytest.raises(DamagedFileError, match="memo"):
        mlx_pth.load(make.zip(b"\x80\x02Np%d\n." % (2**61 - 1)))


def test_what_a_small_file_may_unfold_to_is_bounded(make):
    """A pickle of a hundred bytes describes as much as it likes; weights lie in their file."""
    one = make.storage("0", "Float", 1)
    with pytest.raises(TooLargeError, match="max_bytes"):
        mlx_pth.load(make.zip([make.tensor(one, 0, (2**28,), (0,))], {"0": bytes(4)}))
    value = [make.tensor(one, 0, (2**28,), (0,))]
    path = make.zip(value, {"0": bytes(4)})
    assert mlx_pth.load(path, max_bytes=mlx_pth.MAX_BYTES)[0].shape == (2**28,)


def test_a_bomb_as_the_pickle(make, monkeypatch):
    monkeypatch.setattr("mlx_pth.archive._MAX_PICKLE_BYTES", 10**5)
    data = make.dump(["x" * 10**6])
    with pytest.raises(TooLargeError, match="pickle"):
        mlx_pth.load(make.zip(data, compression=zipfile.ZIP_DEFLATED))


def test_packings_torch_does_not_use(make):
    for packing in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(DamagedFileError, match="packed"):
            mlx_pth.load(make.zip({}, compression=packing))


def test_copies_of_one_text_are_counted(make):
    text, call = make.body("x" * 100_000), make.body(make.Name("_codecs", "encode"))
    code = b"](" + call + b"q\x07" + text + b"q\x08\x85R" + b"h\x07h\x08\x85R" * 99 + b"e"
    path = make.zip(b"\x80\x02" + code + b".")
    assert len(mlx_pth.load(path, max_bytes=10**7)) == 100
    with pytest.raises(TooLargeError):
        mlx_pth.load(path, max_bytes=10**6)


def test_an_inflating_pickle_is_capped(make):
    path = make.zip(["x" * 10**6], compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(TooLargeError, match="pickle"):
        mlx_pth.load(path, max_bytes=10**5)


DICTIONARY = "fairseq.data.dictionary.Dictionary"


def test_foreign_classes_become_placeholders(make):
    name = make.Name("fairseq.data.dictionary", "Dictionary")
    value = make.Build(make.New(name, ()), {"symbols": ["<s>", "</s>"], "bos_index": 0})
    found = mlx_pth.load(make.zip({"d": value, "class": name}), foreign=[DICTIONARY])
    made = found["d"]
    assert type(made) is mlx_pth.Placeholder
    assert (made.name, made.args) == (DICTIONARY, ())
    assert made.state == {"symbols": ["<s>", "</s>"], "bos_index": 0}
    assert found["class"].name == DICTIONARY


def test_placeholders_run_nothing_whatever_their_name(make, tmp_path):
    sign = str(tmp_path / "ran")
    value = make.Build(make.Call(make.Name("os", "mkdir"), (sign,)), {"__class__": "x"})
    found = mlx_pth.load(make.zip([value]), foreign=("os.mkdir",))[0]
    assert (found.name, found.args, found.state) == ("os.mkdir", (sign,), {"__class__": "x"})
    assert type(found) is mlx_pth.Placeholder
    assert not (tmp_path / "ran").exists()


def test_placeholders_hold_finished_arrays_and_items(make):
    tensor = make.tensor(make.storage("0", "Float", 1), 0, (1,), (1,))
    new = make.body(make.Call(make.Name("a", "B"), (tensor,)))
    value = make.Raw(new + b"K\x01aK\x02" + make.body(tensor) + b"s")
    found = mlx_pth.load(make.zip([value], {"0": make.floats(4)}), foreign={"a.B"})[0]
    assert found.args[0].tolist() == [4.0]
    assert found.items[0] == 1
    assert found.items[1][0] == 2
    assert found.items[1][1].tolist() == [4.0]


def test_foreign_is_exact_and_no_string(make):
    path = make.zip([make.Call(make.Name("fairseq.data.dictionary", "Other"), ())])
    with pytest.raises(RefusedError):
        mlx_pth.load(path, foreign=[DICTIONARY])
    with pytest.raises(TypeError):
        mlx_pth.load(path, foreign=DICTIONARY)


def test_errors_are_one_line_even_for_hostile_names(make):
    with pytest.raises(RefusedError) as caught:
        mlx_pth.load(make.zip([make.Raw(make.body("a\nb\x1b[31m") + make.body("c") + b"\x93")]))
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
