"""No code of ours loads a pickle, or anything else that runs what a file says: by the syntax tree.

mlx-pth reads the opcodes itself (`pickletools.genops`) and needs no exception from the rule.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(ROOT.glob("packages/*/src/**/*.py"))

MODULES = {
    "joblib", "dill", "cloudpickle", "marshal", "shelve", "yaml", "torch", "_pickle", "jsonpickle",
    "runpy", "code", "pandas",
}  # fmt: skip
PICKLE = {"load", "loads", "Unpickler", "_Unpickler", "_load", "_loads"}
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
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "pickle" and node.attr in PICKLE:
                yield node.lineno, f"pickle.{node.attr}"
        elif isinstance(node, ast.Call):
            yield from called(node)


def called(node):
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
    assert not list(offences(ast.parse(code + "import re\nre.compile('x')\nmx.compile(f)")))
