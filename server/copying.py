"""A database copied into another, of the same kind or not, as it is at one moment."""

from __future__ import annotations

from sqlalchemy import delete, select

from ..registry.errors import Refused
from .database import MANY, Database
from .dialects import give_numbers_after, last_number
from .schema import accounts, meta, tables


def copy(source: Database, target: Database) -> None:
    """Fill a new database with all that another has; both go on giving the same new numbers.

    A number that a row once had is not given again: cookies and signed addresses have some.
    Raises Refused where the target is some store's already, and then changes nothing.
    """
    with source.reading() as read, target.writing() as written:
        taken = select(meta.c.key).where(meta.c.key == "store")
        if written.execute(taken).first() or written.execute(select(accounts.c.id)).first():
            raise Refused("the database is some store's already", "createdb makes a new one")
        written.execute(delete(meta))
        for table in tables.sorted_tables:
            rows = read.execute(select(table), execution_options={"yield_per": MANY}).mappings()
            for some in rows.partitions():
                written.execute(table.insert(), [dict(row) for row in some])
            if "id" in table.c:
                give_numbers_after(written, table, last_number(read, table))
