"""How a network is adapted: one file a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What every method that trains layers can be told; a method adds its own and may set others.
TRAINING: Mapping[str, Any] = {
    "rows": 16,
    "patience": 2,
    "folds": 5,
    "layer_decay": 1.0,
    "head_rate": 1.0,
}
