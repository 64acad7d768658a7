"""Tensors that lie: about their storage, size, strides, type; and storages that are not there."""

import struct
from collections.abc import Iterator

from cases import (
    ORDERED,
    Case,
    call,
    in_dict,
    name,
    number,
    numbers,
    pickled,
    storage,
    tensor,
    text,
    torch_zip,
    tup,
)

KIND = "tensors and storages that lie"


def build(marker: str) -> Iterator[Case]:
    zero, one, four = number(0), numbers(1), numbers(4)
    dtype = call("numpy", "dtype", text("f4"), b"\x89", b"\x88")
    array = call("numpy.core.multiarray", "_reconstruct", name("numpy", "ndarray"), tup(zero), b"N")
    raw = call("_codecs", "encode", text("abcd"))
    rebuild = ("torch._utils", "_rebuild_tensor_v2")
    bodies = {
        "a stride that reaches outside": tensor(storage(), zero, four, numbers(2)),
        "a stride below zero": tensor(storage(), number(3), four, numbers(-1)),
        "an enormous stride": tensor(storage(), zero, four, numbers(2**61)),
        "strides that overflow together": tensor(storage(), zero, numbers(2, 2), numbers(2**61, 2**61)),
        "an offset outside": tensor(storage(), number(4), one, one),
        "an offset below zero": tensor(storage(), number(-1), one, one),
        "an enormous offset": tensor(storage(), number(2**61), one, one),
        "a shape below zero": tensor(storage(), zero, numbers(-4), one),
        "an enormous shape": tensor(storage(), zero, numbers(2**61), numbers(0)),
        "a shape that overflows": tensor(storage(), zero, numbers(2**32, 2**32), numbers(0, 0)),
        "an empty shape that overflows": tensor(storage(), zero, numbers(0, 2**61, 2**61), numbers(1, 1, 1)),
        "a hundred dimensions": tensor(storage(), zero, numbers(*[1] * 100), numbers(*[1] * 100)),
        "a shape longer than its strides": tensor(storage(), zero, numbers(2, 2), one),
        "a shape of text": tensor(storage(), zero, tup(text("4")), one),
        "a shape that is a list": tensor(storage(), zero, b"](K\x04e", one),
        "a shape of floats": tensor(storage(), zero, tup(b"G" + struct.pack(">d", 4.0)), one),
        "a shape of truths": tensor(storage(), zero, tup(b"\x88"), one),
        "an expanded terabyte": tensor(storage(), zero, numbers(2**38), numbers(0)),
        "an expanded gigabyte": tensor(storage(), zero, numbers(2**28), numbers(0)),
        "a hundred expanded tensors": b"](" + tensor(storage(), zero, numbers(2**23), numbers(0)) * 100 + b"e",
        "a storage that is text": tensor(text("0"), zero, one, one),
        "a storage that is a tensor": tensor(tensor(storage(), zero, one, one), zero, one, one),
        "too few arguments": call(*rebuild, storage(), zero),
        "no arguments": call(*rebuild),
        "too many arguments": call(*rebuild, *[storage(), zero, four, one] + [b"N"] * 5),
        "arguments in another order": call(*rebuild, zero, storage(), one, four, b"\x89", ORDERED),
        "metadata that is text": tensor(storage(), zero, four, one, b"\x89", ORDERED, text("neg")),
        "a parameter of text": call("torch._utils", "_rebuild_parameter", text("x"), b"\x88", ORDERED),
        "a parameter of a parameter's type": call(
            "torch._utils", "_rebuild_parameter", name("torch", "FloatStorage"), b"\x88", ORDERED),
        "a storage that is missing": tensor(storage("1"), zero, four, one),
        "a storage by the name of the pickle": tensor(storage("../data.pkl"), zero, four, one),
        "a storage outside": tensor(storage("../../../../etc/passwd"), zero, four, one),
        "a storage with too many numbers": tensor(storage(numel=5), zero, four, one),
        "a storage with too few numbers": tensor(storage(numel=3), zero, numbers(3), one),
        "a storage of another width": tensor(storage("0", name("torch", "DoubleStorage")), zero, four, one),
        "a storage below zero": tensor(storage(numel=-1), zero, four, one),
        "an enormous storage": tensor(storage(numel=2**61), zero, four, one),
        "a quantised storage": tensor(storage("0", name("torch", "QInt8Storage")), zero, four, one),
        "a storage type that is text": tensor(storage("0", text("torch.FloatStorage")), zero, four, one),
        "a storage type that is a function": tensor(
            storage("0", name("collections", "OrderedDict")), zero, four, one),
        "a storage with another tag": storage(tag="module"),
        "a storage named by a number": text("storage") + b"Q",
        "a storage named by too little": tup(text("storage")) + b"Q",
        "a storage named by too much": storage("0", None, 4, b"N", b"N"),
        "a storage view outside": storage("0", None, 4, tup(text("v"), number(2), number(3))),
        "a storage view below zero": storage("0", None, 4, tup(text("v"), number(-1), number(3))),
        "a storage with a list as key": tup(
            text("storage"), name("torch", "FloatStorage"), b"]", text("cpu"), number(4)) + b"Q",
        "a torch.Size of text": call("torch", "Size", tup(text("4"))),
        "a torch.device of numbers": call("torch", "device", zero),
        "an array of objects": call("numpy", "dtype", text("O"), b"\x89", b"\x88"),
        "an array of fields": dtype + tup(number(3), text("<"), b"N", tup(text("a")), b"}", zero) + b"b",
        "an array with no data": array,
        "an array of another size": array + tup(number(1), numbers(4), dtype, b"\x89", raw) + b"b",
        "an array of enormous size": array + tup(number(1), numbers(2**61), dtype, b"\x89", raw) + b"b",
        "an array of negative size": array + tup(number(1), numbers(-1), dtype, b"\x89", raw) + b"b",
        "an array whose state is text": array + text("x") + b"b",
        "an array of another class": call(
            "numpy.core.multiarray", "_reconstruct", name("torch", "Size"), tup(zero), b"N"),
        "a scalar of another size": call("numpy.core.multiarray", "scalar", dtype, text("x")),
        "a scalar of objects": call("numpy.core.multiarray", "scalar", name("numpy", "ndarray"), raw),
        "an OrderedDict of text": call("collections", "OrderedDict", text("ab")),
        "an OrderedDict of triples": call("collections", "OrderedDict", tup(numbers(1, 2, 3))),
    }  # fmt: skip
    for title, body in bodies.items():
        yield Case(KIND, title, ".pth", torch_zip(pickled(in_dict(body))))
    ten = 10 * 2**20
    widened = tensor(
        storage("0", name("torch", "BFloat16Storage"), ten), zero, numbers(ten), numbers(0)
    )
    negated = tensor(
        storage("0", None, ten), zero, numbers(ten), one, b"\x89", ORDERED, in_dict(b"\x88", "neg")
    )
    for title, body in {
        "bfloat16 that is short": widened,
        "negation that is short": negated,
    }.items():
        yield Case(KIND, title, ".pth", torch_zip(pickled(in_dict(body))))
