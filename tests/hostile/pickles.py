"""Pickles that try to run something: every opcode that calls, every way to a foreign name."""

import pickle
import struct
from collections.abc import Iterator

from cases import ORDERED, Case, call, in_dict, legacy, name, number, pickled, text, torch_zip, tup

CALL, NAME = "pickle opcodes that call", "pickle names off the list"
OLD, WASTE = "legacy torch files", "pickles that waste time or memory"


def commands(marker: str) -> dict[str, tuple[str, str, bytes]]:
    """Ways to make the marker: (module, name, argument)."""
    code = f"open({marker!r}, 'w').close()"
    return {
        "os.system": ("os", "system", text(f"touch {marker}")),
        "posix.system": ("posix", "system", text(f"touch {marker}")),
        "eval": ("builtins", "eval", text(code)),
        "exec": ("builtins", "exec", text(code)),
        "eval of Python 2": ("__builtin__", "eval", text(code)),
        "subprocess.Popen": ("subprocess", "Popen", b"](" + text("touch") + text(marker) + b"e"),
        "subprocess.call": ("subprocess", "call", b"](" + text("touch") + text(marker) + b"e"),
        "os.mkdir": ("os", "mkdir", text(marker)),
        "pathlib touch": ("pathlib", "Path.touch", text(marker)),
        "runpy": ("runpy", "run_path", text(marker)),
        "timeit": ("timeit", "timeit", text(code)),
        "pdb": ("pdb", "run", text(code)),
        "code": ("code", "interact", text("x")),
        "pty": ("pty", "spawn", text(f"touch {marker}")),
        "webbrowser": ("webbrowser", "open", text("http://127.0.0.1:9/")),
        "urlopen": ("urllib.request", "urlopen", text("http://127.0.0.1:9/")),
        "socket": ("socket", "create_connection", tup(text("127.0.0.1"), number(9))),
        "import": ("builtins", "__import__", text("antigravity")),
        "importlib": ("importlib", "import_module", text("this")),
        "ctypes": ("ctypes", "CDLL", text("libc.so.6")),
        "shutil.rmtree": ("shutil", "rmtree", text(marker)),
        "torch.load": ("torch", "load", text(marker)),
        "torch.hub": ("torch.hub", "load", text("owner/name")),
        "torch.jit": ("torch.jit", "load", text(marker)),
        "numpy.load": ("numpy", "load", text(marker)),
        "numpy runstring": ("numpy.testing._private.utils", "runstring", text(code)),
        "pickle.loads": ("pickle", "loads", call("_codecs", "encode", text("x"))),
        "pickle.Unpickler": ("_pickle", "Unpickler", text("x")),
        "joblib": ("joblib", "load", text(marker)),
        "marshal": ("marshal", "loads", text("x")),
        "types.CodeType": ("types", "CodeType", number(0)),
        "types.FunctionType": ("types", "FunctionType", number(0)),
        "breakpoint": ("builtins", "breakpoint", text("x")),
        "open": ("builtins", "open", text(marker)),
        "io.open": ("_io", "open", text(marker)),
        "FileIO": ("_io", "FileIO", text(marker)),
        "logging": ("logging.config", "fileConfig", text(marker)),
        "asyncio": ("asyncio", "run", text("x")),
        "multiprocessing": ("multiprocessing.util", "spawnv_passfds", text("x")),
        "cProfile": ("cProfile", "run", text(code)),
        "pip": ("pip", "main", text("x")),
        "mlx_pth": ("mlx_pth", "save", text(marker)),
        "mlx_pth.makers": ("mlx_pth.makers", "make", text("x")),
    }


def build(marker: str) -> Iterator[Case]:
    yield from _calls(marker)
    yield from _names(marker)
    yield from _legacy(marker)
    yield from _waste()


