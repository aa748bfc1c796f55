"""The files of an adapted model: its config with labels, its weights, what prepares inputs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...registry.entry import Entry
from ..export import HERE

ADAPTER = ("adapter_config.json", "adapter_model.safetensors")


def identity(base: Entry, upon: Entry | None) -> str:
    """Return a text that names a base, and the adapter whose changes were put into it, if any."""
    named = f"{base.id}@{base.revision}"
    return f"{named} upon {upon.id}@{upon.revision}" if upon else named


def read_json(path: Path) -> Any:
    """Return a JSON file's content, an empty dict where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_json(path: Path, value: object) -> None:
    """Write a JSON file as transformers does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def from_hub(address: str) -> dict[str, str]:
    """Return the two lines of a card's code that bring a model's folder from a hub, if from one."""
    if address == HERE:
        return {"hub": "", "fetched": "adapter"}
    line = "from huggingface_hub import snapshot_download\n"
    return {"hub": line, "fetched": "snapshot_download(adapter)"}


def copy_those(names: Sequence[str], base: Path, folder: Path) -> None:
    """Copy files of the base, byte for byte: saving them anew would add local paths to them."""
    for name in names:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)


def write_config(base: Path, folder: Path, labels: Sequence[str], **changes: object) -> None:
    """Write the base's config with the labels in it."""
    config: Mapping[str, Any] = read_json(base / "config.json")
    kept = {key: value for key, value in config.items() if not key.startswith("_")}
    names = {
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
    }
    write_json(folder / "config.json", {**kept, **names, **changes})


def save_whole(model: Any, folder: Path) -> None:
    """Write all weights of a model; its config is written by whoever knows the labels."""
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)


def save_adapter(body: Any, folder: Path, entry: Entry, new: Sequence[str] = ()) -> None:
    """Write the two PEFT files, pinned to the base's id and commit and to nothing local.

    `new` are the modules saved whole; PEFT adds names of its own to them, there or not.
    """
    config = body.peft_config["default"]
    config.base_model_name_or_path = entry.id
    config.revision = entry.revision
    config.inference_mode = True
    _empty_idle(body)
    # Unless told that embeddings stay as they are, PEFT asks the Hub for the base's vocabulary.
    body.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    written = read_json(folder / "adapter_config.json")
    written["modules_to_save"] = sorted(new) or None
    # PEFT keeps these as a set; sorted, the same training writes the same bytes.
    written["target_modules"] = sorted(written["target_modules"])
    write_json(folder / "adapter_config.json", written)
    (folder / "adapter_model.safetensors").chmod(0o644)


def _empty_idle(body: Any) -> None:
    """Set the first half of updates to zero where the second is: random, it would look learnt."""
    for module in body.modules():
        for name, up in getattr(module, "lora_B", {}).items():
            if not up.weight.any():
                module.lora_A[name].weight.data.zero_()
