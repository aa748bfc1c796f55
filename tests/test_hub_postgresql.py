"""A team hub with its database on a server: how it is opened, what it says, and what is kept."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from typing import Any

import pytest
from sqlalchemy import make_url, select

from hubtl.cli.hub.opening import opened
from hubtl.registry.errors import BadOption, Refused, Unreachable
from hubtl.server.accounts import add_account, find
from hubtl.server.backup import back_up, restore
from hubtl.server.checking import check
from hubtl.server.database import Database
from hubtl.server.dialects import last_number
from hubtl.server.hub import TeamHub, open_hub
from hubtl.server.importing import import_files
from hubtl.server.problem import Problem
from hubtl.server.refs import MAIN, advance_ref, ref_oid
from hubtl.server.repos import find_repo
from hubtl.server.schema import accounts, commits, repos, tables, tokens
from hubtl.server.store_lock import working_on

from . import serving, stores
from .cluster import PASSWORD, PROGRAMS, USER
from .serving import commit, make
from .stores import ONE, TWO, quiet

files = stores.files
SECRETS = (PASSWORD, "pass%2Fword")


@pytest.fixture
def database(cluster):
    return cluster.url()


@pytest.fixture
def store(tmp_path, database):
    made = open_hub(tmp_path / "store", database=database)
    yield made
    made.close()


team_hub = serving.team_hub


def test_a_store_remembers_its_database(store, database, hubtl_cli):
    said = hubtl_cli(f"hub user add ana --store {store.folder}")
    assert (said.code, said.out) == (0, "added user ana\n")
    assert (store.folder / "database").read_text() == database
    assert (store.folder / "database").stat().st_mode & 0o777 == 0o600
    assert not (store.folder / "hub.sqlite").exists()
    with store.database.reading() as db:
        assert find(db, "ana")


def test_no_two_stores_share_a_database_and_no_store_loses_its_own(store, cluster, tmp_path):
    with pytest.raises(Refused, match="the database is another store's"):
        open_hub(tmp_path / "other", database=store.database.engine.url.render_as_string(False))
    with pytest.raises(Refused, match="the database is empty, and the store is not"):
        open_hub(store.folder, database=cluster.url())
    open_hub(tmp_path / "own").close()
    with pytest.raises(Refused, match="has a database of its own"):
        open_hub(tmp_path / "own", database=cluster.url())


@pytest.mark.parametrize(
    ("change", "kind", "told"),
    [
        (("hub_", "none_"), Unreachable, 'database "none_.*" does not exist'),
        ((f"{USER}:", f"{USER}:x"), Unreachable, "password authentication failed"),
        (("host=", "host=/nowhere"), Unreachable, "can't be reached"),
        (("host=", "port=many&host="), BadOption, "no URL of a database|can't be reached"),
        (("postgresql://", ""), BadOption, "`URL` is not one that hubtl speaks"),
        (("%2F", "@"), BadOption, "no URL of a database"),
        (("postgresql", "mysql"), BadOption, "`mysql` is not one that hubtl speaks"),
    ],
)
def test_what_is_wrong_with_a_database_is_told_without_its_password(change, kind, told, database):
    with pytest.raises((kind, Unreachable), match=told) as caught:
        Database(database.replace(*change))
    said = f"{caught.value} {caught.value.hint}"
    assert not any(secret in said for secret in SECRETS) and "\n" not in said


def test_a_database_that_goes_away_while_a_command_works_is_told(store, cluster):
    with pytest.raises(Unreachable, match="can't be reached"), opened(str(store.folder)) as hub:
        cluster.stop()
        try:
            hub.objects.collect(hub.database, 0)
        finally:
            cluster.start()


def test_a_short_password_is_not_told_by_the_stars_in_its_place(database):
    name = make_url(database).database
    wrong = make_url(database).set(password="hub").render_as_string(hide_password=False)
    with pytest.raises(Unreachable) as caught:
        Database(wrong)
    assert name in caught.value.message and "*" not in caught.value.message


def test_a_branch_that_moved_on_is_not_moved_by_who_did_not_see_it(store, files):
    import_files(store, "model", "acme/moods", files, ONE, "hubtl")
    with store.database.writing() as db:
        repo, _ = find_repo(db, "model", "acme", "moods")
        with pytest.raises(Problem, match="The branch was updated"):
            advance_ref(db, repo, MAIN, TWO, TWO)
        with pytest.raises(Problem, match="The branch was updated"):
            advance_ref(db, repo, MAIN, None, TWO)
        assert ref_oid(db, repo, MAIN) == ONE
        advance_ref(db, repo, MAIN, ONE, TWO)
        advance_ref(db, repo, "refs/heads/new", None, ONE)
        assert [ref_oid(db, repo, name) for name in (MAIN, "refs/heads/new")] == [TWO, ONE]


def test_texts_stand_by_their_bytes_whatever_the_servers_own_order(store):
    with store.database.writing() as db:
        for name in ("b", "a_", "a-b", "A.c", "ab"):
            add_account(db, name, "org")
        from hubtl.server.inventory import accounts_listed

        assert [each["name"] for each in accounts_listed(db)] == ["a-b", "A.c", "a_", "ab", "b"]


def test_a_zero_is_in_no_name_and_in_no_card(team_hub):
    make(team_hub, "acme/moods")
    card = b'---\npretty_name: "a\\0b"\ntags: ["c\\0d"]\n---\n'
    assert commit(team_hub, {"README.md": card}, "acme/moods").status_code == 200
    for asked in ("author=a%00", "filter=c%00d", "pipeline_tag=%00", "full=true&cardData=true"):
        assert team_hub.ask("GET", f"/api/models?{asked}").status_code == 200
    assert team_hub.ask("GET", "/api/models/acme/mo%00ods").status_code == 401


def test_while_the_database_is_away_clients_are_told_and_then_all_goes_on(
    team_hub, cluster, caplog
):
    make(team_hub, "acme/moods")
    cluster.stop()
    try:
        said = [
            team_hub.ask("GET", "/api/models"),
            commit(team_hub, {"a.txt": b"a"}, "acme/moods"),
            team_hub.ask("GET", "/", headers={"Accept": "text/html"}),
        ]
    finally:
        cluster.start()
    assert [each.status_code for each in said] == [503, 503, 503]
    assert said[0].json() == {"error": "The hub's database does not answer now"}
    assert said[0].headers["Retry-After"] == "5"
    assert "database does not answer now" in said[2].text
    assert "Traceback" not in caplog.text and not any(each in caplog.text for each in SECRETS)
    assert commit(team_hub, {"a.txt": b"a"}, "acme/moods").status_code == 200
    assert check(team_hub.hub, quiet).problems == ()


def test_a_dump_and_then_the_folder_are_a_backup(store, files, cluster, tmp_path):
    import_files(store, "model", "acme/moods", files, ONE, "hubtl")

    def run(program: str, url: str, *more: str) -> None:
        command = [PROGRAMS[-1].with_name(program), "--dbname", url, *more]
        subprocess.run(command, check=True, capture_output=True)

    there, dump = cluster.url(), str(tmp_path / "dump")
    run("pg_dump", (store.folder / "database").read_text(), "--format", "custom", "--file", dump)
    shutil.copytree(store.folder, tmp_path / "store-2")
    run("pg_restore", there, "--no-owner", dump)
    with contextlib.closing(open_hub(tmp_path / "store-2", database=there)) as again:
        report = check(again, quiet)
    assert (report.problems, report.commits, report.objects) == ((), 1, 3)


def everything(hub: TeamHub) -> dict[str, list[tuple[Any, ...]]]:
    with hub.database.reading() as db:
        return {
            table.name: sorted(map(tuple, db.execute(select(table))), key=repr)
            for table in tables.sorted_tables
            if table.name != "meta"
        }


def numbers(hub: TeamHub) -> dict[str, int]:
    with hub.database.reading() as db:
        return {each.name: last_number(db, each) for each in (accounts, tokens, repos, commits)}


def test_a_backup_goes_from_either_kind_of_database_to_either(team_hub, cluster, tmp_path):
    make(team_hub, "acme/moods")
    commit(team_hub, {"a.txt": b"a", "README.md": b"---\nlicense: mit\n---\n"}, "acme/moods")
    team_hub.api("ana").create_discussion("acme/moods", title="why", description="so")
    make(team_hub, "acme/gone")
    team_hub.api("cleo").delete_repo("acme/gone")
    hub, known = team_hub.hub, everything(team_hub.hub)
    for turn, url in enumerate((None, cluster.url(), None)):
        kept = back_up(hub, tmp_path / f"{turn}.tar", quiet)
        assert restore(tmp_path / f"{turn}.tar", tmp_path / f"store-{turn}", quiet, url) == kept
        again = open_hub(tmp_path / f"store-{turn}")
        assert again.database.engine.dialect.name == ("postgresql" if url else "sqlite")
        assert (again.folder / "hub.sqlite").exists() == (url is None)
        assert (everything(again), numbers(again)) == (known, numbers(team_hub.hub))
        assert check(again, quiet).problems == ()
        if hub is not team_hub.hub:
            hub.close()
        hub = again
    hub.close()


MANY = 150_000
FILLED = f"""
INSERT INTO objects SELECT lpad(n::text, 64, '0'), 1, 0 FROM generate_series(1, {MANY + 1}) n;
INSERT INTO blobs SELECT lpad(n::text, 40, '0'), lpad(n::text, 64, '0'), 1, true, false
    FROM generate_series(1, {MANY}) n;
INSERT INTO repo_blobs SELECT repos.id, blobs.oid FROM repos, blobs ON CONFLICT DO NOTHING
"""


def test_the_one_content_that_nothing_refers_to_is_found_among_very_many(store, files):
    import_files(store, "model", "acme/moods", files, ONE, "hubtl")
    with store.database.writing() as db:
        for statement in FILLED.split(";"):
            db.exec_driver_sql(statement)
    assert store.objects.collect(store.database, time.time() - 60) == (1, 1)


def test_a_backup_goes_into_no_database_that_is_in_use(store, cluster, tmp_path):
    back_up(store, tmp_path / "monday.tar", quiet)
    url = (store.folder / "database").read_text()
    with pytest.raises(Refused, match="the database is some store's already"):
        restore(tmp_path / "monday.tar", tmp_path / "store-2", quiet, url)
    assert not (tmp_path / "store-2").exists()


def test_left_overs_stay_for_as_long_as_any_process_works_on_the_store(store):
    part = store.objects.incoming / "part"
    with working_on(store):
        with working_on(store):
            part.write_bytes(b"of one that goes on")
        with working_on(store):  # the first is still there
            assert part.exists()
    with working_on(store):
        assert not part.exists()