def _calls(marker: str) -> Iterator[Case]:
    system, touch = name("os", "system"), text(f"touch {marker}")
    bodies = {
        "REDUCE": system + tup(touch) + b"R",
        "REDUCE with a list": system + b"](" + touch + b"eR",
        "REDUCE of text": touch + tup(touch) + b"R",
        "REDUCE of a storage type": call("torch", "FloatStorage", touch),
        "REDUCE of a dtype": call("torch", "float32", touch),
        "NEWOBJ": system + tup(touch) + b"\x81",
        "NEWOBJ_EX": system + tup(touch) + b"}\x92",
        "NEWOBJ_EX of a listed name": name("collections", "OrderedDict")
        + b")" + in_dict(touch, "x") + b"\x92",
        "OBJ": b"(" + system + touch + b"o",
        "OBJ of a listed name": b"(" + name("collections", "OrderedDict") + b"o",
        "INST": b"(" + touch + b"ios\nsystem\n",
        "BUILD on a dict": b"}" + in_dict(touch, "__setstate__") + b"b",
        "BUILD on text": touch + b"}b",
        "BUILD on a name": name("torch", "FloatStorage") + in_dict(touch, "__call__") + b"b",
        "BUILD with two states": name("torch", "FloatStorage") + tup(b"N", b"}") + b"b",
        "EXT1": b"\x82\x01",
        "EXT2": b"\x83\x01\x00",
        "EXT4": b"\x84\x01\x00\x00\x00",
        "PERSID": b"Pstorage\n",
        "BINPERSID of a module": tup(text("module"), system, touch, touch) + b"Q",
        "NEXT_BUFFER": b"\x97",
        "READONLY_BUFFER": touch + b"\x98",
        "BYTEARRAY8": b"\x96" + bytes(8),
        "EMPTY_SET": b"\x8f",
        "FROZENSET": b"(" + touch + b"\x91",
        "APPEND to a name": name("torch", "FloatStorage") + touch + b"a",
        "SETITEM of a name": name("torch", "FloatStorage") + touch + touch + b"s",
        "SETITEMS of text": touch + b"(" + touch + touch + b"u",
    }  # fmt: skip
    for title, body in bodies.items():
        yield Case(CALL, title, ".pth", torch_zip(pickled(in_dict(body), 5)))


def _names(marker: str) -> Iterator[Case]:
    touch = text(f"touch {marker}")
    for title, (module, attribute, argument) in commands(marker).items():
        yield Case(
            NAME,
            f"GLOBAL {title}",
            ".pth",
            torch_zip(pickled(in_dict(call(module, attribute, argument)))),
        )
    stacked = text("os") + text("system") + b"\x93" + tup(touch) + b"R"
    encoded = call("_codecs", "encode", text("os")) + call("_codecs", "encode", text("system"))
    partial = call("functools", "partial", name("os", "system"), touch)
    bodies = {
        "STACK_GLOBAL": stacked,
        "STACK_GLOBAL of computed names": encoded + b"\x93" + tup(touch) + b"R",
        "STACK_GLOBAL of a torch.device": call("torch", "device", text("os"))
        + call("torch", "device", text("system")) + b"\x93" + tup(touch) + b"R",
        "STACK_GLOBAL out of the memo": text("os") + b"q\x01" + text("system") + b"q\x02"
        + b"00h\x01h\x02\x93" + tup(touch) + b"R",
        "memo overwritten": name("collections", "OrderedDict") + b"q\x010"
        + text("os") + text("system") + b"\x93q\x010h\x01" + tup(touch) + b"R",
        "hidden below POP": stacked + b"0N",
        "hidden below POP_MARK": b"(" + stacked + b"1N",
        "hidden in a key": b"}" + stacked + b"Ns",
        "behind a harmless name": ORDERED + b"0" + stacked,
        "dotted name of a module": call("os", "path.os.system", touch),
        "dotted name of a listed one": call("collections", "OrderedDict.__init__.__globals__", touch),
        "dotted module": call("collections.OrderedDict", "fromkeys", touch),
        "listed name split elsewhere": call("", "collections.OrderedDict", touch),
        "listed name with a space": call("collections ", "OrderedDict"),
        "unicode look-alike": call("cоllections", "OrderedDict"),  # a Cyrillic o
        "getattr": call("builtins", "getattr", name("os", "path"), text("os")),
        "operator.attrgetter": call("operator", "attrgetter", text("system")),
        "operator.methodcaller": call("operator", "methodcaller", text("system"), touch),
        "functools.partial": partial + b")R",
        "functools.reduce": call("functools", "reduce", name("os", "system"), touch),
        "builtins.map": call("builtins", "map", name("os", "system"), tup(touch)),
        "copyreg._reconstructor": call("copyreg", "_reconstructor", name("os", "system"), touch, b"N"),
        "copyreg.__newobj__": call("copyreg", "__newobj__", name("os", "system"), touch),
        "copyreg.add_extension": call("copyreg", "add_extension", text("os"), text("system"), number(1))
        + b"0\x82\x01" + tup(touch) + b"R",
        "copy_reg of Python 2": call("copy_reg", "_reconstructor", name("os", "system"), touch, b"N"),
        "types.MethodType": call("types", "MethodType", name("os", "system"), touch),
        "torch storage from file": call("torch", "FloatStorage.from_file", touch),
        "torch _import_dotted_name": call("torch._utils", "_import_dotted_name", text("os.system")),
        "torch _rebuild_from_type": call("torch._tensor", "_rebuild_from_type_v2", touch),
        "torch _load_from_bytes": call("torch.storage", "_load_from_bytes", touch),
        "torch module": call("torch.nn.modules.linear", "Linear") + b"}b",
        "numpy of objects": call("numpy", "dtype", text("O8"), b"\x89", b"\x88"),
        "numpy of a class": call("numpy.core.multiarray", "_reconstruct",
                                 name("os", "system"), numbers0(), touch),
        "_codecs.encode rot13": call("_codecs", "encode", touch, text("rot13")),
        "_codecs.encode zlib": call("_codecs", "encode", touch, text("zlib")),
        "_codecs.lookup": call("_codecs", "lookup", touch),
    }  # fmt: skip
    for title, body in bodies.items():
        yield Case(NAME, title, ".pth", torch_zip(pickled(in_dict(body), 4)))
    for protocol in (0, 3, 5):
        body = pickle.dumps(_System(marker), protocol)
        yield Case(NAME, f"by pickle itself, protocol {protocol}", ".pth", torch_zip(body))


