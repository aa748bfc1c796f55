"""The files of a converted model, written so that the same content gives the same bytes.

transformers' own `save_pretrained` would put its version and its newest defaults into them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def write_json(path: Path, value: Mapping[str, Any], *, ordered: bool = True) -> None:
    """Write a mapping as JSON, its keys by name if `ordered`, else as they come."""
    text = json.dumps(value, indent=2, sort_keys=ordered, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def write_weights(path: Path, weights: Mapping[str, np.ndarray]) -> None:
    """Write weights as safetensors that torch's loaders take."""
    import numpy as np
    from safetensors.numpy import save_file

    # safetensors writes memory as it lies, also where an array is a transposed view of it.
    whole = {name: np.asarray(values, order="C") for name, values in weights.items()}
    save_file(whole, path, metadata={"format": "pt"})
    # safetensors makes it its owner's alone, and a folder of models may be a team's.
    path.chmod(0o644)
