"""The project holds together: layers, layout, what is installed, what help costs, what is said."""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

import hubtl.cli
from hubtl.cli import commands

from .conftest import ROOT

LAYERS = ("registry", "transfer", "plugins", "hubtl", "cli")  # each imports those before it
ALLOWED = {layer: set(LAYERS[: number + 1]) for number, layer in enumerate(LAYERS)}
ALLOWED |= {"server": {"registry", "server"}, "cli": {*LAYERS, "server"}}
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
MODALITIES = ("text", "image", "vision", "audio", "speech", "token")
SOURCES = [
    p for layer in ALLOWED for p in sorted((ROOT / layer).rglob("*.py")) if not p.is_symlink()
]


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def imported_layers(path: Path) -> set[str]:
    """Return the layers that a file imports from, by absolute and by relative imports."""
    package = ["hubtl", *path.relative_to(ROOT).parts[:-1]]
    package = package[1:] if package[:2] == ["hubtl", "hubtl"] else package
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package[: len(package) - node.level + 1] if node.level else []
            names = [".".join([*parts, node.module or ""]).strip(".")]
        for name in names:
            parts = name.split(".")
            if parts[0] == "hubtl":
                inner = parts[1] if len(parts) > 1 else "hubtl"
                found.add(inner if inner in ALLOWED else "hubtl")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_layer_imports_only_those_before_it(path):
    if path.name in ("clean.py", "__main__.py"):
        return
    assert imported_layers(path) <= ALLOWED[layer_of(path)]


def test_the_check_of_layers_sees_an_import_upwards(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "registry").mkdir()
    bad = tmp_path / "registry" / "bad.py"
    bad.write_text("from ..transfer.fit import fit\nimport hubtl.cli, hubtl.server.hub\n")
    assert imported_layers(bad) == {"transfer", "cli", "server"}


def test_transfer_names_no_modality():
    for path in (ROOT / "transfer").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and " " not in node.value
            ):
                assert node.value not in MODALITIES, f"{path}: {node.value}"


def test_registry_imports_neither_torch_nor_a_network():
    code = (
        "import sys, pkgutil, importlib, hubtl.registry as r\n"
        "names = [m.name for m in pkgutil.iter_modules(r.__path__)]\n"
        "[importlib.import_module(f'hubtl.registry.{name}') for name in names]\n"
        "print([m for m in ('torch', 'httpx', 'huggingface_hub', 'requests') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
        == "[]\n"
    )


@pytest.mark.parametrize("folder", ["registry", "transfer", "plugins", "cli", "server"])
def test_a_root_folder_is_a_part_of_hubtl_and_no_package_of_its_own(folder, tmp_path):
    assert (ROOT / "hubtl" / folder).resolve() == ROOT / folder
    probe = f"import importlib.util as u; print(u.find_spec({folder!r}))"
    done = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True)
    assert done.stdout == b"None\n"


def test_every_folder_of_python_is_installed():
    listed = {name.removeprefix("hubtl.").replace(".", "/") for name in SETUPTOOLS["packages"]}
    assert {str(path.parent.relative_to(ROOT)) for path in SOURCES} <= listed


def test_the_wheel_of_the_sdist_holds_hubtl_and_nothing_else(tmp_path):
    clone = tmp_path / "clone"
    unwanted = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist")
    shutil.copytree(ROOT, clone, symlinks=True, ignore=unwanted)
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(clone),
    ]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    wheel = zipfile.ZipFile(next(tmp_path.glob("*.whl")))
    names = set(wheel.namelist())
    assert {name.partition("/")[0] for name in names} == {"hubtl", "hubtl-0.1.0.dist-info"}
    sources = {
        f"hubtl/{path.relative_to(ROOT)}".replace("hubtl/hubtl", "hubtl") for path in SOURCES
    }
    data = {"catalog.yaml", "examples/debian-sections.csv", "plugins/recipes/lora.yaml", "py.typed"}
    data |= {str(path.relative_to(ROOT)) for path in (ROOT / "plugins").rglob("*.png")}
    data |= {"plugins/conversions/imagenet_classes.txt"}
    data.add("plugins/speech/probe_inputs/tone-low.flac")
    data |= {"examples/noto-emoji/README.md", "examples/noto-emoji/test/food/pizza.webp"}
    data |= {f"examples/letters-and-numbers/{name}" for name in ("README.md", "metadata.csv")}
    data.add("examples/letters-and-numbers/clips/june-fr-q.ogg")
    data |= {f"examples/spoken-sentences/{name}" for name in ("README.md", "clips/tt-weasels.ogg")}
    data.add("plugins/text/general_sentences.txt")
    assert sources | {f"hubtl/{name}" for name in data} <= names
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as sdist:
        assert "hubtl-0.1.0/catalog.yaml" in sdist.getnames()
    target = tmp_path / "target"
    with wheel:
        wheel.extractall(target)
    code = "import hubtl; print(hubtl.__file__); print(hubtl.search('bert').searched)"
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=tmp_path
    )
    where, count = done.stdout.split()
    assert where.startswith(str(target)) and int(count) >= 21