class _System:
    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self):
        import os

        return os.system, (f"touch {self.marker}",)


def numbers0() -> bytes:
    return tup(number(0))


def _legacy(marker: str) -> Iterator[Case]:
    bad = call("os", "system", text(f"touch {marker}"))
    whole = legacy(b"}")
    magic, rest = whole[:16], whole[16:]
    files = {
        "a call in the object": legacy(in_dict(bad)),
        "a call in the system": legacy(b"}", system=bad),
        "a call in the keys": legacy(b"}", keys=bad),
        "a call beside the magic number": magic[:-1] + b"0" + bad + rest,
        "a call before the magic number": b"\x80\x02" + bad + b"0" + magic[2:] + rest,
        "another protocol": legacy(b"}", protocol=1002),
        "a protocol of 40,000 digits": legacy(b"}", protocol=10**40_000),
        "no system": legacy(b"}", system=b"N"),
        "keys that are no list": legacy(b"}", keys=b"}"),
        "keys that are numbers": legacy(b"}", keys=b"](K\x01e"),
        "a storage not used": legacy(b"}"),
        "no end": legacy(b"}")[:-30],
        "only the magic number": magic,
    }
    from cases import numbers, storage, tensor

    one = tensor(storage(), number(0), numbers(4), numbers(1))
    two = tensor(storage(), number(0), numbers(4), numbers(1))
    key = b"](" + text("0") + b"e"
    files |= {
        "a count that lies": legacy(in_dict(one), tail=struct.pack("<q", 5) + bytes(20)),
        "a count below zero": legacy(in_dict(one), tail=struct.pack("<q", -4) + bytes(16)),
        "an enormous count": legacy(in_dict(one), tail=struct.pack("<q", 2**62) + bytes(16)),
        "a storage cut off": legacy(in_dict(one), tail=struct.pack("<q", 4) + bytes(15)),
        "a key twice": legacy(in_dict(one), keys=b"](" + text("0") * 2 + b"e"),
        "a storage not listed": legacy(in_dict(one), keys=b"]"),
        "a storage in two ways": legacy(
            in_dict(tup(one, tensor(storage(numel=8), number(0), numbers(4), numbers(1)))), keys=key
        ),
        "an enormous storage": legacy(in_dict(tensor(storage(numel=2**61), number(0), numbers(4),
                                                     numbers(1)))),
        "a view outside": legacy(in_dict(tensor(
            storage("0", None, 4, tup(text("v"), number(3), number(2))),
            number(0), numbers(1), numbers(1)))),
        "a window past its view": legacy(in_dict(tensor(
            storage("0", None, 4, tup(text("v"), number(1), number(2))),
            number(0), numbers(3), numbers(1)))),
        "big endian that is little": legacy(
            in_dict(two), system=b"}" + text("little_endian") + b"\x89s"),
    }  # fmt: skip
    for title, data in files.items():
        yield Case(OLD, title, ".pth", data)


