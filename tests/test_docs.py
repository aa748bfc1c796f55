"""What the pages in docs/ show is what the code does, and what they link to is there."""

import importlib.util
import re
import shlex
import types
from pathlib import Path

import pytest
import typer

import hubtl.cli

from .conftest import ROOT
from .plugin_pages import PAGES

DOCS = ROOT / "docs"
LINK = re.compile(r"\[[^\[\]]*\]\(([^()\s:]+)\)")
TEXTS = [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("examples/**/*.md"))]


def load(path: Path) -> types.ModuleType:
    """A module from a file that belongs to no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def typed(text: str) -> list[list[str]]:
    """The words of each hubtl command in a page's console blocks, `hubtl` left out."""
    lines = "".join(blocks(text, "console")).replace("\\\n", " ").splitlines()
    commands = [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]
    return [words[words.index("hubtl") + 1 :] for words in commands if "hubtl" in words]


CONSOLES = [
    pytest.param(words, id=f"{page.relative_to(DOCS)}: hubtl {' '.join(words)}")
    for page in sorted(DOCS.rglob("*.md"))
    if page not in PAGES.values()  # what these show is run, by test_plugin_pages
    for words in typed(page.read_text(encoding="utf-8"))
]


def test_the_pages_of_commands_are_what_the_code_says() -> None:
    assert load(DOCS / "generate.py").stale() == []


def test_a_page_that_was_changed_by_hand_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate = load(DOCS / "generate.py")
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    index, commands = tmp_path / "plugins.md", tmp_path / "commands"
    page = tmp_path / "plugins" / "hub.md"
    index.write_text("no pages yet")
    generate.write()
    (commands / "adapt.md").write_text("better", encoding="utf-8")
    (commands / "gone.md").write_text("a command of old", encoding="utf-8")
    page.parent.mkdir()
    page.write_text("<!-- members of hubtl.plugins.hookspecs.Hub -->\nold\n<!-- end -->\n")
    index.write_text("<!-- pages: hub -->\nnone\n<!-- end -->\n")
    assert generate.stale() == [commands / "adapt.md", commands / "gone.md", page, index]


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


def anchors(text: str) -> set[str]:
    """Return what can stand behind `#` in a link to a page: its headings, as browsers name them."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for path, _, anchor in (link.partition("#") for link in LINK.findall(text)):
        there = page.parent / path if path else page
        assert there.exists(), path
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), f"{path}#{anchor}"
