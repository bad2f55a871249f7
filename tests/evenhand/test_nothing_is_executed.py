"""Nothing that is read is executed: no pickle, no YAML, no eval, no shell, no template with attributes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from runs.grammar import FIELDS
from runs.templates import parse_template

ROOT = Path(__file__).parents[2]
PACKAGES = ("evenhand", "judging", "analysis", "runs", "rubrics")
MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "joblib",
    "cloudpickle",
    "yaml",
    "jinja2",
    "mako",
    "code",
    "imp",
    "torch",
}
CALLS = {"eval", "exec", "compile", "__import__", "input", "breakpoint"}
ATTRIBUTES = {
    *("os.system", "os.popen", "os.execv", "os.spawnv", "tempfile.mktemp", "torch.load", "subprocess.getoutput"),
    *("subprocess.getstatusoutput", "pl.read_database", "np.load", "polars.read_database", "numpy.load"),
}


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))


def _objections(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names if alias.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
                yield module
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield name
            case ast.Attribute() if ast.unparse(node) in ATTRIBUTES:
                yield ast.unparse(node)
            case ast.keyword(arg="shell", value=value) if not (
                isinstance(value, ast.Constant) and value.value is False
            ):
                yield "shell="
            case ast.keyword(arg="trust_remote_code") | ast.Constant(value="trust_remote_code" | "trust-remote-code"):
                yield "trust_remote_code"
            # A format string that is no literal may come from data: "{0.__class__}" reaches into any object.
            case ast.Call(func=ast.Attribute(attr="format" | "format_map", value=value)) if not isinstance(
                value, ast.Constant
            ):
                yield ast.unparse(node)


def test_no_module_can_execute_what_it_reads() -> None:
    found = {f"{path}: {what}" for path, tree in _trees() for what in _objections(tree)}
    assert found == set()


@pytest.mark.parametrize(
    "code",
    ["import pickle", "from yaml import load", "eval(x)", "os.system(x)", "run(x, shell=True)", "text.format(x)",
     "f(trust_remote_code=True)", "torch.load(x)", "tempfile.mktemp()", "x = {'trust_remote_code': True}"],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(code: str) -> None:
    assert list(_objections(ast.parse(code)))


@pytest.mark.parametrize(
    "field", ["country.__class__", "country[0]", "0", "", "country!r", "country:>9", "self", "__class__"]
)
def test_a_template_reaches_nothing_but_its_fields(field: str) -> None:
    assert field not in FIELDS
    with pytest.raises(ValueError, match=r"unknown field|formats"):
        parse_template(f"Is {{{field}}} free?")
