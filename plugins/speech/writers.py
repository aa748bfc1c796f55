"""Which models write down what is said: those that tell words in turn, and those that spell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...registry.entry import Entry
from ...registry.errors import BadOption
from ...transfer.network import Network
from ..hookspecs import Loading
from ..networks import files
from . import spellings, transcripts

SILENCE = "silence"
# Behind a card's code: what the model writes.
WRITTEN = "kept = predict\n"


@dataclass(frozen=True, slots=True)
class Writer:
    """A kind of model: its network to train, its base as a rival, and its card's code.

    `writes` is whether a base was ever taught to.
    """

    network: Callable[[Path, Entry, str | None, Mapping[str, Any]], Network]
    rivals: Callable[[Path, Sequence[str]], Mapping[str, Sequence[str]]]
    snippet: Callable[[Path, Loading], str]
    writes: Callable[[Path], bool]


def writer_of(folder: Path) -> Writer:
    """Return the kind that the model in a folder is of; raises BadOption where it is of none."""
    family = files.read_json(folder / "config.json").get("model_type")
    if family not in WRITERS:
        raise BadOption(
            f"the base is of the family `{family}`, which hubtl can't transcribe with",
            f"choose another --base, one of {', '.join(WRITERS)}: `hubtl search whisper`",
        )
    return WRITERS[family]


def _transcriber(
    base: Path, entry: Entry, device: str | None, options: Mapping[str, Any]
) -> Network:
    from .transcriber import Transcriber

    return Transcriber(base, entry, device, trim=options["trim"])


def _heard(base: Path, paths: Sequence[str]) -> Mapping[str, Sequence[str]]:
    return {"base": transcripts.base_transcripts(base, paths, trim=False)}


def _speller(base: Path, entry: Entry, device: str | None, options: Mapping[str, Any]) -> Network:
    from .speller import Speller

    verbatim = options["normaliser"] == "none"
    return Speller(base, entry, device, trim=options["trim"], verbatim=verbatim)


def _spelt(base: Path, paths: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return what the base spells; where it knows no letters, nothing for each clip."""
    found = spellings.base_spellings(base, paths)
    return {SILENCE: [""] * len(paths)} if found is None else {"base": found}


TELLS = Writer(_transcriber, _heard, transcripts.snippet, lambda _: True)
# Data2VecAudio is not among them: its convolutions for positions let padding into what is said.
SPELLS = Writer(_speller, _spelt, spellings.snippet, spellings.knows_letters)
WRITERS = {"whisper": TELLS, **dict.fromkeys(("wav2vec2", "hubert", "wavlm"), SPELLS)}
