"""Contents in a bucket of whatever speaks S3: Amazon's own, MinIO, Ceph, R2, rclone.

    s3://BUCKET/PREFIX    the objects BUCKET/PREFIX/ab/cd/abcd…, a content each, and
                          BUCKET/PREFIX/hub, which says whose they are
    trash/                in the hub's folder: empty files named as what is being removed

Where the service is and who asks it is told as boto3's documentation says, by the environment or
~/.aws: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..registry.errors import BadOption, Refused, Unreachable
from .contents import Readable, Received, checked

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

PIECE = 16 << 20  # of a large file that is sent in parts; S3 takes at most 10,000 of them
LARGEST_PIECES = 10_000
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
BUSY = ("RequestTimeout", "OperationAborted", "SlowDown", "Throttling", "ThrottlingException")
OWNER = "hub"
AT_ONCE, PIECES_AT_ONCE = 16, 4  # files on their way, and pieces of one
MISSING = ("404", "NoSuchKey", "NotFound")
ASKED = "AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY say which S3, and who asks it"


class Bucket:
    """Contents in a bucket. Raises Unreachable where that does not answer."""

    def __init__(self, url: str, root: Path) -> None:
        parts = urlsplit(url)
        if parts.scheme != "s3" or not BUCKET.fullmatch(parts.netloc) or "?" in url or "#" in url:
            raise BadOption("--store is no bucket", "--store s3://BUCKET or s3://BUCKET/PREFIX")
        self.bucket, self.prefix = parts.netloc, parts.path.strip("/")
        self.trash = root / "trash"
        self.trash.mkdir(parents=True, exist_ok=True)
        self._s3 = _client()
        self._check()

    def __str__(self) -> str:
        """Return the bucket's address."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def _check(self) -> None:
        """Raise HubtlError where there is no such bucket, or it is not ours to use."""
        with self.answering():
            self._s3.list_objects_v2(Bucket=self.bucket, Prefix=self._key(""), MaxKeys=1)

    def _key(self, sha256: str) -> str:
        return self._below(f"{sha256[:2]}/{sha256[2:4]}/{checked(sha256)}" if sha256 else "")

    def _below(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def claim(self, mark: str, known: bool) -> None:
        """Note whose contents these are; raises Refused where they are another hub's."""
        whose = self._claimed()
        if whose is None and known:
            raise Refused(
                f"`{self}` has nothing of this hub, whose contents were there",
                "does AWS_ENDPOINT_URL name the same S3 as before?",
            )
        if whose is None:  # read again, since another may do the same just now
            at = {"Bucket": self.bucket, "Key": self._below(OWNER)}
            with self.answering():
                self._s3.put_object(**at, Body=mark.encode())
            whose = self._claimed()
        if whose != mark:
            raise Refused(
                f"the bucket `{self}` is another hub's",
                "give each hub a PREFIX of its own: --store s3://BUCKET/PREFIX",
            )

    def _claimed(self) -> str | None:
        """Return the mark of the hub whose contents these are, None where nobody's are."""
        try:
            with self.answering():
                found = self._s3.get_object(Bucket=self.bucket, Key=self._below(OWNER))
        except FileNotFoundError:
            return None
        with contextlib.closing(found["Body"]) as body:
            return Answering(self, body).read().decode("utf-8", "replace")

    def local(self, sha256: str) -> Path | None:
        """Return None: contents lie elsewhere."""
        return None

    def size(self, sha256: str) -> int:
        """Return how many bytes a content has there."""
        with self.answering():
            found = self._s3.head_object(Bucket=self.bucket, Key=self._key(sha256))
        return int(found["ContentLength"])

    def has(self, sha256: str) -> bool:
        """Return whether a content is there."""
        try:
            return self.size(sha256) >= 0
        except FileNotFoundError:
            return False

    @contextlib.contextmanager
    def open(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[Readable]:
        """Give a content from byte `start` to before `end`, as it comes."""
        if end is not None and end <= start:  # S3 knows no range of nothing
            self.size(sha256)
            yield io.BytesIO()
            return
        range_ = {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        asked = range_ if start or end is not None else {}
        with self.answering():
            try:
                found = self._s3.get_object(Bucket=self.bucket, Key=self._key(sha256), **asked)
            except self._s3.exceptions.ClientError as error:
                if start or _code(error) != "InvalidRange":
                    raise
                # No range is one of an empty content.
                found = self._s3.get_object(Bucket=self.bucket, Key=self._key(sha256))
        with contextlib.closing(found["Body"]) as body:
            yield Answering(self, body)

    def carry(self, received: Iterable[Received]) -> None:
        """Send the files that are not there yet, many at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._send, received))

    def _send(self, received: Received) -> None:
        """Send a file unless it is there; what is there has this sha256, too."""
        with contextlib.suppress(FileNotFoundError):
            if self.size(received.sha256) == received.size:
                return
        from boto3.s3.transfer import TransferConfig, create_transfer_manager

        piece = max(PIECE, -(-received.size // LARGEST_PIECES))
        parts = TransferConfig(
            multipart_threshold=2 * piece, multipart_chunksize=piece, max_concurrency=PIECES_AT_ONCE
        )
        # By its path: of a file that is open, each piece is read into memory first.
        with self.answering(), create_transfer_manager(self._s3, parts) as sending:
            key = self._key(received.sha256)
            sending.upload(str(received.path), self.bucket, key).result()

    def place(self, received: Iterable[Received]) -> None:
        """Have files there that were carried; one that was removed meanwhile is sent again."""
        listed = list(received)
        self.carry(listed)
        for each in listed:
            each.path.unlink(missing_ok=True)

    def older(self, than: float) -> Iterator[tuple[str, int]]:
        """Give names and sizes of what has lain there since before that time."""
        listed = self._s3.get_paginator("list_objects_v2")
        with self.answering():
            for page in listed.paginate(Bucket=self.bucket, Prefix=self._key("")):
                for each in page.get("Contents", ()):
                    name = each["Key"].rpartition("/")[2]
                    mine = len(name) == 64 and each["Key"] == self._key(name)
                    if mine and each["LastModified"].timestamp() < than:
                        yield name, each["Size"]

    def put_aside(self, sha256: str) -> None:
        """Note that a content is to go; it is there until `settle`."""
        (self.trash / sha256).touch()

    def aside(self) -> Iterator[str]:
        """Give what is to go."""
        return (path.name for path in sorted(self.trash.iterdir()))

    def settle(self, sha256: str, wanted: bool) -> None:
        """Remove a content, unless it is wanted."""
        if not wanted:
            with self.answering():
                self._s3.delete_object(Bucket=self.bucket, Key=self._key(sha256))
        (self.trash / sha256).unlink(missing_ok=True)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Raise FileNotFoundError for what is missing, and HubtlError for what else went wrong."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = _code(error)
            if code in MISSING:
                raise FileNotFoundError(f"{self} has no such content") from error
            if code == "NoSuchBucket":
                told = f"there is no bucket `{self.bucket}`"
                raise Refused(told, "make it first; AWS_ENDPOINT_URL says where") from error
            status = error.response["ResponseMetadata"].get("HTTPStatusCode", 500)
            if status < 500 and status != 429 and code not in BUSY:
                raise Refused(f"`{self}` can't be used: {code}", ASKED) from error
            raise Unreachable(f"`{self}` fails: {code}", "try again in a while") from error
        except (BotoCoreError, Boto3Error) as error:
            told = str(error).partition("\n")[0]
            raise Unreachable(f"`{self}` does not answer: {told}", ASKED) from error


class Answering:
    """A body as it comes; what breaks it off is told as every other silence of the bucket."""

    def __init__(self, bucket: Bucket, body: Readable) -> None:
        self._bucket, self._body = bucket, body

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, as many as asked for unless it ends before."""
        with self._bucket.answering():
            return self._body.read(size) if size >= 0 else self._body.read()


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _client() -> Any:
    """Return a client of the S3 that the environment names."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ModuleNotFoundError as error:
        raise Unreachable(
            f"a store in a bucket needs the package `{error.name}`, which is not installed",
            "pip install 'hubtl[s3]'",
        ) from error
    settings = Config(
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=64,
        retries={"mode": "standard", "total_max_attempts": 3},
        # Most services that speak S3 don't know its newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        return boto3.session.Session().client("s3", config=settings)
    except (ValueError, BotoCoreError) as error:
        told = str(error).partition("\n")[0]
        raise BadOption(f"no S3 can be asked for a bucket: {told}", ASKED) from error
