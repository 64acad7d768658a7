"""A pickle machine that can build plain data and nothing else.

Python's own unpickler calls whatever a file names and has to be fenced in. Here there is nothing to
fence: opcodes are decoded by the standard library's `pickletools`, the stack and the memo are ours,
and every name a file asks for goes to a `Names` table which knows an inert stand-in for it or
refuses. No opcode imports, looks up an attribute, or calls anything that a file could choose, and
the machine does not recurse, however deeply a file nests.
"""

import pickletools
import struct
from typing import Any, Protocol

from mlx_pth.errors import DamagedFileError, PthError, RefusedError, TooLargeError


class Names(Protocol):
    """What the machine asks of its surroundings. Every method may raise a `PthError`."""

    def find(self, module: str, name: str) -> Any:
        """Give the inert stand-in for a global name."""
        ...

    def call(self, target: Any, args: Any, kwargs: Any = None) -> Any:
        """Give the result of calling, or instantiating, a stand-in."""
        ...

    def build(self, target: Any, state: Any) -> None:
        """Take the state that a pickle sets on an object."""
        ...

    def persistent(self, identity: Any) -> Any:
        """Give the storage that an identity stands for."""
        ...

    def append(self, target: Any, values: list) -> None:
        """Append to something that is not a plain list."""
        ...

    def assign(self, target: Any, pairs: list[tuple]) -> None:
        """Set items of something that is not a plain dict."""
        ...


# Opcodes whose decoded argument is the value itself.
_VALUES = frozenset(
    ["INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
     "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE",
     "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"]
)  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_PUTS = frozenset(["PUT", "BINPUT", "LONG_BINPUT"])
_GETS = frozenset(["GET", "BINGET", "LONG_BINGET"])
# A voice needs a few thousand opcodes, a large training checkpoint with its optimizer 300,000; each
# may cost a hundred times its own byte.
MAX_OPCODES = 1_000_000
_MAX_INTEGER_BITS = 8 * 255  # what pickle writes in its short form; torch's magic number has 77
# What decoding nonsense can end in: pickletools raises ValueError, an empty stack IndexError, ...
_NONSENSE = (ValueError, IndexError, KeyError, TypeError, OverflowError, EOFError, struct.error)


def run(stream: Any, names: Names) -> Any:
    """Interpret one pickle from `stream` (read, readline, tell), leaving it just behind the pickle.

    Raises DamagedFileError if it makes no sense, RefusedError for an opcode weights never need.
    """
    machine = _Machine(names)
    try:
        return machine.run(stream)
    except PthError:
        raise
    except _NONSENSE as error:
        raise DamagedFileError(
            f"the pickle inside makes no sense ({type(error).__name__}: {error!s:.120}): the file "
            "is damaged or cut off; fetch it again"
        ) from None


