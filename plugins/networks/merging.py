"""An adapter put into the weights of its base, to be built upon or to be one model with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mode
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...registry.errors import BadOption
from ..export import Saved
from . import files

if TYPE_CHECKING:
    from torch import Tensor, nn

ROUNDING = 2.0**-23  # of a number of 32 bits
PEFT_NAME = "base_model.model."
# By these a configuration narrows down which modules it means; here each is named in full.
NARROWING = ("layers_to_transform", "layers_pattern", "exclude_modules", "megatron_config")


def put_into(body: Any, folder: Path, entry: Entry, head: Sequence[str] = ()) -> Any:
    """Return the body with an adapter's changes in its weights, all frozen.

    The adapter's own head is left out: the modules in `head`, and what the body lacks altogether.
    Raises BadOption where the rest does not fit the body to the last tensor.
    """
    from peft import PeftConfig, get_peft_model, set_peft_model_state_dict
    from safetensors.torch import load_file

    try:
        config = PeftConfig.from_pretrained(str(folder))
        tensors = _aligned(load_file(folder / files.ADAPTER[1]), body, head)
        mark = _name_modules(config, tensors, body)
        model = get_peft_model(body, config)
        loaded: Any = set_peft_model_state_dict(
            model, {PEFT_NAME + name: tensor for name, tensor in tensors.items()}
        )
        lacking = [name for name in loaded.missing_keys if mark in name]
        for name in (*loaded.unexpected_keys, *lacking):
            raise KeyError(name)
        return as_plain(model, safe_merge=True).requires_grad_(False)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise BadOption(
            f"`{entry.id}` can't be put into its base: {type(error).__name__}: {why}",
            "adapt the base itself, or another adapter of it",
        ) from error


def as_plain(model: Any, *, safe_merge: bool = False) -> Any:
    """Return a PEFT model as a plain one, with all that was trained in its weights."""
    from peft.utils.other import AuxiliaryTrainingWrapper

    merged = model.merge_and_unload(safe_merge=safe_merge)
    # Not every PEFT method takes modules that are saved whole out of their wrappers.
    for name, module in list(merged.named_modules()):
        if isinstance(module, AuxiliaryTrainingWrapper):
            inner = module.unload_and_optionally_merge_module(True, safe_merge, None)
            merged.set_submodule(name, inner)
    return merged


def write_whole(saved: Saved, out: Path, load: Callable[[Path], Any], part: str = "") -> None:
    """Write a saved adapter as a whole model: its changes in the weights, its other files beside.

    `load` returns the model in a base's folder; `part` is the module of it that the adapter is of.
    """
    from peft import PeftModel

    if files.ADAPTER[0] in saved.files:
        model = load(saved.base)
        body = model.get_submodule(part)
        as_plain(PeftModel.from_pretrained(body, saved.folder), safe_merge=True)
        files.save_whole(model, out)
    # After the weights, whose writer would leave a configuration of its own.
    for path in saved.files:
        if path not in files.ADAPTER:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(saved.folder / path, out / path)


def save_as_one(
    original: Any,
    changed: Any,
    folder: Path,
    entry: Entry,
    task_type: str | None,
    new: Sequence[str] = (),
) -> bool:
    """Write one adapter that turns the original into what it was changed to.

    Linear maps whose difference has a low rank become LoRA, whatever else differs is saved whole,
    as are the modules in `new`. Returns False, with nothing written, where PEFT can't tell it.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import ModulesToSaveWrapper

    told = _difference(original, changed, new)
    if told is None:
        return False
    updates, whole = told
    ranks = {name: len(down) for name, (down, _) in updates.items()}
    common = mode(ranks.values())
    others = {name: rank for name, rank in ranks.items() if rank != common}
    config = LoraConfig(
        r=common,
        lora_alpha=common,
        target_modules=list(updates),
        rank_pattern=others,
        alpha_pattern=dict(others),
        modules_to_save=list(whole) or None,  # PEFT adds names to its list
        task_type=task_type,
    )
    model: Any = get_peft_model(original, config)
    modules = dict(model.base_model.model.named_modules())
    wrapped = {name for name, each in modules.items() if isinstance(each, ModulesToSaveWrapper)}
    # PEFT takes names by their ends: another module of such an end would be changed with it.
    if {name for name, each in modules.items() if isinstance(each, BaseTunerLayer)} != set(updates):
        return False
    with torch.no_grad():
        for name, (down, up) in updates.items():
            modules[name].lora_A["default"].weight.copy_(down)
            modules[name].lora_B["default"].weight.copy_(up)
    for name in wrapped:
        state = changed.get_submodule(name).state_dict()
        modules[name].modules_to_save["default"].load_state_dict(state)
    files.save_adapter(model, folder, entry, whole)
    return True


