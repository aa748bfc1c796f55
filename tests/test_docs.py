"""What the pages in docs/ show is what the code does: commands, hooks, a plugin built from one."""

import importlib.util
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path

import pluggy
import pytest
import typer

import hubtl.cli
from hubtl.plugins import hookspecs
from hubtl.plugins.manager import HOOKS

DOCS = Path(__file__).parent.parent / "docs"
PLUGINS = (DOCS / "plugins.md").read_text(encoding="utf-8")


def load(path: Path) -> types.ModuleType:
    """A module from a file that belongs to no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a page: blocks(PLUGINS, "python")[0]."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def typed(text: str) -> list[list[str]]:
    """The words of each hubtl command in a page's console blocks, `hubtl` left out."""
    lines = "".join(blocks(text, "console")).replace("\\\n", " ").splitlines()
    commands = [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]
    return [words[words.index("hubtl") + 1 :] for words in commands if "hubtl" in words]


SCORED = next(block for block in blocks(PLUGINS, "python") if "plugins().scorers" in block)
CONSOLES = [
    pytest.param(words, id=f"{page.relative_to(DOCS)}: hubtl {' '.join(words)}")
    for page in sorted(DOCS.rglob("*.md"))
    for words in typed(page.read_text(encoding="utf-8"))
]


def test_the_pages_of_commands_are_what_the_code_says() -> None:
    assert load(DOCS / "generate.py").stale() == []


def test_a_page_that_was_changed_by_hand_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate = load(DOCS / "generate.py")
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    generate.write()
    (tmp_path / "adapt.md").write_text("better", encoding="utf-8")
    (tmp_path / "gone.md").write_text("a command of old", encoding="utf-8")
    assert generate.stale() == [tmp_path / "adapt.md", tmp_path / "gone.md"]


def test_pages_do_not_follow_the_width_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    generate = load(DOCS / "generate.py")
    wide = generate.pages()
    monkeypatch.setenv("COLUMNS", "40")
    assert generate.pages() == wide


def alone(words: list[str]) -> bool:
    """Return whether a group is asked for by itself, such as `catalog --domains`."""
    return not words or words[0].startswith("-")


@pytest.mark.parametrize("words", CONSOLES)
def test_a_command_on_a_page_exists_with_its_options(words: list[str]) -> None:
    command, left = typer.main.get_command(hubtl.cli.app()), list(words)
    while hasattr(command, "commands") and not (command.invoke_without_command and alone(left)):
        command = command.commands[left.pop(0)]
    known = {option for param in command.params for option in param.opts} | {"--help", "-h"}
    assert {word.partition("=")[0] for word in words if re.match("--?[a-z]", word)} <= known


@pytest.mark.parametrize("number", range(len(blocks(PLUGINS, "python"))))
def test_a_python_block_runs_and_its_hooks_are_hubtls(number: int, tmp_path: Path) -> None:
    module = types.ModuleType(f"block_{number}")
    module.__file__ = str(tmp_path / "block.py")
    exec(blocks(PLUGINS, "python")[number], module.__dict__)
    manager = pluggy.PluginManager("hubtl")
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()
    for name in (name for name in vars(module) if name.startswith("register_")):
        if name != "register_commands":
            assert all(noun.name for noun in getattr(module, name)()), name


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_documented_with_its_arguments(hook: str) -> None:
    arguments = ", ".join(inspect.signature(getattr(hookspecs, hook)).parameters)
    assert f"`{hook}({arguments})`" in PLUGINS


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process in which the page's first plugin is installed."""
    room = tmp_path_factory.mktemp("plugin")
    project, installed = room / "hubtl-shelf", room / "installed"
    project.mkdir()
    (project / "hubtl_shelf.py").write_text(blocks(PLUGINS, "python")[0], encoding="utf-8")
    (project / "pyproject.toml").write_text(blocks(PLUGINS, "toml")[0], encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(installed)]
    subprocess.run([*pip, *options, str(project)], check=True)
    kept = {name: v for name, v in os.environ.items() if not name.startswith(("HUBTL_", "HF_"))}
    return {**kept, "PYTHONPATH": str(installed), "HUBTL_HOME": str(room / "home")}


def python(environment: dict[str, str], *words: str) -> str:
    run = [sys.executable, *words]
    done = subprocess.run(run, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def test_the_pages_plugin_is_listed_once_it_is_installed(shelf: dict[str, str]) -> None:
    said = json.loads(python(shelf, "-m", "hubtl", "plugins", "--json"))
    listed = {each["name"]: each for each in said["plugins"]}["shelf"]
    assert (listed["version"], listed["broken"]) == ("1.0", "")
    assert sorted(listed["hooks"]) == ["register_hubs", "register_scorers"]
    assert "shelf" in said["hubs"] and said["scorers"][-1] == "centroid"


def test_the_pages_hub_is_searched_alone_and_with_all_others(shelf: dict[str, str]) -> None:
    alone = json.loads(python(shelf, "-m", "hubtl", "search", "--hub", "shelf", "--json"))
    plain = json.loads(python(shelf, "-m", "hubtl", "search", "--limit", "999", "--json"))
    assert [(entry["id"], entry["hub"]) for entry in alone["entries"]] == [("acme/tiny", "shelf")]
    assert [e["id"] for e in plain["entries"] if e["hub"] == "shelf"] == ["acme/tiny"]


def test_the_pages_scorer_gives_the_share_nearest_to_their_own_mean(shelf: dict[str, str]) -> None:
    # Class means 0.5 and 6: the third row, 2, is nearer to the other one.
    assert python(shelf, "-c", SCORED).splitlines()[-1] == "centroid 0.75"


def test_hubtl_plugins_empty_leaves_installed_plugins_out(shelf: dict[str, str]) -> None:
    said = json.loads(python({**shelf, "HUBTL_PLUGINS": ""}, "-m", "hubtl", "plugins", "--json"))
    assert "shelf" not in said["hubs"] and "folder" in said["hubs"]
