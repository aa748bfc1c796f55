"""Plugins come in by one door, and a broken one is a warning, never a stop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hubtl.plugins.manager import plugins
from hubtl.plugins.own import BUILT_IN, OWN

from .plugin_pages import files

GOOD = """
import hubtl

class Shelf:
    name = "shelf"
    def search(self, query):
        return [hubtl.Entry("acme/tiny", "shelf", tasks=("text-classification",))]

@hubtl.hookimpl
def register_hubs():
    return [Shelf()]

@hubtl.hookimpl
def register_commands(app):
    @app.command("hello")
    def hello():
        "Say hello."
        print("hello from a plugin")
"""
BROKEN = {
    "does not import": "import nowhere_at_all",
    "marks no hook of ours": "import hubtl\n@hubtl.hookimpl\ndef register_hubz(): return []",
    "fails when it is asked": "import hubtl\n@hubtl.hookimpl\ndef register_hubs(): 1 / 0",
    "fails to add a command": "import hubtl\n@hubtl.hookimpl\ndef register_commands(app): 1 / 0",
    "adds a command of hubtl's name": (
        "import hubtl\n@hubtl.hookimpl\ndef register_commands(app):\n"
        "    @app.command('search')\n    def mine(): print('mine')"
    ),
    "takes a name that is taken": (
        "import hubtl\nclass Hub:\n    name = 'folder'\n    def search(self, q): return []\n"
        "@hubtl.hookimpl\ndef register_hubs(): return [Hub()]"
    ),
}


def test_hubtls_own_come_in_by_the_same_door():
    assert [each.name for each in plugins().loaded][: len(BUILT_IN)] == list(BUILT_IN)
    assert {"starter", "hf", "folder"} <= set(plugins().hubs)
    assert {"probe", "lora"} <= set(plugins().recipes)
    assert {"probe", "neighbours", "logme", "h_score", "nleep"} <= set(plugins().scorers)


def test_hubtls_own_offer_what_they_are_listed_under():
    hooks = {each.name: each.hooks for each in plugins().loaded if each.name in BUILT_IN}
    assert hooks == {name: (hook,) for hook, names in OWN.items() for name in names}


def test_what_is_not_asked_for_is_not_imported():
    code = (
        "import sys; from hubtl.plugins.manager import plugins; plugins().hubs\n"
        "offered = {'tasks', 'methods', 'scorers', 'demos', 'exports', 'gates'}\n"
        "print([m for m in sys.modules if offered & {*m.split('.')} and 'hubtl.' in m])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_an_installed_plugin_can_not_take_the_place_of_hubtls_own(install, hubtl_cli):
    install("recipes", GOOD)
    listed = hubtl_cli("plugins --json")
    why = "BadOption: hubtl has a plugin `recipes` of its own"
    assert listed.err == f"warning: plugin `recipes` was not loaded: {why}\n"
    both = [each for each in listed.json["plugins"] if each["name"] == "recipes"]
    assert [(each["version"], each["broken"]) for each in both] == [("built in", ""), ("1.5", why)]
    assert "probe" in listed.json["recipes"]


def test_an_installed_plugin_is_listed_searched_and_adds_a_command(install, hubtl_cli):
    install("shelf", GOOD)
    listed = hubtl_cli("plugins --json").json
    last = listed["plugins"][-1]
    assert (last["name"], last["version"], last["broken"]) == ("shelf", "1.5", "")
    assert set(last["hooks"]) == {"register_hubs", "register_commands"}
    assert "shelf" in listed["hubs"]
    assert [e["id"] for e in hubtl_cli("search --hub shelf --json").json["entries"]] == [
        "acme/tiny"
    ]
    assert "acme/tiny" in [e["id"] for e in hubtl_cli("search tiny --json").json["entries"]]
    assert hubtl_cli("hello").out == "hello from a plugin\n"
    assert "hello" in hubtl_cli("--help").out


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_plugin_is_warned_about_and_stops_nothing(how, install, hubtl_cli):
    install("broken", BROKEN[how])
    install("shelf", GOOD)
    said = hubtl_cli("search --hub shelf --json")
    assert [entry["id"] for entry in said.json["entries"]] == ["acme/tiny"]
    listed = hubtl_cli("plugins --json")
    assert "warning: plugin `broken` was not loaded: " in listed.err
    assert [p["name"] for p in listed.json["plugins"] if p["broken"]] == ["broken"]


def test_a_hub_that_fails_is_left_out_of_a_search_and_named(install, hubtl_cli):
    install(
        "bad",
        GOOD.replace("shelf", "bad").replace("return [hubtl.Entry", "return [1 / 0, hubtl.Entry"),
    )
    said = hubtl_cli("search bert --json")
    assert said.code == 0 and said.json["entries"]
    assert said.err == "warning: the hub `bad` was not asked: ZeroDivisionError: division by zero\n"
    assert hubtl_cli("search --hub bad").code == 1


def test_hubtl_plugins_limits_which_are_loaded(install, hubtl_cli):
    install("shelf", GOOD)
    install("other", GOOD.replace("shelf", "other").replace("hello", "bye"))
    only = hubtl_cli("plugins --json", HUBTL_PLUGINS="other").json
    assert "other" in only["hubs"] and "shelf" not in only["hubs"]
    none = hubtl_cli("plugins --json", HUBTL_PLUGINS="").json
    assert {"other", "shelf"}.isdisjoint(none["hubs"]) and "folder" in none["hubs"]


def test_a_plugin_in_a_file_is_tried_without_being_installed(install, hubtl_cli):
    install("other", GOOD.replace("shelf", "other").replace("hello", "bye"))
    Path("beside.py").write_text(GOOD)
    Path("tried.py").write_text("from beside import *")
    only = hubtl_cli("plugins --json", HUBTL_PLUGINS="tried.py").json
    last = only["plugins"][-1]
    assert (last["name"], last["version"], last["broken"]) == ("tried", "a file", "")
    assert "shelf" in only["hubs"] and "other" not in only["hubs"]
    both = hubtl_cli("plugins --json", HUBTL_PLUGINS="other,tried.py").json
    assert {"other", "shelf"} <= set(both["hubs"])
    assert hubtl_cli("hello", HUBTL_PLUGINS="tried.py").out == "hello from a plugin\n"
    Path("more").mkdir()
    for name, told in {
        "more/json.py": "`json`: BadOption: Python has a module `json` already, which others need",
        "more/a-b.py": "`a-b`: BadOption: `a-b` is no name that a module can have",
        "tried.py,more/tried.py": "`tried`: there is another of that name",
    }.items():
        Path(name.rpartition(",")[2]).write_text(GOOD)
        said = hubtl_cli("plugins --json", HUBTL_PLUGINS=name)
        word, _, why = told.partition(": ")
        assert said.err == f"warning: plugin {word} was not loaded: {why}\n"
        assert ("shelf" in said.json["hubs"]) is name.startswith("tried")
    gone = hubtl_cli("plugins --json", HUBTL_PLUGINS="gone.py")
    assert gone.err.startswith("warning: plugin `gone` was not loaded: FileNotFoundError: ")


def test_a_gate_that_fails_to_look_refuses(install, adapted, shelf, hubtl_cli):
    code = "import hubtl\n@hubtl.hookimpl\ndef before_publish(folder, entry): 1 / 0"
    install("gate", code)
    said = hubtl_cli(f"publish {adapted} --to acme/moods --hub {shelf.name}")
    assert said.code == 1
    assert "the gate of plugin `gate` could not look: ZeroDivisionError" in said.err
    assert "acme/moods" not in shelf.cache.ids()


@pytest.mark.long
@pytest.mark.parametrize(
    ("left_out", "how"),
    [
        ("", "there are no epochs: a head is fitted at once, on what the frozen base gives"),
        ("    frozen = True\n", "the method does not tell how it learnt"),
    ],
)
def test_the_pages_method_adapts_and_says_what_it_does_not_know(
    left_out, how, install, shelf, moods, hubtl_cli
):
    install("means", files("method")["hubtl_means.py"].replace(left_out, "", 1))
    line = f"adapt text-classification {moods} --base acme/tiny-encoder --hub {shelf.name}"
    said = hubtl_cli(f"{line} --recipe means --out means --json")
    assert said.code == 0, said.err
    facts = json.loads((Path("means") / "hubtl.json").read_text())
    assert facts["recipe"] == "means"
    assert facts["losses"]["how"] == how
    assert facts["calibration"]["how"].endswith("no temperature fitted")
