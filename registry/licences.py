"""What a licence allows: commercial use, adapters, and what an adapter must carry on."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import Refused


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence of the catalogue's table, by the Hub's id for it."""

    id: str
    name: str
    commercial: bool | None
    derivatives: bool | None
    share_alike: bool | None
    notice: bool | None
    url: str


def check_chain(model: str, licence: str | None, known: Licence | None) -> None:
    """Raise Refused if an adapter of `model` can't be published under its licence."""
    if not licence:
        raise Refused(
            f"`{model}` has no licence, so nobody may be given what is made from it",
            "ask its owner for one, or adapt another base: `hubtl search --allows derivatives`",
        )
    if known and known.derivatives is False:
        raise Refused(
            f"{known.name} of `{model}` does not allow derived models to be shared",
            "adapt another base: `hubtl search --allows derivatives`",
        )
