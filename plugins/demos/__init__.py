"""Demos on data that ships with hubtl: one file a modality."""

from ...registry.catalog import CATALOG

EXAMPLES = CATALOG.parent / "examples"
