"""A team hub: its store on disk, its database, its secret, and what it allows."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from prometheus_client import CollectorRegistry
from sqlalchemy import exists, select

from ..registry.errors import HubtlError, Refused, unwritable
from .bucket import Bucket
from .claims import database_of, mark_of, write_private
from .contents import FOLDER, Contents, Folder
from .database import Database
from .objects import Objects
from .schema import meta, objects
from .upstream import Upstream

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Policy:
    """What a hub allows; sizes in bytes, times in seconds."""

    anonymous: bool = True  # may look at what is public; writing always takes a token
    pickles: Literal["flag", "refuse"] = "flag"
    largest_regular: int = 10 * MB  # a file above this is kept apart, as Git LFS does
    largest_body: int = 4 * MB  # of a request that is read whole
    largest_commit: int = 512 * MB
    largest_file: int = 512 * GB
    requests_a_minute: int = 6000  # of one caller
    failures_a_minute: int = 60  # wrong tokens from one address
    finish: int = 10  # for running requests once the hub is told to stop
    retention: float | None = None  # age at which what nothing refers to goes; None: by hand
    slow_headers: float = 20.0  # for a request's headers to be in
    slow_body: float = 60.0  # without a byte either way
    token_seconds: int = 3600  # how long an upload's address is good for
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")  # that are believed who asks, and by what URL
    upstream_age: float = 300.0  # of what another hub said of a branch, until it is asked again
    webhook_hosts: tuple[str, ...] = ()  # that may be called though they are this machine's own


@dataclass(slots=True)
class TeamHub:
    """What every request works on."""

    folder: Path
    database: Database
    objects: Objects
    secret: bytes
    generation: str
    policy: Policy
    # What is to be told to the world once a change is in the database: (event, repository's id).
    told: list[Callable[[dict[str, Any]], None]] = field(default_factory=list)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    upstream: Upstream | None = None  # the hub that what is not here is fetched from

    @property
    def xorbs(self) -> Path:
        """The folder of what Xet clients send, for a day."""
        return self.folder / "xorbs"

    @property
    def audit_log(self) -> Path:
        """The file that says who changed what."""
        return self.folder / "audit.log"

    def announce(self, event: dict[str, Any]) -> None:
        """Tell all who listen of a change that is in the database."""
        for listener in self.told:
            listener(event)

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def open_hub(
    folder: Path,
    policy: Policy | None = None,
    database: str | None = None,
    bucket: str | None = None,
) -> TeamHub:
    """Return the hub whose store is a folder, made if it isn't there; raises Unwritable.

    Its contents may lie in a `bucket`, as s3://BUCKET/PREFIX, instead of the folder.
    """
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _close(folder)
        secret = _secret(folder / "secret")
        store = Objects(folder, Bucket(bucket, folder) if bucket else Folder(folder))
        (folder / "xorbs").mkdir(exist_ok=True)
    except OSError as error:
        if isinstance(error, HubtlError):
            raise
        raise unwritable(error, folder) from error
    kept = database_of(folder, database, secret)
    try:
        with kept.telling():
            _check_place(kept, store.contents, secret)
            return TeamHub(folder, kept, store, secret, _generation(kept), policy or Policy())
    except BaseException:
        kept.close()
        raise


def _close(folder: Path) -> None:
    """Let nobody else into a folder that was there before; what another owns is theirs to close."""
    if os.name != "nt" and folder.stat().st_uid == os.geteuid():
        folder.chmod(0o700)


def _secret(path: Path) -> bytes:
    """Return the hub's secret, made at first; only its owner may read it."""
    if not path.is_file():
        beside = path.with_name(f".secret.{os.getpid()}")
        write_private(beside, secrets.token_bytes(32))
        try:
            os.link(beside, path)  # two that start at once must end up with one secret
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return path.read_bytes()


def _check_place(database: Database, contents: Contents, secret: bytes) -> None:
    """Raise Refused where the contents of this database lie elsewhere; note it for a new one.

    So it does where the place is another hub's.
    """
    place = str(contents)
    with database.writing() as db:
        noted = db.execute(select(meta.c.value).where(meta.c.key == "contents")).scalar()
        found = noted
        if found is None:  # new, or made when there were folders only
            old = db.execute(select(exists().select_from(objects))).scalar_one()
            found = FOLDER if old else place
        if found != place:
            raise Refused(
                f"this hub keeps its contents in {found}, not in {place}",
                "--store DIR" if found == FOLDER else f"--store {found}",
            )
        contents.claim(mark_of(secret), known=noted is not None)
        if noted is None:
            db.execute(meta.insert(), {"key": "contents", "value": found})


def _generation(database: Database) -> str:
    """Return the name of this store, by which Xet clients know what it holds."""
    with database.writing() as db:
        found = db.execute(select(meta.c.value).where(meta.c.key == "generation")).scalar()
        if found is None:
            found = secrets.token_hex(8)
            db.execute(meta.insert(), {"key": "generation", "value": found})
    return str(found)
