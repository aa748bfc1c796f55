"""The folder a job writes: checked before it starts, whole when it ends, gone when it fails."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .registry.errors import BadOption, HubtlError, Unwritable, unwritable
from .registry.rooms import new_room


def check_out(out: Path, option: str = "--out", *, mark: str = "") -> None:
    """Raise unless a new folder can be made there: nothing is ever written over.

    But for what the same command made, which a file called `mark` tells.
    """
    if out.absolute() == Path.cwd() or out.name in ("", "..", "."):
        raise BadOption(f"`{out}` is no new folder", f"choose a name: {option} NAME")
    free = out.is_dir() and (not any(out.iterdir()) or bool(mark and (out / mark).is_file()))
    if out.exists() and not free:
        holds = "another result" if (out / "hubtl.json").is_file() else "something else"
        raise BadOption(
            f"`{out}` holds {holds} already",
            f"choose another place: {option} {out}-2, or remove it first",
        )
    check_room(out)


def check_room(out: Path) -> None:
    """Raise Unwritable unless something can be written where `out` will be."""
    try:
        with tempfile.TemporaryFile(dir=_existing_above(out.parent)) as probe:
            probe.write(b"x" * 4096)
            probe.flush()
    except OSError as error:
        raise unwritable(error, out) from error


def _existing_above(folder: Path) -> Path:
    """Return the nearest folder above that exists."""
    absolute = folder.absolute()
    return next(each for each in (absolute, *absolute.parents) if each.is_dir())


@contextlib.contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give a folder beside `out`, renamed to it when all is well; else nothing is left.

    What check_out found there, if anything, is replaced.
    """
    made = [each for each in (out.parent, *out.parent.parents) if not each.exists()]
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with new_room(out.parent, f".{out.name}-") as room:
            yield room
            room.chmod(0o755)
            if out.is_dir() and any(out.iterdir()):
                with new_room(out.parent, f".{out.name}-") as old:
                    out.rename(old / "before")
                    room.rename(out)
                return
            if out.is_dir():
                out.rmdir()
            room.rename(out)
    except BaseException:
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
        # The folder it is written in has a name of its own, which says nothing to a user.
        named = os.fsdecode(getattr(error, "filename2", None) or error.filename or out)
        ours = Path(named).absolute().is_relative_to(out.absolute().parent)
        raise unwritable(error, out if ours else None) from error
    except Exception as error:
        # safetensors tells a failed write by an exception of its own, in the system's words.
        if "I/O error" not in str(error):
            raise
        raise Unwritable(
            f"`{out}` can't be written: {error}", "free some space, or --out"
        ) from error
