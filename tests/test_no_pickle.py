"""No code of ours loads a pickle, or anything else that runs what a file says: by the syntax tree.

mlx-pth reads the opcodes itself (`pickletools.genops`) and needs no exception from the rule. What is
not shipped (tools, benchmarks, recipes, tests) may import torch, to run PyTorch's networks; there the
exceptions are named below.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(ROOT.glob("packages/*/src/**/*.py"))
PLACES = (
    "tools",
    "benchmarks",
    "recipes",
    "examples",
    "tests",
    "packages/*/tests",
    "packages/*/parity",
)
OTHERS = sorted(path for place in PLACES for path in ROOT.glob(f"{place}/**/*.py"))

MODULES = {
    "joblib", "dill", "cloudpickle", "marshal", "shelve", "yaml", "torch", "_pickle", "jsonpickle",
    "runpy", "code", "pandas",
}  # fmt: skip
PICKLE = {"load", "loads", "Unpickler", "_Unpickler", "_load", "_loads"}
LOADERS = {"torch", "jit", "hub", "joblib", "dill", "cloudpickle", "marshal", "jsonpickle"}
HARMLESS = {"torch", "yaml", "runpy", "pandas", "code"}  # to import, in what is not shipped
EXCEPTIONS = {
    "packages/mlx-pth/tests/test_refusals.py": {
        "pickle.loads"
    },  # of payloads made there: they are live
    "tests/test_hostile.py": {"pickle.loads"},
    # Of files made there, to compare with.
    "packages/mlx-pth/parity/test_against_torch.py": {"torch.load that may run what it reads"},
    "packages/mlx-rvc-index/tests/test_files.py": {
        "allow_pickle that is not False"
    },  # to write some
    "packages/mlx-weights/tests/test_npz.py": {"allow_pickle that is not False"},
}
BUILTINS = {"eval", "exec", "compile", "__import__"}


def offences(tree):
    """(line, what) of everything that could run what a file says."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.partition(".")[0] in MODULES:
                    yield node.lineno, f"import {name.name}"
                if name.name == "pickle" and name.asname:
                    yield node.lineno, "pickle under another name"
        elif isinstance(node, ast.ImportFrom) and not node.level:
            root = (node.module or "").partition(".")[0]
            names = {name.name for name in node.names}
            if root in MODULES or (root == "pickle" and names & (PICKLE | {"*"})):
                yield node.lineno, f"from {node.module} import {', '.join(sorted(names))}"
            if root == "numpy" and names & {"load", "read_array"}:
                yield node.lineno, "NumPy's load without its name"
        elif isinstance(node, ast.Attribute):
            yield from attribute(node)
        elif isinstance(node, ast.Call):
            yield from called(node)


def attribute(node):
    owner = getattr(node.value, "id", getattr(node.value, "attr", ""))
    if owner == "pickle" and node.attr in PICKLE:
        yield node.lineno, f"pickle.{node.attr}"
    if owner in LOADERS and node.attr in ("load", "loads", "load_url", "load_state_dict_from_url"):
        yield node.lineno, f"{owner}.{node.attr}"
    if node.attr == "read_pickle":
        yield node.lineno, "read_pickle"


def called(node):
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
    if name == "import_module" and str(first).partition(".")[0] in MODULES | {"pickle"}:
        yield node.lineno, f"import_module of {first}"
    safe = any(keyword.arg == "weights_only" and getattr(keyword.value, "value", 0) is True
               for keyword in node.keywords)  # fmt: skip
    if ast.unparse(node.func) == "torch.load" and not safe:
        yield node.lineno, "torch.load that may run what it reads"
    if name == "read_array" and len(node.args) > 1:
        yield node.lineno, "read_array with places of its own"
    if isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
        yield node.lineno, f"{node.func.id}()"
    for keyword in node.keywords:
        off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        if keyword.arg == "allow_pickle" and not off:
            yield node.lineno, "allow_pickle that is not False"
    numpy = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    if numpy and node.func.value.id in ("np", "numpy") and node.func.attr == "load":
        told = any(keyword.arg == "allow_pickle" for keyword in node.keywords)
        if len(node.args) > 2 or (node.args[2:] and not told):
            yield node.lineno, "np.load with places of its own"


def test_no_code_loads_pickles():
    assert len(FILES) > 150
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in FILES
        for line, what in offences(ast.parse(path.read_text("utf-8")))
    ]
    assert not found, "\n".join(found)


def test_nor_does_what_is_not_shipped():
    assert len(OTHERS) > 250
    found = {}
    for path in OTHERS:
        for _, what in offences(ast.parse(path.read_text("utf-8"))):
            words = what.replace("from ", "import ", 1).split()
            imported = words[0] == "import" and words[1].partition(".")[0] in HARMLESS
            if not imported and what != "torch.load":
                found.setdefault(str(path.relative_to(ROOT)), set()).add(what)
    assert found == EXCEPTIONS


@pytest.mark.parametrize(
    "code",
    [
        "import pickle\npickle.load(f)",
        "import pickle\npickle.Unpickler(f).load()",
        "import pickle as p\np.load(f)",
        "from pickle import loads",
        "from pickle import *",
        "import torch",
        "from torch import load",
        "torch.load(f, weights_only=True)",
        "self.torch.load(f)",
        "torch.jit.load(f)",
        "torch.hub.load(f)",
        "dill.loads(f)",
        "frame.read_pickle(f)",
        "importlib.import_module('marshal')",
        "import_module('pickle').loads(f)",
        "from numpy import load",
        "np.lib.format.read_array(f, True)",
        "import numpy as np\nnp.load(f, allow_pickle=True)",
        "import numpy as np\nnp.load(f, allow_pickle=given)",
        "import numpy as np\nnp.load(f, 'r', True)",
        "from joblib import load",
        "import marshal",
        "import shelve",
        "import yaml",
        "eval(text)",
        "exec(text)",
    ],
)
def test_the_rule_sees(code):
    assert list(offences(ast.parse(code)))


def test_the_rule_lets_pass():
    code = "import pickle, numpy as np\npickle.encode_long(5)\nnp.load(f, mmap_mode='r', allow_pickle=False)\n"
    assert not list(
        offences(ast.parse(code + "import re\nre.compile('x')\nmx.compile(f)\nmx.load(f)"))
    )
