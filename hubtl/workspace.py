"""The folder a job writes: checked before it starts, whole when it ends, gone when it fails."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .registry.errors import BadOption, HubtlError, Unwritable


def check_out(out: Path, option: str = "--out") -> None:
    """Raise unless a new folder can be made there: nothing is ever written over."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        holds = "another result" if (out / "hubtl.json").is_file() else "something else"
        raise BadOption(
            f"`{out}` holds {holds} already",
            f"choose another place: {option} {out}-2, or remove it first",
        )
    parent = _existing_above(out.parent)
    try:
        with tempfile.TemporaryFile(dir=parent) as probe:
            probe.write(b"x" * 4096)
            probe.flush()
    except OSError as error:
        raise _unwritable(out, error) from error


def _existing_above(folder: Path) -> Path:
    """Return the nearest folder above that exists."""
    absolute = folder.absolute()
    return next(each for each in (absolute, *absolute.parents) if each.is_dir())


@contextlib.contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give a folder beside `out`, renamed to it when all is well; else nothing is left."""
    made = [each for each in (out.parent, *out.parent.parents) if not each.exists()]
    out.parent.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield room
        if out.is_dir():
            out.rmdir()
        room.chmod(0o755)
        room.rename(out)
    except BaseException:
        shutil.rmtree(room, ignore_errors=True)
        for each in made:
            with contextlib.suppress(OSError):
                each.rmdir()
        raise


@contextlib.contextmanager
def disk_told(out: Path) -> Iterator[None]:
    """Turn a full or unwritable disk into an error that a user can act on."""
    try:
        yield
    except HubtlError:
        raise
    except OSError as error:
        raise _unwritable(out, error) from error
    except Exception as error:
        # safetensors tells a failed write by an exception of its own, in the system's words.
        if "I/O error" not in str(error):
            raise
        raise Unwritable(
            f"`{out}` can't be written: {error}", "free some space, or --out"
        ) from error


def _unwritable(out: Path, error: OSError) -> HubtlError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unwritable(
            f"the disk is full: `{out}` can't be written", "free some space, or --out"
        )
    if error.errno == errno.EFBIG:
        return Unwritable(f"`{out}` may not hold files this large", "raise the limit: ulimit -f")
    where = os.fsdecode(error.filename) if error.filename else out
    why = error.strerror or error
    return Unwritable(f"`{where}` can't be written: {why}", "choose another place: --out")