def _aligned(tensors: Mapping[str, Tensor], body: Any, head: Sequence[str]) -> dict[str, Tensor]:
    """Return an adapter's tensors by the body's own names, without those of a head.

    A model with a head keeps its body under a name of its own, such as `bert`, and an adapter may
    have been made with a head or without, whichever the body now has.
    """
    prefix = f"{body.base_model_prefix}."
    bare = not hasattr(body, body.base_model_prefix)
    names = {name.removeprefix(PEFT_NAME): tensor for name, tensor in tensors.items()}
    if not any(name.startswith(prefix) for name in names):
        return names if bare else {prefix + name: tensor for name, tensor in names.items()}
    found = {}
    for name, tensor in names.items():
        inside = name.startswith(prefix)
        there = inside or (not bare and hasattr(body, name.partition(".")[0]))
        if there and not is_under(name, head):
            found[name.removeprefix(prefix) if bare else name] = tensor
    return found


def _name_modules(config: Any, tensors: Mapping[str, Tensor], body: Any) -> str:
    """Let a configuration name just the modules that there are tensors for, in full.

    Returns what marks the tensors of its method, such as `.lora_`.
    """
    from peft.mapping import PEFT_TYPE_TO_PREFIX_MAPPING

    mark = f".{PEFT_TYPE_TO_PREFIX_MAPPING[config.peft_type]}"
    own = {name.partition(mark)[0] for name in tensors if mark in name}
    rest = [name for name in tensors if mark not in name]
    saved = tuple(config.modules_to_save or ())
    prefix = f"{body.base_model_prefix}."
    ends = tuple(f".{name.removeprefix(prefix)}" for name in saved)
    config.target_modules = sorted(own)
    config.modules_to_save = [
        name
        for name, _ in body.named_modules()
        if f".{name}".endswith(ends) and any(is_under(each, [name]) for each in rest)
    ] or None
    config.task_type = None  # a task of its own would make PEFT look for a head
    for field in NARROWING:
        if hasattr(config, field):
            setattr(config, field, None)
    for field in ("rank_pattern", "alpha_pattern"):
        patterns = getattr(config, field, None) or {}
        if patterns:
            setattr(config, field, {n.removeprefix(prefix): x for n, x in patterns.items()})
    return mark


def _difference(
    original: nn.Module, changed: nn.Module, new: Sequence[str]
) -> tuple[dict[str, tuple[Tensor, Tensor]], list[str]] | None:
    """Return what differs: factors (down, up) by linear map, and modules to be saved whole.

    None where something differs that belongs to no module but the model, or no linear map is left
    that an adapter could be about.
    """
    import torch

    before = original.state_dict()
    after = {name: weight.cpu() for name, weight in changed.state_dict().items()}
    moved: dict[str, list[str]] = {}
    for name, weight in before.items():
        if not torch.equal(weight, after[name]):
            owner, _, field = name.rpartition(".")
            moved.setdefault(owner, []).append(field)
    whole = list(new)
    updates: dict[str, tuple[Tensor, Tensor]] = {}
    for owner in sorted(moved, key=lambda name: name.count(".")):  # a module before its parts
        if is_under(owner, whole):
            continue
        if not owner:
            return None
        linear = isinstance(original.get_submodule(owner), torch.nn.Linear)
        key = f"{owner}.weight"
        factors = (
            _factors(before[key], after[key]) if linear and moved[owner] == ["weight"] else None
        )
        if factors is None:
            whole.append(owner)
        elif len(factors[0]):
            updates[owner] = factors
    updates = updates or _carrier(original, whole)
    return (updates, sorted(whole)) if updates else None


def _factors(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return (down [rank, in], up [out, rank]) of a difference; None where that is no smaller.

    What is left out is no larger than what adding two updates of 32 bits had rounded.
    """
    import torch

    rows, columns = before.shape
    ups, sizes, downs = torch.linalg.svd(after.double() - before.double(), full_matrices=False)
    scale = float(before.double().square().mean().sqrt())
    rank = int((sizes > ROUNDING * scale * (rows**0.5 + columns**0.5)).sum())
    if rank * (rows + columns) >= rows * columns:
        return None
    roots = sizes[:rank].sqrt()
    return (roots[:, None] * downs[:rank]).float(), (ups[:, :rank] * roots).float()


def _carrier(model: nn.Module, whole: Sequence[str]) -> dict[str, tuple[Tensor, Tensor]]:
    """Return an update of the first linear map that is free, of rank 1 and zero; else nothing."""
    import torch

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and not is_under(name, whole):
            rows, columns = module.weight.shape
            return {name: (torch.zeros(1, columns), torch.zeros(rows, 1))}
    return {}


def is_under(name: str, modules: Sequence[str]) -> bool:
    """Return whether a name is that of one of these modules, or of a part of it."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)
