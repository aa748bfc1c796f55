"""The pages for plugin authors: each Protocol is on one, and their quick examples do what they say.

Examples that adapt, and plugins as pip installs them, are in test_plugin_pages_adapt.
"""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from hubtl.plugins.manager import HOOKS

from .conftest import ROOT
from .plugin_pages import INDEX, PAGES, agrees, consoles, covered, files, followed, own_text

QUICK = [name for name in PAGES if not re.search(r"tiny\.py\]|hubtl (adapt|rank)", own_text(name))]
ADAPTING = [name for name in PAGES if name not in QUICK]
LAYERS = ("registry", "transfer", "plugins", "hubtl")  # those whose Protocols a plugin may fit
# Protocols within hubtl, which nothing that a plugin registers is asked to fit.
INNER = {
    "hubtl.registry.index.spelling.Vocabulary": "the words of the index, as spelling sees them",
    "hubtl.plugins.speech.encoders.Encoder": "the families of speech encoders that hubtl reads",
}


def protocols() -> list[str]:
    """The whole names of the Protocols in the source of hubtl, but for private ones."""
    found = []
    for path in (path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))):
        within = path.relative_to(ROOT / "hubtl" if path.is_relative_to(ROOT / "hubtl") else ROOT)
        module = ".".join(["hubtl", *within.with_suffix("").parts])
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                bases = [ast.unparse(base) for base in node.bases]
                found += [f"{module}.{node.name}"] * ("Protocol" in bases)
    return found


def test_each_protocol_that_a_plugin_may_fit_is_on_one_page() -> None:
    counts = Counter(name for page in PAGES for name in covered(page))
    wanted = set(protocols()) - set(INNER)
    assert {name: counts[name] for name in wanted} == dict.fromkeys(wanted, 1)


def test_those_that_are_no_plugins_business_are_there_and_on_no_page() -> None:
    assert set(INNER) <= set(protocols())
    assert set(INNER).isdisjoint(name for page in PAGES for name in covered(page))


def test_a_protocol_without_a_page_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "new.py").write_text("class Sung(Hub, Protocol): ...\n")
    assert protocols() == ["hubtl.plugins.new.Sung"]


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_is_on_one_page(hook: str) -> None:
    assert sum(f"hubtl.plugins.hookspecs.{hook}" in covered(page) for page in PAGES) == 1


@pytest.mark.parametrize("name", [name for name in PAGES if PAGES[name] != INDEX])
def test_a_page_says_what_it_is_for_and_has_all_that_a_reader_needs(name: str) -> None:
    text = re.sub(r"^```.*?^```$", "", own_text(name), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert heads == ["A whole one", "Try it", "Install it", "What hubtl does", "What it has"]
    assert "\nYou need " in text.partition("\n## ")[0]
    assert consoles(name, installing=False) and consoles(name, installing=True)


@pytest.mark.parametrize("name", PAGES)
def test_every_piece_of_code_on_a_page_is_in_a_file_that_is_run(name: str) -> None:
    text, written = own_text(name), files(name)
    assert len(re.findall(r"^```(?!console|$)\w*$", text, re.MULTILINE)) == sum(
        f"`{path}`" in text and code in text for path, code in written.items()
    )
    facts = tomllib.loads(written["pyproject.toml"])
    (module,) = facts["project"]["entry-points"]["hubtl"].values()
    assert f"{module}.py" in written
    assert f"HUBTL_PLUGINS={module}.py" in text


@pytest.mark.parametrize("name", QUICK)
def test_a_page_shows_what_its_commands_print(name: str, tmp_path: Path) -> None:
    for shown, printed in followed(name, tmp_path, installing=False):
        assert agrees(shown, printed), printed


def test_what_a_page_leaves_open_may_be_anything_and_nothing_else() -> None:
    shown = "$ hubtl adapt\n…\nwrote made in … s\n"
    assert agrees(shown, "$ hubtl adapt\nfitting\nthe head\nwrote made in 3 s\n")
    assert agrees(shown, "$ hubtl adapt\nwrote made in 14.5 s\n")
    assert not agrees(shown, "$ hubtl adapt\nwrote mad in 3 s\n")
    assert not agrees(shown, "$ hubtl adapt\nwrote made in 3 s\nand more\n")


def test_a_figure_may_be_off_by_less_than_a_row() -> None:
    shown = "this model  0.950 (0.752 to 1.000)\n"
    assert agrees(shown, "this model  0.953 (0.748 to 1.000)\n")
    assert not agrees(shown, "this model  0.850 (0.752 to 1.000)\n")
    assert not agrees(shown, "this model  0.950 (0.726 to 1.000)\n")


def test_what_pages_are_filled_with_can_be_imported() -> None:
    for name in (name for page in PAGES for name in covered(page)):
        module, _, last = name.rpartition(".")
        assert hasattr(importlib.import_module(module), last), name
