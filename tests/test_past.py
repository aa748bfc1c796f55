"""What was reached is kept, a line a work, and found again by how much it tells of the next."""

from __future__ import annotations

import dataclasses
import json
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import hubtl
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadData, Refused, Unreachable
from hubtl.registry.facts import read_facts
from hubtl.registry.ledger import Ledger
from hubtl.registry.past import Past, past_of, relevant
from hubtl.registry.places import change_setting, ledger
from hubtl.remembering import remember

from .indexing import index_of

TASK, BASE = "text-classification", "acme/tiny-encoder"


def reached(work, value=0.8, **more):
    told = {"base": BASE, "task": TASK, "metric": "accuracy", "baseline": 0.5, **more}
    return Past(work, value=value, **told)


def works(results):
    return [each.work for each in results]


def test_the_same_data_comes_first_then_the_domain_then_what_gained_the_most():
    results = [
        reached("other", 0.99, domain="news"),
        reached("near", 0.7, domain="legal"),
        reached("nearer", 0.9, domain="legal"),
        reached("same", 0.6, domain="news", fingerprint="f"),
        reached("alien", task="token-classification"),
        reached("untold", baseline=None),
    ]
    found = relevant(results, TASK, domain="legal", fingerprint="f")
    assert works(found) == ["same", "nearer", "near", "other", "untold"]
    assert works(relevant(results, TASK, base="none/such")) == []


def test_of_an_error_rate_less_is_a_gain_and_of_equals_the_newest_is_first():
    rates = [reached("worse", 0.4, metric="wer"), reached("better", 0.2, metric="wer")]
    assert works(relevant(rates)) == ["better", "worse"]
    days = [reached("old", date="2026-01-01"), reached("new", date="2026-05-01")]
    assert works(relevant(days)) == ["new", "old"]


def test_adapting_keeps_what_was_reached_and_nothing_of_the_data(adapted, moods):
    facts = read_facts(adapted)
    remember(facts, folder=adapted)
    (past,) = hubtl.past(TASK, fingerprint=facts.data["fingerprint"])
    assert past.as_json() == {
        "work": past.work,
        "base": BASE,
        "task": TASK,
        "metric": "accuracy",
        **facts.metrics["accuracy"],
        "baseline": facts.baselines[facts.gain["over"]]["accuracy"],
        "base_revision": facts.base_revision,
        "domain": "general",
        "fingerprint": facts.data["fingerprint"],
        "tested_on": facts.data["test_fingerprint"][:12],
        "test_rows": facts.rows["test"],
        "rows": facts.rows["train"],
        "classes": 2,
        "recipe": "probe",
        "seconds": facts.seconds,
        "date": facts.made_on,
        "folder": str(adapted.absolute()),
        "address": None,
        "gain": past.gain,
    }
    assert stat.S_IMODE(ledger().stat().st_mode) == 0o600
    assert (
        b"great" not in ledger().read_bytes() and str(moods).encode() not in ledger().read_bytes()
    )


def test_what_was_published_is_the_same_work_at_an_address(adapted):
    facts = read_facts(adapted)
    remember(facts, folder=adapted)
    copied = {"id": BASE, "revision": facts.base_revision}
    sent = dataclasses.replace(
        facts, base="team/copy", base_copied_from=copied, domain="legal", files=dict(facts.files)
    )
    sent.files["adapter_config.json"] = "another"
    remember(sent, folder=Path("elsewhere"), address="http://hub/acme/moods")
    remember(facts, folder=adapted)
    (past,) = hubtl.past()
    assert (past.base, past.where) == (BASE, "http://hub/acme/moods")
    assert past.folder == str(adapted.absolute())


def test_show_and_search_tell_what_was_reached_with_a_base(shelf, adapted, hubtl_cli):
    remember(read_facts(adapted), folder=adapted)
    said = hubtl_cli(f"show {BASE} --hub {shelf.name}")
    assert "What your team reached with this base:\nTASK " in said.out
    assert f"  {adapted.absolute()}\n" in said.out
    assert len(hubtl.family(hubtl.show(BASE, hub=shelf.name)).as_json()["past"]) == 1
    said = hubtl_cli(f"search tiny-encoder --hub {shelf.name}")
    assert f"1 of your results are with {BASE}: `hubtl show {BASE}`" in said.err
    assert hubtl_cli(f"search tiny-encoder --hub {shelf.name} --json").json["past"] == {BASE: 1}


def published(name, hub="http://hub.acme", **more):
    told = {"kind": "adapter", "tasks": (TASK,), "domains": ("legal",), "base": BASE, **more}
    return Entry(name, hub, tags=("hubtl",), metrics={"accuracy": 0.9}, **told)


def test_what_a_synced_team_published_counts_and_what_strangers_did_does_not(home):
    listed = [
        published("acme/clauses", intervals={"accuracy": (0.8, 0.95)}),
        published("any/body", "hf"),
        dataclasses.replace(published("acme/other"), tags=()),
        published("acme/untold", tasks=()),
    ]
    index_of(home / "index", listed).__exit__(None, None, None)
    (past,) = hubtl.past(TASK, domain="legal")
    assert (past.address, past.low, past.recipe) == ("http://hub.acme/acme/clauses", 0.8, None)
    change_setting("organisation", "any")
    assert [each.address for each in hubtl.past(TASK)] == ["https://huggingface.co/any/body"]


def test_a_shared_drive_tells_of_it_too(shelf, adapted):
    files = {path.name: path for path in adapted.iterdir() if path.is_file()}
    shelf.cache.add("acme/moods", files)
    change_setting("hub", shelf.name)
    assert [each.address for each in hubtl.past(base=BASE)] == [shelf.address("acme/moods")]


def test_several_write_at_once_and_each_is_kept(home):
    def note(number):
        Ledger(ledger()).note(reached(str(number)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(note, range(24)))
    assert sorted(map(int, works(Ledger(ledger()).all()))) == list(range(24))
    assert Ledger(ledger()).counts() == {BASE: 24}


WRITER = """
import itertools
from hubtl.registry.ledger import Ledger
from hubtl.registry.past import Past
from hubtl.registry.places import ledger
for number in itertools.count():
    Ledger(ledger()).note(Past(str(number), "a/b", "t", "accuracy", 0.5))
    print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_kept(home):
    with subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE) as writer:
        said = [int(writer.stdout.readline()) for _ in range(20)]
        writer.send_signal(signal.SIGKILL)
    assert len(Ledger(ledger()).all()) >= len(said)
    Ledger(ledger()).note(reached("after"))
    assert works(Ledger(ledger()).all())[-1] == "after"


def test_a_ledger_that_cant_be_used_is_told_and_stops_no_work(adapted, capsys):
    facts = read_facts(adapted)
    ledger().parent.mkdir(parents=True, exist_ok=True)
    ledger().write_text("no database, whatever it is called" * 100)
    with pytest.raises(Unreachable, match="can't be used: file is not a database"):
        hubtl.past()
    remember(facts, folder=adapted)
    assert capsys.readouterr().err.startswith("warning: this result is not kept for later: the pa")
    ledger().unlink()
    remember(facts, folder=adapted)
    import sqlite3

    with sqlite3.connect(ledger()) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(Refused, match="are of a newer hubtl"):
        hubtl.past()


def test_facts_that_are_damaged_are_no_result(adapted):
    facts = dataclasses.replace(read_facts(adapted), gain={})
    with pytest.raises(BadData, match=r"the results of `None` are damaged"):
        past_of(facts)
    assert json.dumps(past_of(read_facts(adapted)).as_json())
