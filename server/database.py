"""The database of a team hub: reading, and writing that happens whole or not at all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, create_engine, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateIndex

from ..registry.errors import BadOption, Refused
from .names import make_index
from .schema import VERSION, meta, tables

IMMEDIATE = "immediate"
V = TypeVar("V")
MANY = 400  # variables in one statement; SQLite's oldest limit is 999


class Database:
    """One database; any number of threads and processes may use it at once."""

    def __init__(self, url: str) -> None:
        if not url.startswith("sqlite:"):
            raise BadOption(
                f"the database `{url.partition(':')[0]}` is not one that hubtl speaks",
                "leave --database out: the store keeps one of its own",
            )
        self.engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=56,
            pool_timeout=60,
            hide_parameters=True,  # a log shows no comment and no secret
        )
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)
        # SQLite has one writer at a time. Waiting here is in turn; waiting there is by lot.
        self._turn = threading.Lock()
        with self.writing() as db:
            tables.create_all(db)
            for index in (index for table in tables.sorted_tables for index in table.indexes):
                db.execute(CreateIndex(index, if_not_exists=True))  # newer than the store
            make_index(db)
            _check_version(db)
        self._looking = threading.Lock()
        self._looked_at = self.engine.connect()

    @classmethod
    def in_file(cls, path: Path) -> Database:
        """Return the SQLite database in a file, made if it isn't there."""
        try:
            return cls(f"sqlite:///{path}")
        except DatabaseError as error:
            raise Refused(
                f"`{path}` can't be used as a database: {error.orig}",
                "is --store the folder of a team hub? `hubtl hub restore` takes a backup back",
            ) from error

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database, whatever is written meanwhile."""
        with self.engine.connect() as db, db.begin():
            yield db

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all made at the end, or none where it raises."""
        with self._turn, self.engine.connect() as db:
            db = db.execution_options(**{IMMEDIATE: True})
            with db.begin():
                yield db

    def stamp(self) -> int:
        """Return a number that is another one after each commit, of any process."""
        with self._looking, self._looked_at.begin():
            found = self._looked_at.exec_driver_sql("PRAGMA data_version").scalar_one()
        return int(found)

    def close(self) -> None:
        """Close all connections."""
        self._looked_at.close()
        self.engine.dispose()


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # begin is ours to say
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # an acknowledged commit outlives the power, too
        "foreign_keys=ON",
        "busy_timeout=30000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(db: Connection) -> None:
    kind = "IMMEDIATE" if db.get_execution_options().get(IMMEDIATE) else "DEFERRED"
    db.exec_driver_sql(f"BEGIN {kind}")


def _check_version(db: Connection) -> None:
    found = db.execute(select(meta.c.value).where(meta.c.key == "version")).scalar()
    if found is None:
        db.execute(meta.insert(), {"key": "version", "value": str(VERSION)})
    elif found != str(VERSION):
        raise Refused(
            f"this store is of version {found}, and this hubtl reads version {VERSION}",
            "pip install --upgrade hubtl, or use the hubtl that made it",
        )


def insert_new(db: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows; those whose key is there already stay as they are."""
    listed = list(rows)
    if listed:
        dialect: Any = postgresql if db.dialect.name == "postgresql" else sqlite
        db.execute(dialect.insert(table).on_conflict_do_nothing(), listed)


def chunks(values: Iterable[V]) -> Iterator[Sequence[V]]:
    """Split many values into as many as one statement takes."""
    listed = list(values)
    for start in range(0, len(listed), MANY):
        yield listed[start : start + MANY]