def modules_after(*arguments: str) -> set[str]:
    code = (
        "import sys, json\n"
        "try:\n    import hubtl.cli; sys.argv = json.loads(sys.argv[1]); hubtl.cli.main()\n"
        "except SystemExit: pass\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(["hubtl", *arguments])],
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


HEAVY = {"torch", "transformers", "peft", "sklearn", "pyarrow", "huggingface_hub", "numpy"}
SERVING = {"starlette", "uvicorn", "hubtl.server"}


@pytest.mark.parametrize(
    "line", ["--help", "search bert", "show sentence-transformers/all-MiniLM-L6-v2", "serve --help"]
)
def test_looking_around_loads_nothing_heavy(line):
    assert not (HEAVY | SERVING | {"sqlalchemy"}) & modules_after(*line.split())


def test_looking_after_a_hub_loads_neither_plugins_nor_the_web_server():
    unwanted = HEAVY | {"starlette", "uvicorn", "hubtl.plugins.manager", "hubtl.server.routes"}
    assert not unwanted & modules_after("hub", "user", "add", "ana")


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help_with_examples(command, hubtl_cli):
    said = hubtl_cli(f"{command} --help")
    assert said.code == 0
    assert f"$ hubtl {command}" in said.out or f"hubtl {command}" in said.out
    assert "--json" in said.out


OFFLINE = [
    "search sentiment",
    "search --domain legal --allows commercial",
    "search --task image-classification --max-params 30M",
    "search --fits --recipe full --trusted",
    "search --org acme --domain legal --task text-classification",
    "show sentence-transformers/all-MiniLM-L6-v2",
    "pull sentence-transformers/all-MiniLM-L6-v2 --dry-run",
    "catalog",
    "catalog --domains",
    "catalog --licences",
    "catalog check",
    "recipes",
    "recipes lora",
    "plugins",
    "config",
    "config hub folder:/mnt/models",
    "doctor",
]


TRIED_OUT = "adapt text-classification examples/debian-sections.csv --dry-run"


@pytest.mark.parametrize("line", [*OFFLINE, pytest.param(TRIED_OUT, marks=pytest.mark.long)])
def test_examples_run_and_json_is_one_document(line, hubtl_cli, monkeypatch):
    monkeypatch.chdir(ROOT)
    plain, machine = hubtl_cli(line), hubtl_cli(f"{line} --json")
    assert (plain.code, machine.code) == (0, 0), plain.err + machine.err
    assert plain.out.strip() and isinstance(machine.json, dict)


def test_the_version_is_told(hubtl_cli):
    assert hubtl_cli("--version").out == f"hubtl {version('hubtl')}\n"


def test_examples_in_help_are_those_that_are_tested():
    shown = {
        example.removeprefix("hubtl ")
        for command in commands().values()
        for example in command.examples
    }
    quick = {line for line in shown if shlex.split(line)[0] in {"search", "recipes"}}
    assert quick <= set(OFFLINE)


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("serch", 2, "No such command"),
        ("search --limit none", 2, "Invalid value"),
        ("recipes prob", 1, "error: `prob` is not a recipe that hubtl knows\n\nhint: did you mean"),
        ("config hubb x", 1, "error: `hubb` is not a setting that hubtl knows\n\nhint:"),
        ("predict nowhere/at/all x", 1, "error: there is no adapted folder `nowhere/at"),
        ("adapt text-classification no.csv", 1, "error: there is no file `no.csv`\n\nhint:"),
        ("publish nowhere --to a/b", 1, "error: `nowhere` is no adapted folder"),
        ("demo --modality smell", 1, "error: `smell` is not a demo that hubtl knows"),
    ],
)  # fmt: skip
def test_exit_codes_and_errors_are_as_promised(line, code, told, hubtl_cli):
    said = hubtl_cli(line)
    assert (said.code, said.out) == (code, "")
    assert told in said.err


def test_settings_are_kept_and_checked(hubtl_cli, home):
    assert hubtl_cli("config domain legal").code == 0
    assert hubtl_cli("config --json").json["domain"] == "legal"
    assert hubtl_cli("config domain leagl").code == 1
    assert hubtl_cli("config --json", HUBTL_DOMAIN="news").json["domain"] == "news"
    assert hubtl_cli("config domain --unset").code == 0
    assert (home / "config.yaml").read_text() == "{}\n"


def test_the_package_docstring_is_true():
    import doctest

    assert doctest.testmod(hubtl).failed == 0


def test_no_benchmark_hides_a_module_that_is_imported_by_its_name():
    """`python benchmarks/NAME.py` looks for modules beside that file before any others."""
    own = {path.stem for path in (ROOT / "benchmarks").iterdir() if path.stem != "__pycache__"}
    assert own & {*sys.stdlib_module_names, *packages_distributions()} == set()


def test_no_file_is_longer_than_a_person_reads():
    long = {
        str(p.relative_to(ROOT)): n
        for p in SOURCES
        if (n := len(p.read_text("utf-8").splitlines())) > 300
    }
    assert long == {}
