"""What SQLite and PostgreSQL say differently; all else is the same SQL to both.

                      SQLite                  PostgreSQL
one writer            BEGIN IMMEDIATE         a lock that the transaction holds
one state to read     BEGIN DEFERRED, a WAL   REPEATABLE READ, READ ONLY
a stamp of commits    PRAGMA data_version     pg_current_snapshot()
an end to waiting     busy_timeout            lock_timeout, statement_timeout
names by any part     FTS5's trigrams         pg_trgm, both in names.py
numbers given         sqlite_sequence         a sequence of each table
order of texts        by bytes                COLLATE "C", in columns.py
damage                PRAGMA integrity_check  PostgreSQL's own tools
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Protocol

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from ..registry.errors import BadOption, Refused, Unreachable

EXAMPLE = "--database postgresql://USER@HOST/NAME"
HELD = "held"  # of a connection: the database is held for writing from the first statement on
OLDEST = 13  # of PostgreSQL: a database's owner may have pg_trgm from then on
# Every hub that works on a database of PostgreSQL takes this lock before it changes anything.
WRITER = 0x68756274
LONG = 8  # letters of a password; in place of a shorter one, stars would tell where it stands
DISK_FULL = "53100"


class Dialect(Protocol):
    """How one kind of database is opened, read and held."""

    reading: ClassVar[Mapping[str, Any]]  # options of a connection that reads
    stamp: ClassVar[str]  # what gives another value after each commit
    stamped_by_connection: ClassVar[bool]  # only values that one connection gave can be compared

    def engine(self) -> Engine:
        """Return what connects to it; raises HubtlError where it can't be."""

    def refused(self, error: DBAPIError | PoolTimeout) -> Exception:
        """Return what to tell whoever opened it."""


class Sqlite:
    """A database in a file, used by any number of processes of one machine."""

    reading: ClassVar[Mapping[str, Any]] = {}
    stamp: ClassVar[str] = "PRAGMA data_version"
    stamped_by_connection: ClassVar[bool] = True

    def __init__(self, url: str) -> None:
        self._url = url

    def engine(self) -> Engine:
        """Return what connects to it."""
        made = _engine(self._url, max_overflow=56, pool_timeout=60)
        event.listen(made, "connect", self._prepare)
        event.listen(made, "begin", self._begin)
        return made

    def refused(self, error: DBAPIError | PoolTimeout) -> Exception:
        """Return what to tell whoever opened it."""
        return Refused(
            f"`{make_url(self._url).database}` can't be used as a database: {said_by(error)}",
            "is --store the folder of a team hub? `hubtl hub restore` takes a backup back",
        )

    @staticmethod
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # begin is ours to say
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # an acknowledged commit outlives the power, too
            "foreign_keys=ON",
            "busy_timeout=30000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @staticmethod
    def _begin(db: Connection) -> None:
        kind = "IMMEDIATE" if db.get_execution_options().get(HELD) else "DEFERRED"
        db.exec_driver_sql(f"BEGIN {kind}")


class Postgresql:
    """A database of a server, used by any number of processes."""

    reading: ClassVar[Mapping[str, Any]] = {
        "isolation_level": "REPEATABLE READ",
        "postgresql_readonly": True,
    }
    stamp: ClassVar[str] = "SELECT pg_current_snapshot()::text"
    stamped_by_connection: ClassVar[bool] = False

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)

    def engine(self) -> Engine:
        """Return what connects to it; raises Unreachable without psycopg."""
        try:
            made = _engine(
                self._url,
                max_overflow=8,  # a server has 100 connections for all unless told otherwise
                pool_timeout=30,
                pool_pre_ping=True,  # it may have been started anew since
                isolation_level="READ COMMITTED",
                connect_args={"connect_timeout": 10, "application_name": "hubtl"},
            )
        except ImportError as error:
            raise Unreachable(
                "PostgreSQL needs psycopg, which is not installed",
                "pip install 'hubtl[postgres]'",
            ) from error
        except ArgumentError:
            raise _no_url() from None
        event.listen(made, "connect", self._prepare)
        event.listen(made, "begin", self._begin)
        return made

    def refused(self, error: DBAPIError | PoolTimeout) -> Exception:
        """Return what to tell whoever opened it; the password is no part of that."""
        said = said_by(error)
        if len(str(self._url.password or "")) >= LONG:
            said = said.replace(str(self._url.password), "***")
        place = f"the database `{self._url.database}`"
        if is_away(error):
            return Unreachable(f"{place} can't be reached: {said}", "does PostgreSQL run there?")
        hint = "the user must own the database: CREATE DATABASE team_hub OWNER team_hub"
        return Refused(f"{place} can't be used: {said}", hint)

    @staticmethod
    def _prepare(connection: Any, _: Any) -> None:
        if connection.info.server_version < OLDEST * 10000:
            connection.close()
            raise Refused(f"PostgreSQL is older than {OLDEST}", f"use {OLDEST} or newer")
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            connection.close()
            hint = "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
            raise Refused(f"the database keeps texts in {encoding}, not in UTF8", hint)
        with connection.cursor() as cursor:
            for setting in (
                "lock_timeout = '30s'",
                "statement_timeout = '60s'",
                # Who holds the database and is stopped in the middle lets go of it, too.
                "idle_in_transaction_session_timeout = '10min'",
            ):
                cursor.execute(f"SET {setting}")
        connection.commit()

    @staticmethod
    def _begin(db: Connection) -> None:
        if db.get_execution_options().get(HELD):
            db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER})")


