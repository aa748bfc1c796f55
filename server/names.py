"""Names of repositories, found by any part of them however many there are.

SQLite has an index of all three letters that stand side by side (FTS5's trigrams), and keeps it up
by itself, whoever writes: https://www.sqlite.org/fts5.html#the_trigram_tokenizer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, column, false, select, table

from .schema import repos

SHORTEST = 3  # letters of a part that the index knows
LETTERS = re.compile(r"[a-z0-9_./-]+")  # of which all names are
NAME = "substr({0}.folded, instr({0}.folded, '/') + 1)"  # without the kind
MADE = (
    "CREATE VIRTUAL TABLE repo_names USING fts5(name, tokenize='trigram')",
    f"INSERT INTO repo_names (rowid, name) SELECT id, {NAME.format('repos')} FROM repos",
    "CREATE TRIGGER repo_named AFTER INSERT ON repos BEGIN "
    f"INSERT INTO repo_names (rowid, name) VALUES (new.id, {NAME.format('new')}); END",
    "CREATE TRIGGER repo_renamed AFTER UPDATE OF folded ON repos BEGIN "
    f"UPDATE repo_names SET name = {NAME.format('new')} WHERE rowid = new.id; END",
    "CREATE TRIGGER repo_unnamed AFTER DELETE ON repos BEGIN "
    "DELETE FROM repo_names WHERE rowid = old.id; END",
)
INDEX = table("repo_names", column("rowid"), column("name"))


def make_index(db: Connection) -> None:
    """Make the index of names, of all that are there, in a database that has none."""
    known = "SELECT 1 FROM sqlite_master WHERE name = 'repo_names'"
    if db.exec_driver_sql(known).first() is None:
        for statement in MADE:
            db.exec_driver_sql(statement)


def named(kind: str, words: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that OWNER/NAME has all these words in it; they are without case."""
    if not all(LETTERS.fullmatch(word) for word in words):
        return false()
    long = " AND ".join(f'"{word}"' for word in words if len(word) >= SHORTEST)
    found = select(INDEX.c.rowid).where(INDEX.c.name.op("MATCH")(long))
    short = [word for word in words if len(word) < SHORTEST]
    # Too short for the index: the names themselves are read, behind the kind that stands first.
    behind = [repos.c.folded.like(f"{kind}/%{_escaped(word)}%", escape="\\") for word in short]
    there = [repos.c.id.in_(found)] if long else []
    return repos.c.id.in_(select(repos.c.id).where(*there, *behind)) if short else there[0]


def _escaped(word: str) -> str:
    return word.replace("_", "\\_")
