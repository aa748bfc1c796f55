"""What a licence allows: commercial use, adapters, and what an adapter must carry on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .errors import Refused


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence of the catalogue's table, by the Hub's id; `notes` is what else it asks."""

    id: str
    name: str
    commercial: bool | None
    derivatives: bool | None
    share_alike: bool | None
    notice: bool | None
    url: str
    notes: str = ""

    @property
    def passes_on(self) -> bool:
        """Whether what is made from a model must have this very licence, or terms out of it."""
        return self.share_alike is not False or bool(self.notes)


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


def chain_licence(
    chain: Sequence[Mapping[str, str | None]], known: Mapping[str, Licence]
) -> str | None:
    """Return the licence of what is made from all models of a chain, its base last.

    That is the licence that asks the most, the base's where several ask the same. Raises Refused
    where one has none or allows no adapters, and where two don't go together: both must be kept by
    what is made, or nobody can tell.
    """
    for made in chain:
        check_chain(str(made["id"]), made["licence"], known.get(made["licence"] or ""))
    models = {str(made["licence"]): str(made["id"]) for made in chain}
    if len(models) < 2:
        return next(iter(models), None)
    table = [known.get(licence) for licence in reversed(models)]
    found = [licence for licence in table if licence is not None]
    found.sort(key=lambda each: (not each.passes_on, each.commercial is not False))
    first = found[0] if len(found) == len(models) else None
    if first is None or not all(first == each or _may_become(each, first) for each in found):
        told = " and ".join(f"{licence} of `{model}`" for licence, model in models.items())
        raise Refused(
            f"the licences {told} are not known to go together in one model",
            "adapt the base itself, or an adapter whose licence is that of its base",
        )
    return first.id


def _may_become(given: Licence, made: Licence) -> bool:
    """Return whether a part under one licence may be given on as a whole under another."""
    limited = given.commercial is not True and made.commercial is True
    return not given.passes_on and not limited
