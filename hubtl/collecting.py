"""The last step of publishing: the adapter among its organisation's others."""

from __future__ import annotations

import sys

from .plugins.hookspecs import Collecting, Destination
from .registry.errors import HubtlError


def collect(hub: Destination, model: str) -> None:
    """Have a hub that keeps collections put a published model into that of its domain.

    The model is published by now, so what stands in the way is a warning and no error.
    """
    if not isinstance(hub, Collecting):
        return
    try:
        hub.collect(model)
        return
    except HubtlError as error:
        why = error.message
    except Exception as error:  # a plugin's, or a server's answer that its client can't read
        why = f"{type(error).__name__}: {error}"
    print(
        f"warning: `{model}` is published, and could not be put into the collection of its domain: "
        f"{why}",
        file=sys.stderr,
    )
