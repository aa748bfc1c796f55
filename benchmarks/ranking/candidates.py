"""Which models are ranked, by modality."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .models import adapted, cut, mpnet, noised, shallow, smollm, untrained, whisper_base
from .sets import Data

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
ADAPTED_TO = {"text": 300, "vision": 96, "speech": 200}  # rows
ADAPTED_BY = 1000  # the seed that draws them


@dataclass(frozen=True, slots=True)
class Model:
    """A model to rank: its id in the hub, how it is made, and which data sets it has seen.

    `apart` ones count for nothing.
    """

    id: str
    write: Callable[[Path], None]
    seen: tuple[str, ...] = ()
    apart: bool = False


def models_of(
    modality: str, data: Mapping[str, Data], at: Callable[[str], Path], room: Path
) -> list[Model]:
    """Return the models of a modality, each after those it is made of; `at` knows their folders."""
    return list({"text": text, "vision": vision, "speech": speech}[modality](data, at, room))


def text(data: Mapping[str, Data], at: Callable[[str], Path], room: Path) -> Iterator[Model]:
    """Yield MiniLM, MPNet and SmolLM2, whole and cut, and MiniLM adapted to two sets."""
    minilm = starter(MINILM)
    yield Model("bench/minilm-6", minilm)
    for layers in (4, 2):
        made = later(at, "bench/minilm-6", cut, layers, "encoder.layer.", "num_hidden_layers")
        yield Model(f"bench/minilm-{layers}", made)
    yield Model("bench/mpnet-12", mpnet(room))
    for layers in (8, 4):
        made = later(at, "bench/mpnet-12", cut, layers, "encoder.layer.", "num_hidden_layers")
        yield Model(f"bench/mpnet-{layers}", made)
    yield Model("bench/smollm2-30", smollm(room))
    for layers in (20, 10):
        made = later(at, "bench/smollm2-30", cut, layers, "model.layers.", "num_hidden_layers")
        yield Model(f"bench/smollm2-{layers}", made)
    for seen in ("topics", "languages"):
        made = later(at, "bench/minilm-6", adapted, *examples(data[seen]))
        yield Model(f"bench/minilm-6-{seen}", made, seen=(seen,))
    yield Model("bench/minilm-6-random", later(at, "bench/minilm-6", untrained, ()), apart=True)
    yield Model("bench/minilm-6-noised", later(at, "bench/minilm-6", noised), apart=True)


def vision(data: Mapping[str, Data], at: Callable[[str], Path], room: Path) -> Iterator[Model]:
    """Yield three EfficientNets, whole and shallow, and the smallest adapted to two sets."""
    for size in range(3):
        yield Model(f"bench/lite{size}", starter(f"starter/efficientnet-lite{size}"))
    yield Model("bench/lite0-shallow", later(at, "bench/lite0", shallow, 2))
    yield Model("bench/lite2-shallow", later(at, "bench/lite2", shallow, 3))
    made = later(at, "bench/lite0", adapted, *examples(data["clipart"]))
    yield Model("bench/lite0-clipart", made, seen=("clipart",))
    some = [row.input for row in data["emoji"].rows[:128]]
    yield Model("bench/lite0-random", later(at, "bench/lite0", untrained, some), apart=True)
    yield Model("bench/lite0-noised", later(at, "bench/lite0", noised), apart=True)


def speech(data: Mapping[str, Data], at: Callable[[str], Path], room: Path) -> Iterator[Model]:
    """Yield Whisper tiny.en and base by their layers, and tiny.en adapted to two sets."""
    yield Model("bench/tiny-4", starter("starter/whisper-tiny.en"))
    for layers in (3, 2, 1):
        made = later(at, "bench/tiny-4", cut, layers, "encoder.layers.", "encoder_layers")
        yield Model(f"bench/tiny-{layers}", made)
    yield Model("bench/base-6", later(at, "bench/tiny-4", lambda tiny: whisper_base(room, tiny)))
    for layers in (4, 2):
        made = later(at, "bench/base-6", cut, layers, "encoder.layers.", "encoder_layers")
        yield Model(f"bench/base-{layers}", made)
    for seen in (("voices", "letters"), ("intent", "kinds")):  # the same clips, by other labels
        made = later(at, "bench/tiny-4", adapted, *examples(data[seen[0]]))
        yield Model(f"bench/tiny-4-{seen[0]}", made, seen=seen)
    yield Model("bench/tiny-4-random", later(at, "bench/tiny-4", untrained, ()), apart=True)
    yield Model("bench/tiny-4-noised", later(at, "bench/tiny-4", noised), apart=True)


def starter(model: str) -> Callable[[Path], None]:
    """Return what writes a model of the starter hub."""

    def made(folder: Path) -> None:
        import hubtl

        there = hubtl.pull(model, hub="starter")
        shutil.copytree(there, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)

    return made


def later(
    at: Callable[[str], Path], base: str, maker: Callable[..., Callable[[Path], None]], *more: Any
) -> Callable[[Path], None]:
    """Return what writes a model made of another one, which is there by then."""
    return lambda folder: maker(at(base), *more)(folder)


def examples(data: Data) -> tuple[str, list[tuple[str, str]]]:
    """Return a data set's task, and the rows (input, label) to adapt a model to."""
    train, _ = data.drawn(ADAPTED_TO[data.modality], seed=ADAPTED_BY)
    return data.task, [(row.input, row.label) for row in train]
