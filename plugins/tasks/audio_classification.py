"""The task `audio-classification`: one label a clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...transfer.columns import Role
from ...transfer.network import Network
from ...transfer.split import Split, joined
from ..check import Look
from ..export import Graph, Saved
from ..goals import ABOUT, goal_by, problem_of
from ..hookspecs import Loading, Task, hookimpl
from ..retaining import Probes
from ..rivals import COMMONEST, MEAN, commonest, mean_of
from ..speech import general_clips
from ..speech.clips import ENDINGS, check_clip
from ..speech.probe_inputs import PROBE_INPUTS
from . import LABEL_NAMES

if TYPE_CHECKING:
    from ...transfer.goal import Goal

CLIP_NAMES = ("audio", "sound", "clip", "recording", "speech", "wav")


class AudioClassification:
    """One label a clip, several at once, or a number."""

    name = "audio-classification"
    roles: Sequence[Role] = (
        Role("audio", CLIP_NAMES, "file", files=ENDINGS, check=check_clip),
        Role("label", LABEL_NAMES, "few"),
    )
    probe_inputs: Sequence[str] = PROBE_INPUTS
    rivals: Mapping[str, str] = {"majority": COMMONEST, "mfcc": "MFCC + logistic regression"}
    number_rivals: Mapping[str, str] = {"majority": MEAN, "mfcc": "MFCC + ridge regression"}
    needs: Mapping[str, str] = {"soundfile": "hubtl[speech]"}
    retention_judged = False
    options: Mapping[str, Any] = {"several": False, "numbers": False, "trim": True}
    about: Mapping[str, str] = {
        "several": "a clip may have several labels at once, written `speech|music`, or `none`",
        "numbers": ABOUT,
        "trim": "leave out the silence before and after a clip's sound",
    }
    words: Mapping[str, Sequence[str]] = {}

    def goal(self, options: Mapping[str, Any]) -> Goal:
        """Return that it is one class, any of several, or a number."""
        return goal_by(options)

    def network(
        self,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        options: Mapping[str, Any],
    ) -> Network:
        """Return a speech encoder, pooled over each clip's own frames."""
        from ..speech.speech_encoder import SpeechEncoder

        told = problem_of(options)
        return SpeechEncoder(base, entry, labels, device, told, trim=options["trim"])

    def baselines(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return the labels of the commonest-label rival and of MFCC statistics."""
        from ..speech.rivals import mfcc_labels

        rows = joined(split.train, split.validation)
        return {
            "majority": commonest(rows, split.test),
            "mfcc": mfcc_labels(rows, split.test, seed),
        }

    def estimates(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return the numbers of the mean of training labels and of MFCC statistics."""
        from ..speech.rivals import mfcc_numbers

        rows = joined(split.train, split.validation)
        return {
            "majority": mean_of(rows, split.test),
            "mfcc": mfcc_numbers(rows, split.test, seed),
        }

    def look(self, inputs: Sequence[str]) -> Look:
        """Return the clips, for checking them."""
        from ..speech.look import Clips

        return Clips(inputs)

    def snippet(self, folder: Path, loading: Loading) -> str:
        """Return the Python that loads a saved folder without hubtl."""
        from ..speech import card

        return card.snippet(folder, loading)

    def retention_probes(self, base: Path) -> Probes:
        """Return clips of many kinds."""
        return Probes(general_clips.WORDS, general_clips.clips())

    def asking(self, folder: Path, base: Path) -> str:
        """Return code that tells what the head sees."""
        from ..networks.seen import UNCHANGED

        return UNCHANGED.format(name="")

    def said_by_base(self, base: Path, inputs: Sequence[str]) -> None:
        """Return that the base has no head of its own for these labels."""

    def merge(self, saved: Saved, out: Path) -> None:
        """Write a saved adapter as a whole model, with the head beside it."""
        from ..speech import speech_encoder

        speech_encoder.merge(saved, out)

    def graph(self, folder: Path, loading: Loading) -> Graph:
        """Return the encoder and the head of a whole folder."""
        from ..speech import graphs

        return graphs.graph(folder, loading)

    def other_ways(self, folder: Path, loading: Loading) -> Mapping[str, str]:
        """Return nothing: no class of transformers pools over a clip's own frames."""
        return {}


@hookimpl
def register_tasks() -> list[Task]:
    """Offer audio classification."""
    return [AudioClassification()]
