"""Turn what went wrong into words, in this one place."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any

from typer.core import TyperGroup

from hubtl.registry.errors import HubtlError, unwritable


class HubtlGroup(TyperGroup):
    """The commands; a HubtlError ends as `error: …`, `hint: …` and exit 1, Ctrl-C as 130."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except HubtlError as error:
            told(error)
        except KeyboardInterrupt as stop:
            sys.stderr.write(f"\nstopped; {str(stop) or 'nothing was left behind'}\n")
            raise SystemExit(130) from None
        except OSError as error:
            if error.errno == errno.EPIPE or os.environ.get("HUBTL_DEBUG"):
                raise
            told(unwritable(error))


def told(error: HubtlError) -> None:
    """Print an error and its hint, and leave with exit 1; HUBTL_DEBUG=1 shows the traceback."""
    if os.environ.get("HUBTL_DEBUG"):
        raise error
    hint = f"\nhint: {error.hint}\n" if error.hint else ""
    sys.stderr.write(f"error: {error.message}\n{hint}")
    raise SystemExit(1)
