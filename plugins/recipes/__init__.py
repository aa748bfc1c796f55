"""hubtl's own recipes: each a YAML file beside this one."""

from __future__ import annotations

from pathlib import Path

from ...registry.recipe import Recipe, read_recipe
from ..hookspecs import hookimpl


@hookimpl
def register_recipes() -> list[Recipe]:
    """Offer the recipes in this folder."""
    return [read_recipe(path) for path in sorted(Path(__file__).parent.glob("*.yaml"))]
