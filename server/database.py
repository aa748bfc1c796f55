"""The database of a team hub: reading, and writing that happens whole or not at all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.schema import CreateIndex

from ..registry.errors import HubtlError, Refused
from .dialects import HELD, dialect_of
from .names import make_index
from .schema import VERSION, meta, tables

V = TypeVar("V")
MANY = 400  # variables in one statement; SQLite's oldest limit is 999


class Database:
    """One database; any number of threads and processes may use it at once.

    Raises HubtlError where it is none that can be used.
    """

    def __init__(self, url: str) -> None:
        self.dialect = dialect_of(url)
        self.engine = self.dialect.engine()
        # One writes at a time: which process, the database says; which of its threads, this does.
        self._turn = threading.Lock()
        try:
            with self.telling():
                self._make()
        except HubtlError:
            self.engine.dispose()
            raise
        self._looking = threading.Lock()
        self._looked_at = self.engine.connect() if self.dialect.stamped_by_connection else None

    def _make(self) -> None:
        """Make what is not there yet."""
        with self.writing() as db:
            tables.create_all(db)
            for index in (index for table in tables.sorted_tables for index in table.indexes):
                db.execute(CreateIndex(index, if_not_exists=True))  # newer than the store
            make_index(db)
            _check_version(db)

    @classmethod
    def in_file(cls, path: Path) -> Database:
        """Return the SQLite database in a file, made if it isn't there."""
        return cls(f"sqlite:///{path}")

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database, whatever is written meanwhile."""
        with self.engine.connect() as db:
            db = db.execution_options(**self.dialect.reading)
            with db.begin():
                yield db

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all made at the end, or none where it raises.

        Nobody else writes meanwhile, in this process or another: what is read stays so.
        """
        with self._turn, self.engine.connect() as db:
            db = db.execution_options(**{HELD: True})
            with db.begin():
                yield db

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Raise HubtlError for what the database says, to whoever asked by the command line."""
        try:
            yield
        except (DatabaseError, PoolTimeout) as error:
            raise self.dialect.refused(error) from error

    def stamp(self) -> str:
        """Return a text that is another one after each commit, of any process."""
        if self._looked_at is None:
            with self.reading() as db:
                return str(db.exec_driver_sql(self.dialect.stamp).scalar_one())
        with self._looking, self._looked_at.begin():
            return str(self._looked_at.exec_driver_sql(self.dialect.stamp).scalar_one())

    def close(self) -> None:
        """Close all connections."""
        if self._looked_at is not None:
            self._looked_at.close()
        self.engine.dispose()


def _check_version(db: Connection) -> None:
    found = db.execute(select(meta.c.value).where(meta.c.key == "version")).scalar()
    if found is None:
        db.execute(meta.insert(), {"key": "version", "value": str(VERSION)})
    elif found != str(VERSION):
        raise Refused(
            f"this store is of version {found}, and this hubtl reads version {VERSION}",
            "pip install --upgrade hubtl, or use the hubtl that made it",
        )


def chunks(values: Iterable[V]) -> Iterator[Sequence[V]]:
    """Split many values into as many as one statement takes."""
    listed = list(values)
    for start in range(0, len(listed), MANY):
        yield listed[start : start + MANY]
