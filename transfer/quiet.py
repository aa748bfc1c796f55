"""Keep libraries from writing over the screen: their bars, load reports and deprecations."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence transformers' bars and reports, and warnings about other libraries' own code."""
    from transformers.utils import logging as shown

    level, bars = shown.get_verbosity(), shown.is_progress_bar_enabled()
    shown.set_verbosity(logging.ERROR)
    shown.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(transformers|peft|torch|sklearn)\.")
            yield
    finally:
        shown.set_verbosity(level)
        if bars:
            shown.enable_progress_bar()  # type: ignore[no-untyped-call]
