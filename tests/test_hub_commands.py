"""`hubtl hub`: people and their tokens, repositories, garbage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hubtl.server.checking import check
from hubtl.server.hub import TeamHub
from hubtl.server.importing import import_files

from . import serving, stores
from .stores import ONE, quiet

team_hub, store, files = serving.team_hub, stores.store, stores.files


def stored(hub: TeamHub) -> list[Path]:
    """The files of the contents."""
    return sorted(path for path in (hub.folder / "objects").rglob("*") if path.is_file())


def test_people_are_added_shown_and_removed(hubtl_cli):
    lines = [
        ("hub user add ana --fullname 'Ana Novak'", "added user ana\n"),
        ("hub user add ben", "added user ben\n"),
        ("hub org add acme --member ana:admin", "acme: ana (admin)\n"),
        ("hub org add acme --member ben:read", "acme: ana (admin), ben (read)\n"),
        ("hub org member acme ben:write ana:none", "acme: ben (write)\n"),
        ("hub user remove ana", "removed user ana\n"),
        ("hub user remove ben", "removed user ben\n"),
        ("hub org remove acme", "removed organisation acme\n"),
    ]
    for line, said in lines:
        assert (said, 0) == hubtl_cli(line)[1::-1]
    assert hubtl_cli("hub list --json").json == {"accounts": [], "repositories": []}


def test_a_token_is_printed_alone_and_works_until_it_is_revoked(team_hub, hubtl_cli):
    at = f"--store {team_hub.hub.folder}"
    made = hubtl_cli(f"hub token add bob --name ci --scope acme/moods:read+discuss {at}")
    token = made.out.strip()
    assert made.out == f"{token}\n" and token.startswith("hf_")
    assert team_hub.api(token).whoami()["name"] == "bob"
    listed = hubtl_cli(f"hub token list bob --json {at}").json["tokens"]
    assert [(each["name"], each["role"]) for each in listed] == [
        ("laptop", "write"),
        ("ci", "fineGrained"),
    ]
    assert listed[1]["scopes"] == [{"entity": "acme/moods", "permissions": ["read", "discuss"]}]
    assert token not in hubtl_cli(f"hub token list bob {at}").out
    assert hubtl_cli(f"hub token revoke bob ci {at}").out == "revoked ci of bob\n"
    assert team_hub.ask("GET", "/api/whoami-v2", token).status_code == 401


def test_a_token_may_have_a_value_of_ones_own(hubtl_cli):
    assert hubtl_cli("hub user add ana").code == 0
    said = hubtl_cli("hub token add ana --name old --value hf_from_elsewhere --role read --json")
    assert said.json == {
        "user": "ana",
        "name": "old",
        "role": "read",
        "scopes": [],
        "token": "hf_from_elsewhere",
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("hub list", "there is no team hub in"),
        ("hub check --store nowhere", "there is no team hub in"),
        ("hub user add 'two words'", "can't be the name of an account"),
        ("hub org add acme --member nobody:write", "there is no user `nobody` on this hub"),
        ("hub org add acme --member nobody", "`nobody` is not USER:ROLE"),
        ("hub token add nobody", "there is no team hub in"),
        ("hub collect --older-than soon", "`soon` is no age"),
        ("hub remove moods", "`moods` is no repository"),
        ("hub import starter --as acme/moods", "--as goes with one plain folder"),
        ("hub import ./", "what is the folder `./` to be called?"),
        ("hub import folder:nowhere", "there is no folder `nowhere`"),
        ("hub import starter:acme/unknown", "is not a starter model that hubtl knows"),
        ("hub restore nowhere.tar", "`nowhere.tar` can't be read as a backup"),
    ],
)
def test_what_cannot_be_done_is_said(line, told, hubtl_cli):
    said = hubtl_cli(line)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: ") and told in said.err and "Traceback" not in said.err


def test_an_organisation_that_could_not_be_made_whole_is_not_made(hubtl_cli):
    assert hubtl_cli("hub org add acme --member nobody:write").code == 1
    assert hubtl_cli("hub list --json").json["accounts"] == []


def test_repositories_are_listed_with_their_bytes_and_removed(store, files, hubtl_cli):
    import_files(store, "model", "acme/moods", files, ONE, "hubtl", private=True)
    import_files(store, "dataset", "acme/moods", files, ONE, "hubtl")
    at = f"--store {store.folder}"
    size = sum(path.stat().st_size for path in files.values())
    row = {"id": "acme/moods", "files": 3, "bytes": size, "head": ONE, "upstream": None}
    assert hubtl_cli(f"hub list --json {at}").json == {
        "accounts": [{"name": "acme", "kind": "org", "fullname": "acme", "members": []}],
        "repositories": [
            {**row, "kind": "dataset", "private": False},
            {**row, "kind": "model", "private": True},
        ],
    }
    assert "acme/moods  dataset  all" in hubtl_cli(f"hub list {at}").out
    assert hubtl_cli(f"hub org remove acme {at}").code == 1
    assert hubtl_cli(f"hub remove datasets/acme/moods {at}").out == "removed dataset acme/moods\n"
    assert hubtl_cli(f"hub remove Acme/MOODS {at}").out == "removed model acme/moods\n"
    assert hubtl_cli(f"hub remove acme/moods {at}").code == 1


def test_garbage_is_collected_when_it_is_old_enough_and_not_shared(store, files, hubtl_cli):
    at = f"--store {store.folder}"
    import_files(store, "model", "acme/moods", files, ONE, "hubtl")
    del files["more/config.json"]
    import_files(store, "dataset", "acme/moods", files, ONE, "hubtl")
    assert hubtl_cli(f"hub remove acme/moods {at}").code == 0
    nothing, all_old = "collected 0 contents of 0 B\n", "collected 1 contents of 2 B\n"
    assert hubtl_cli(f"hub collect {at}").out == nothing
    assert hubtl_cli(f"hub collect --older-than 0s {at}").out == all_old
    assert hubtl_cli(f"hub collect --older-than 0s {at}").out == nothing
    assert list(store.objects.contents.aside()) == []
    assert check(store, quiet).problems == ()
    assert len(stored(store)) == 2


def test_without_the_extra_it_is_said_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "import hubtl.cli; sys.argv = ['hubtl', *sys.argv[1:]]; hubtl.cli.main()"
    )
    for words in (["serve"], ["hub", "user", "add", "ana"], ["hub", "restore", "x.tar"]):
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            "error: the team hub needs the package `sqlalchemy`, which is not installed\n\n"
            "hint: pip install 'hubtl[server]'\n"
        )
    assert not (tmp_path / "home" / "team-hub").exists()