class _Machine:
    def __init__(self, names: Names) -> None:
        self.names = names
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []  # the stacks below each open MARK
        self.memo: dict[Any, Any] = {}
        self.actions = {
            name.removeprefix("op_").upper(): getattr(self, name)
            for name in dir(self)
            if name.startswith("op_")
        }

    def run(self, stream: Any) -> Any:
        actions, memo = self.actions, self.memo
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if count >= MAX_OPCODES:
                raise TooLargeError(
                    f"the pickle inside has more than {MAX_OPCODES:,} opcodes, which weights never "
                    "need; refused"
                )
            name = opcode.name
            if name in _VALUES:
                if type(argument) is int and argument.bit_length() > _MAX_INTEGER_BITS:
                    raise RefusedError(
                        f"the pickle inside has a whole number of {argument.bit_length():,} bits, "
                        "which weights never need; refused"
                    )
                self.stack.append(argument)
            elif name in _PUTS:
                # Larger ones can be chosen to have equal hashes.
                if argument is None or not 0 <= argument < 2**32:
                    raise ValueError("a place in the memo is no number of 32 bits")
                memo[argument] = self.stack[-1]
            elif name in _GETS:
                self.stack.append(memo[argument])
            elif name in _CONSTANTS:
                self.stack.append(_CONSTANTS[name])
            elif name == "STOP":
                break
            elif name in actions:
                actions[name](argument)
            else:
                detail = "" if argument is None else f" ({argument!r:.80})"
                raise RefusedError(
                    f"the pickle inside uses the opcode {name}{detail}, which a weights file never "
                    "needs; nothing of it was run. Get the weights from a source you trust"
                )
        if len(self.stack) != 1 or self.outer:
            raise ValueError("it does not end with exactly one value")
        return self.stack[0]

    # Structure

    def op_proto(self, version: int) -> None:
        if version > 5:
            raise ValueError(f"protocol {version} does not exist")

    def op_frame(self, _: Any) -> None:
        """Frames only help readers that prefetch."""

    def op_mark(self, _: Any) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def _to_mark(self) -> list[Any]:
        values = self.stack
        self.stack = self.outer.pop()
        return values

    def op_pop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self._to_mark()

    def op_pop_mark(self, _: Any) -> None:
        self._to_mark()

    def op_dup(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def op_memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    # Containers

    def op_empty_tuple(self, _: Any) -> None:
        self.stack.append(())

    def op_tuple(self, _: Any) -> None:
        values = self._to_mark()
        self.stack.append(tuple(values))

    def _tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise IndexError("too few values for a tuple")
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def op_tuple1(self, _: Any) -> None:
        self._tuple_of(1)

    def op_tuple2(self, _: Any) -> None:
        self._tuple_of(2)

    def op_tuple3(self, _: Any) -> None:
        self._tuple_of(3)

    def op_empty_list(self, _: Any) -> None:
        self.stack.append([])

    def op_list(self, _: Any) -> None:
        values = self._to_mark()
        self.stack.append(values)

    def op_append(self, _: Any) -> None:
        value = self.stack.pop()
        self._append(self.stack[-1], [value])

    def op_appends(self, _: Any) -> None:
        values = self._to_mark()
        self._append(self.stack[-1], values)

    def _append(self, target: Any, values: list[Any]) -> None:
        if type(target) is list:
            target.extend(values)
        else:
            self.names.append(target, values)

    def op_empty_dict(self, _: Any) -> None:
        self.stack.append({})

    def op_dict(self, _: Any) -> None:
        values = self._to_mark()
        target: dict = {}
        self._assign(target, values)
        self.stack.append(target)

    def op_setitem(self, _: Any) -> None:
        value = self.stack.pop()
        key = self.stack.pop()
        self._assign(self.stack[-1], [key, value])

    def op_setitems(self, _: Any) -> None:
        values = self._to_mark()
        self._assign(self.stack[-1], values)

    def _assign(self, target: Any, flat: list[Any]) -> None:
        if len(flat) % 2:
            raise ValueError("a dict has a key without a value")
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
        if isinstance(target, dict):
            for key, value in pairs:
                target[plain_key(key)] = value
        else:
            self.names.assign(target, pairs)

    # Names, calls, state, storages: all left to the table

    def op_global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(self.names.find(module, name))

    def op_stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise TypeError("a global's name is not text")
        self.stack.append(self.names.find(module, name))

    def op_reduce(self, _: Any) -> None:
        args, target = self.stack.pop(), self.stack.pop()
        self.stack.append(self.names.call(target, args))

    def op_newobj(self, _: Any) -> None:
        self.op_reduce(None)

    def op_newobj_ex(self, _: Any) -> None:
        kwargs, args, target = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self.stack.append(self.names.call(target, args, kwargs))

    def op_build(self, _: Any) -> None:
        state = self.stack.pop()
        self.names.build(self.stack[-1], state)

    def op_binpersid(self, _: Any) -> None:
        identity = self.stack.pop()
        self.stack.append(self.names.persistent(identity))


def plain_key(key: Any) -> Any:
    """Check that a dict key is plain, so that hashing it is safe.

    Hashing a deeply nested tuple would overflow the C stack. Whole numbers from 2^61 on, and tuples
    of two numbers, may all be given the same hash, which makes a dict of them take hours.
    """
    if _is_plain(key):
        return key
    if type(key) is tuple and len(key) <= 64 and all(map(_is_plain, key)):
        numbers = sum(type(part) in (int, float) for part in key)
        if numbers < 2:
            return key
    raise RefusedError(
        f"a dict has a key of type {type(key).__name__} ({_brief(key)}); text, numbers below 2^60 "
        "and flat tuples with at most one number are expected. Save the weights again as a plain "
        "state dict"
    )


def _is_plain(key: Any) -> bool:
    if type(key) is int:
        return abs(key) < 2**60
    return type(key) in (str, float, bool, bytes, type(None))


def _brief(key: Any) -> str:
    return hex(key)[:40] if type(key) is int else "nested or foreign"
