"""hubtl makes transfer learning a team habit: find, adapt, prove, publish.

>>> import hubtl
>>> found = hubtl.search("sentence encoder", task="text-classification", language="en")
>>> found.entries[0].id
'sentence-transformers/all-MiniLM-L6-v2'
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import (
        adapt,
        check,
        evaluate,
        export,
        family,
        past,
        plan,
        predict,
        publish,
        pull,
        report,
        search,
        show,
        sync,
        verify,
    )
    from .plugins.hookspecs import hookimpl
    from .ranked import Ranked, Ranking
    from .ranking import rank
    from .recipe_ranking import rank_recipes
    from .registry.card import Section
    from .registry.entry import Entry, Query
    from .registry.errors import HubtlError
    from .registry.past import Past
    from .registry.recipe import Recipe
    from .results import (
        Adapted,
        Checked,
        Evaluation,
        Exported,
        Family,
        Finding,
        Plan,
        Prediction,
        Published,
        Synced,
    )
    from .worth import Tried, Worth

__all__ = [
    "Adapted",
    "Checked",
    "Entry",
    "Evaluation",
    "Exported",
    "Family",
    "Finding",
    "HubtlError",
    "Past",
    "Plan",
    "Prediction",
    "Published",
    "Query",
    "Ranked",
    "Ranking",
    "Recipe",
    "Section",
    "Synced",
    "Tried",
    "Worth",
    "adapt",
    "check",
    "evaluate",
    "export",
    "family",
    "hookimpl",
    "past",
    "plan",
    "predict",
    "publish",
    "pull",
    "rank",
    "rank_recipes",
    "report",
    "search",
    "show",
    "sync",
    "verify",
]

# Where each name lives. They are imported when they are asked for, so that `hubtl --help`, which
# asks for none, does not wait for them.
_HOMES = {
    **dict.fromkeys(
        (
            "Adapted",
            "Checked",
            "Evaluation",
            "Exported",
            "Family",
            "Finding",
            "Plan",
            "Prediction",
            "Published",
            "Synced",
        ),
        ".results",
    ),
    **dict.fromkeys(("Entry", "Query"), ".registry.entry"),
    "HubtlError": ".registry.errors",
    "Past": ".registry.past",
    **dict.fromkeys(("Ranked", "Ranking"), ".ranked"),
    **dict.fromkeys(("Tried", "Worth"), ".worth"),
    "rank": ".ranking",
    "rank_recipes": ".recipe_ranking",
    "Recipe": ".registry.recipe",
    "Section": ".registry.card",
    "hookimpl": ".plugins.hookspecs",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module `hubtl` has no `{name}`")
    return getattr(import_module(_HOMES.get(name, ".api"), __name__), name)


def __dir__() -> list[str]:
    return __all__
