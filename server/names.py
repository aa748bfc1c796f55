"""Names of repositories, found by any part of them however many there are.

SQLite has an index of all three letters that stand side by side (FTS5's trigrams), and keeps it up
by itself, whoever writes: https://www.sqlite.org/fts5.html#the_trigram_tokenizer. PostgreSQL has
one too, which LIKE uses: https://www.postgresql.org/docs/current/pgtrgm.html.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    column,
    false,
    func,
    literal_column,
    select,
    table,
)

from .columns import Text
from .dialects import is_postgresql
from .schema import repos

SHORTEST = 3  # letters of a part that the index knows
FEW = 1000  # names that are sooner put in order than found by going through all in order
LETTERS = re.compile(r"[a-z0-9_./-]+")  # of which all names are
NAME = "substr({0}.folded, instr({0}.folded, '/') + 1)"  # without the kind
IN_SQLITE = (
    "CREATE VIRTUAL TABLE repo_names USING fts5(name, tokenize='trigram')",
    f"INSERT INTO repo_names (rowid, name) SELECT id, {NAME.format('repos')} FROM repos",
    "CREATE TRIGGER repo_named AFTER INSERT ON repos BEGIN "
    f"INSERT INTO repo_names (rowid, name) VALUES (new.id, {NAME.format('new')}); END",
    "CREATE TRIGGER repo_renamed AFTER UPDATE OF folded ON repos BEGIN "
    f"UPDATE repo_names SET name = {NAME.format('new')} WHERE rowid = new.id; END",
    "CREATE TRIGGER repo_unnamed AFTER DELETE ON repos BEGIN "
    "DELETE FROM repo_names WHERE rowid = old.id; END",
)
BEHIND = "substr(repos.folded, strpos(repos.folded, '/') + 1)"  # the same, for PostgreSQL
IN_POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"CREATE INDEX IF NOT EXISTS repo_names ON repos USING gin ({BEHIND} gin_trgm_ops)",
)
INDEX = table("repo_names", column("rowid"), column("name"))


def make_index(db: Connection) -> None:
    """Make the index of names, of all that are there, in a database that has none."""
    missing: Sequence[str] = IN_POSTGRESQL
    if not is_postgresql(db):
        known = "SELECT 1 FROM sqlite_master WHERE name = 'repo_names'"
        missing = () if db.exec_driver_sql(known).first() else IN_SQLITE
    for statement in missing:
        db.exec_driver_sql(statement)


def named(db: Connection, kind: str, words: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that OWNER/NAME has all these words in it; they are without case."""
    if not all(LETTERS.fullmatch(word) for word in words):
        return false()
    if is_postgresql(db):
        name = literal_column(BEHIND, Text)
        return and_(*(name.like(f"%{_escaped(word)}%", escape="\\") for word in words))
    # Too short for the index: the names themselves are read, behind the kind that stands first.
    short = [word for word in words if len(word) < SHORTEST]
    behind = [repos.c.folded.like(f"{kind}/%{_escaped(word)}%", escape="\\") for word in short]
    if len(short) == len(words):
        return repos.c.id.in_(select(repos.c.id).where(*behind))
    return and_(repos.c.id.in_(_matching(words)), *behind)


def is_rare(db: Connection, words: Sequence[str]) -> bool:
    """Return whether so few names have these words that all of them are quickly put in order.

    PostgreSQL works that out by itself.
    """
    if is_postgresql(db):
        return False
    if not all(LETTERS.fullmatch(word) for word in words):
        return True
    if all(len(word) < SHORTEST for word in words):
        return False
    some = _matching(words).limit(FEW).subquery()
    return db.execute(select(func.count()).select_from(some)).scalar_one() < FEW


def _matching(words: Sequence[str]) -> Select[int]:
    text = " AND ".join(f'"{word}"' for word in words if len(word) >= SHORTEST)
    return select(INDEX.c.rowid).where(INDEX.c.name.op("MATCH")(text))


def _escaped(word: str) -> str:
    return word.replace("_", "\\_")
