"""The Hub's API, one file a subject; the order is the order in which addresses are tried."""

from __future__ import annotations

from ..pages import ALL as PAGES
from . import (
    cas,
    collections,
    commits,
    discussions,
    files,
    gated,
    identity,
    information,
    lfs,
    likes,
    listing,
    operations,
    refs,
    repositories,
    webhooks,
)

ALL = [
    route
    for module in (
        operations,
        identity,
        webhooks,
        collections,
        repositories,
        listing,
        lfs,
        cas,
        files,
        refs,
        commits,
        discussions,
        gated,
        likes,
        information,
    )
    for route in module.routes.listed
]
ALL += PAGES  # after what clients ask for: an account may be called anything that is none of that
