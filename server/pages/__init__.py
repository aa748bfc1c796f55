"""Pages for people, one file a subject: no script, no build, nothing from any network."""

from __future__ import annotations

from . import accounts, assets, files, home, lists, repository, signing_in, versions

ALL = [
    route
    for module in (assets, signing_in, home, lists, files, versions, repository, accounts)
    for route in module.routes.listed
]
