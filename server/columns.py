"""What columns are made of, so that they mean the same in SQLite and in PostgreSQL.

Texts are put in order by their bytes, as SQLite does by itself, and have no length that the one
database would hold to and the other not; numbers have 64 bits.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Dialect, ForeignKey, Integer
from sqlalchemy import String as Varchar
from sqlalchemy import Text as AnyText
from sqlalchemy.types import TypeDecorator, TypeEngine


class ByBytes(TypeDecorator[str]):
    """A text in PostgreSQL, which has none with a zero in it; no name that is kept has one."""

    impl = AnyText
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(collation="C")

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return a text that can be asked for, and then is not found."""
        return value.replace("\0", "\ufffd") if value else value


# SQLite gives a number that is never given twice only to what is called INTEGER.
Number: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
Text: TypeEngine[str] = AnyText().with_variant(ByBytes(), "postgresql")


def String(length: int) -> TypeEngine[str]:  # noqa: N802  (a type, as SQLAlchemy's are called)
    """Return the type of texts that are no longer than this, which whoever writes them sees to."""
    return Varchar(length).with_variant(ByBytes(), "postgresql")


def number() -> Column[int]:
    """Return a key that is never given twice, not even after its row is gone."""
    return Column("id", Number, primary_key=True, autoincrement=True)


def of(table: str, name: str, **more: Any) -> Column[int]:
    """Return a column for what a row belongs to, and goes with."""
    return Column(name, Number, ForeignKey(f"{table}.id", ondelete="CASCADE"), **more)


def size(name: str) -> Column[int]:
    """Return a column for a number of bytes."""
    return Column(name, BigInteger, nullable=False)


def by(name: str) -> Column[int]:
    """Return a column for who did something, who may be gone since."""
    return Column(name, Number, ForeignKey("accounts.id", ondelete="SET NULL"), nullable=True)