def _waste() -> Iterator[Case]:
    prime = 2**61 - 1  # integers modulo this are equal to Python's hash
    deep = 200_000
    text_call = name("_codecs", "encode") + b"q\x01" + text("x" * 500_000) + b"q\x02\x85R0"
    pairs = b"](" + b"".join(tup(number(i), b"N") for i in range(20_000)) + b"eq\x02"
    fork = b"]q\x000" + b"".join(b"](h%ch%ceq%c0" % (i, i, i + 1) for i in range(60)) + b"h\x3c"
    long_text = b"](" + text("x" * 1_000_000) + b"q\x01" + b"h\x01" * 100_000 + b"e"
    neg = tensor_neg(2**28)
    bodies = {
        "lists in lists": b"]" * deep + b"a" * (deep - 1),
        "tuples in tuples": b")" + b"\x85" * deep,
        "dicts in dicts": b"}" + b"N}" * deep + b"s" * deep,
        "marks": b"(" * deep,
        "itself": b"]q\x00h\x00a",
        "a dict in itself": b"}q\x00Nh\x00s",
        "lists that fork sixty times": fork,
        "a text a hundred thousand times": long_text,
        "keys that collide": b"}(" + b"".join(number(i * prime) + b"N" for i in range(30_000)) + b"u",
        "tuple keys that collide": b"}(" + b"".join(_colliding(20_000)) + b"u",
        "memo places that collide": b"N" + b"".join(b"p%d\n" % (i * prime) for i in range(40_000)),
        "a memo place of 4000 digits": b"Np" + b"9" * 4000 + b"\n",
        "keys in keys": b"}" + b")" + b"\x85" * deep + b"Ns",
        "bytes copied again and again": text_call + b"h\x01h\x02\x85R0" * 3000 + b"N",
        "dicts made again and again": pairs + b"0" + name("collections", "OrderedDict") + b"q\x030"
        + b"](" + b"h\x03h\x02\x85R" * 3000 + b"e",
        "millions of lists": b"](" + b"]" * 4_000_000 + b"e",
        "millions of memo places": b"N" + b"\x94" * 4_000_000,
        "millions of nothings": b"N0" * 3_000_000 + b"N",
        "a negated tensor of a gigabyte": in_dict(neg),
        "a whole number of a megabyte": b"\x8b" + struct.pack("<i", 10**6) + b"\x7f" * 10**6,
        "a whole number of 40,000 digits": in_dict(number(10**40_000)),
        "digits without end": b"L" + b"9" * 100_000 + b"L\n",
        "an argument longer than the file": b"X\xff\xff\xff\x7fabc",
        "an argument longer than memory": b"\x8d" + b"\xff" * 7 + b"\x7fabc",
        "a number of negative length": b"\x8b" + struct.pack("<i", -1),
        "text that is no text": b"X\x02\x00\x00\x00\xff\xff",
        "a line without end": b"c" + b"x" * 1_000_000,
        "protocol 200": b"\x80\xc8N",
        "nothing on the stack": b"0",
        "two values": b"NN",
        "no end": b"N" * 10 + b"(",
    }  # fmt: skip
    for title, body in bodies.items():
        yield Case(WASTE, title, ".pth", torch_zip(pickled(body, 4)))
    for title in ("lists in lists", "millions of lists", "memo places that collide"):
        yield Case(WASTE, f"{title}, legacy", ".pth", legacy(bodies[title]))


def tensor_neg(count: int) -> bytes:
    """A tensor of one stored number that claims `count`, with the mark of a lazy negation."""
    from cases import numbers, storage, tensor

    mark = in_dict(b"\x88", "neg")
    return tensor(storage(), number(0), numbers(count), numbers(0), b"\x89", ORDERED, mark)


def _colliding(count: int) -> Iterator[bytes]:
    """Tuples of two numbers to all of which Python gives one hash: its mixing can be undone."""
    p1, p2, p5, mask = 11400714785074694791, 14029467366897019727, 2870177450012600261, 2**64 - 1
    inverse, made, i = pow(p2, -1, 2**64), 0, 0
    while made < count:
        i += 1
        state = (p5 + i * p2) & mask
        state = (((state << 31) | (state >> 33)) & mask) * p1 & mask
        second = (12345 - state) * inverse & mask
        if second < 2**60:
            made += 1
            yield tup(number(i), number(second)) + b"N"
