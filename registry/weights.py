"""Which of a model's files are needed, and which must never be loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from .catalog import catalogue
from .comparing import read_results
from .domains import derived, stated
from .entry import Entry, File
from .errors import Refused
from .kinship import relation_of, told_by_tags
from .licences import licence_id
from .trust import PICKLES, SAFETENSORS, trust_told

WEIGHTS = SAFETENSORS
ADAPTER_CONFIG = "adapter_config.json"  # of PEFT, which names the base
NEEDED = (WEIGHTS, ".json", ".jinja", ".txt", ".model", ".md", "LICENSE", "NOTICE")
OTHER_FORMATS = ("onnx", "openvino", "coreml", "tf", "flax", "gguf")


def needed(paths: Iterable[str]) -> list[str]:
    """Return the files that loading from safetensors takes, of all that a model has."""
    return [
        path
        for path in paths
        if path.endswith(NEEDED)
        and PurePosixPath(path).parts[0] not in OTHER_FORMATS
        and not any(part.startswith(".") for part in PurePosixPath(path).parts)
    ]


def pickles(paths: Iterable[str]) -> list[str]:
    """Return the files that can run code when they are loaded."""
    return [path for path in paths if path.lower().endswith(PICKLES)]


def check_weights(model: str, files: Mapping[str, File] | Iterable[str]) -> None:
    """Raise Refused unless the weights come as safetensors."""
    paths = list(files)
    if any(path.endswith(WEIGHTS) for path in paths):
        return
    if pickles(paths):
        raise Refused(
            f"`{model}` has its weights only as a pickle (`{pickles(paths)[0]}`), "
            "which can run any code when it is loaded",
            "adapt a base with safetensors, or ask its owner to convert it: "
            "https://huggingface.co/spaces/safetensors/convert",
        )
    raise Refused(f"`{model}` has no weights that hubtl reads", "it needs a .safetensors file")


def is_adapter(files: Iterable[str]) -> bool:
    """Return whether the files are those of a PEFT adapter."""
    return ADAPTER_CONFIG in set(files)


def entry_from_metadata(
    model: str, hub: str, matter: Mapping[str, object], files: Mapping[str, File], revision: str
) -> Entry:
    """Return what a card's metadata and a list of files tell of a model.

    Its domains are those that the card states, else those that the rest tells.
    """
    tags = tuple(_texts(matter.get("tags")))
    parents = _texts(matter.get("base_model")) or list(told_by_tags(tags))
    base = next(iter(parents), None)
    # What hubtl made of all weights of a base is for its users the same kind of thing.
    ours = base is not None and "hubtl" in tags
    told = matter.get("base_model_relation")
    relation = relation_of(told, parents, tags, adapter=is_adapter(files))
    adapter = is_adapter(files) or ours or "adapter" in (told, relation)
    sizes = [file.size for path, file in files.items() if path.endswith(WEIGHTS)]
    task = matter.get("pipeline_tag")
    results = read_results(matter.get("model-index"))
    names = [f"base_model:{parent}" for parent in parents]
    domains = stated(tags) or derived(model, [*tags, *names], _texts(matter.get("datasets")))
    licence = next(iter(_texts(matter.get("license"))), "")
    return Entry(
        model,
        hub,
        "adapter" if adapter else "base",
        tasks=(str(task),) if task else (),
        domains=tuple(domains),
        languages=tuple(_texts(matter.get("language"))),
        licence=licence_id(licence, catalogue().licences) or None,
        size_bytes=sum(sizes) or None,
        revision=revision,
        base=base,
        relation=relation,
        upon=parents[1] if ours and len(parents) == 2 else None,
        metrics=results.metrics,
        intervals=results.intervals,
        tested_on=results.tested_on,
        test_rows=results.test_rows,
        tags=tags,
        trust=trust_told(tags, files),
        files=files,
    )


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(each) for each in value] if isinstance(value, list | tuple) else []