def dialect_of(url: str) -> Dialect:
    """Return how the database at a URL is spoken to; raises BadOption for one that is not."""
    name = url.partition(":")[0]
    kind = name.partition("+")[0]
    if kind == "sqlite":
        return Sqlite(url)
    if kind in ("postgresql", "postgres"):
        return Postgresql(url)
    known = name if name.isalnum() and name != url else "URL"  # what else it is may be a secret
    raise BadOption(f"the database `{known}` is not one that hubtl speaks", EXAMPLE)


def _parsed(url: str) -> URL:
    try:
        made = make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise _no_url() from None
    if "@" in f"{made.host}{made.database}":  # what comes before it is a part of the password
        raise _no_url()
    return made


def _no_url() -> BadOption:
    """Return what to tell; SQLAlchemy's own words have parts of the URL, maybe of the password."""
    return BadOption(
        "what --database says is no URL of a database", f"{EXAMPLE}; in a password, %40 is an @"
    )


def _engine(url: str | URL, **options: Any) -> Engine:
    # A log shows no comment and no secret.
    return create_engine(url, poolclass=QueuePool, pool_size=8, hide_parameters=True, **options)


def insert_new(db: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows; those whose key is there already stay as they are."""
    listed = list(rows)
    if listed:
        dialect: Any = postgresql if is_postgresql(db) else sqlite
        db.execute(dialect.insert(table).on_conflict_do_nothing(), listed)


def is_postgresql(db: Connection) -> bool:
    """Return whether a connection leads to PostgreSQL."""
    return db.dialect.name == "postgresql"


def last_number(db: Connection, table: Table) -> int:
    """Return the last number that a row of a table was given, be that row gone; 0 for none."""
    if not is_postgresql(db):
        given = f"SELECT seq FROM sqlite_sequence WHERE name = '{table.name}'"
        return db.exec_driver_sql(given).scalar() or 0
    given = f"SELECT last_value, is_called FROM {table.name}_id_seq"
    last, is_called = db.exec_driver_sql(given).one()
    return int(last) if is_called else 0


def give_numbers_after(db: Connection, table: Table, last: int) -> None:
    """Let new rows of a table have numbers above this one."""
    if is_postgresql(db):
        given = f"{max(last, 1)}, {last > 0}"
        db.exec_driver_sql(f"SELECT setval('{table.name}_id_seq', {given})")
        return
    db.exec_driver_sql(f"DELETE FROM sqlite_sequence WHERE name = '{table.name}'")
    db.exec_driver_sql(f"INSERT INTO sqlite_sequence VALUES ('{table.name}', {last})")


def is_away(error: Exception) -> bool:
    """Return whether a server of a database did not answer, or not in time: it may do so again."""
    if isinstance(error, PoolTimeout):
        return True
    told = isinstance(error, OperationalError) and hasattr(error.orig, "sqlstate")
    return told or (isinstance(error, DBAPIError) and error.connection_invalidated)


def is_full(error: DatabaseError) -> bool:
    """Return whether a disk that a database is on takes no more."""
    return "full" in str(error.orig) or getattr(error.orig, "sqlstate", None) == DISK_FULL


def said_by(error: Exception) -> str:
    """Return what a database said of an error, in one line."""
    return " ".join(str(getattr(error, "orig", error)).split())


def damage(db: Connection) -> Iterator[str]:
    """Give what SQLite itself finds wrong: damaged pages, rows that lead nowhere.

    PostgreSQL lets no row lead nowhere, and has tools of its own for its pages.
    """
    if is_postgresql(db):
        return
    for (line,) in db.exec_driver_sql("PRAGMA integrity_check"):
        if line != "ok":
            yield line
    lost = Counter((row[0], row[2]) for row in db.exec_driver_sql("PRAGMA foreign_key_check"))
    for (table, parent), count in lost.items():
        yield f"{count} rows of {table} lead to rows of {parent} that are not there"
