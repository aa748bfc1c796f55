"""The task `automatic-speech-recognition`: what is said in a clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...registry.errors import BadData
from ...transfer.columns import Role
from ...transfer.network import Network
from ...transfer.split import Split
from ..check import Look
from ..export import Saved
from ..hookspecs import Loading, Task, hookimpl
from ..retaining import Probes
from ..speech import general_clips
from ..speech.clips import ENDINGS, check_clip, seconds_of
from ..speech.probe_inputs import PROBE_INPUTS
from ..speech.transcripts import NORMALISERS
from .audio_classification import CLIP_NAMES

if TYPE_CHECKING:
    from ...transfer.goal import Goal

TEXT_NAMES = ("text", "transcript", "transcription", "sentence", "normalized_text", "utterance")
LONGEST = 30  # seconds, as the base was trained


def check_utterance(path: Path) -> None:
    """Raise BadData where a clip can't be read, or is longer than a model hears at once."""
    check_clip(path)
    seconds = seconds_of(str(path))
    if seconds > LONGEST:
        raise BadData(
            f"`{path}` is {seconds:.0f} s long, and speech is recognised in at most {LONGEST} s",
            "cut it where nothing is said, with the text of each part",
        )


class SpeechRecognition:
    """What is said in a clip."""

    name = "automatic-speech-recognition"
    roles: Sequence[Role] = (
        Role("audio", CLIP_NAMES, "file", files=ENDINGS, check=check_utterance),
        Role("text", TEXT_NAMES, "long"),
    )
    probe_inputs: Sequence[str] = PROBE_INPUTS
    rivals: Mapping[str, str] = {"base": "the base as it is", "silence": "writing nothing"}
    needs: Mapping[str, str] = {"soundfile": "hubtl[speech]"}
    recipe, recipe_why = "lora", "a head on frozen features tells classes apart, and writes no text"
    retention_judged = True
    options: Mapping[str, Any] = {"trim": False, "normaliser": "basic"}
    about: Mapping[str, str] = {
        "trim": "leave out the silence before and after a clip's sound",
        "normaliser": "what texts are made alike by before they are compared: basic, any language "
        "without case and signs; english, numbers and spelling too; or none",
    }
    words: Mapping[str, Sequence[str]] = {"normaliser": NORMALISERS}

    def goal(self, options: Mapping[str, Any]) -> Goal:
        """Return that it is a text, compared after a normaliser."""
        from ...transfer.transcript import Transcript
        from ..speech.transcripts import normaliser

        return Transcript(normaliser(options["normaliser"]))

    def network(
        self,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        options: Mapping[str, Any],
    ) -> Network:
        """Return a model of a family that hubtl knows, to learn to write down what is said."""
        from ..speech.writers import writer_of

        return writer_of(base).network(base, entry, device, options)

    def baselines(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return what the base as it is hears; nothing, where it never learnt to write."""
        from ..speech.writers import writer_of

        return writer_of(base).rivals(base, [row.input for row in split.test])

    def look(self, inputs: Sequence[str]) -> Look:
        """Return the clips, for checking them."""
        from ..speech.look import Clips

        return Clips(inputs)

    def snippet(self, folder: Path, loading: Loading) -> str:
        """Return the Python that loads a saved folder without hubtl."""
        from ..speech.writers import writer_of

        return writer_of(folder).snippet(folder, loading)

    def retention_probes(self, base: Path) -> Probes:
        """Return spoken sentences; where the base can't write, clips of many kinds."""
        from ..speech.writers import writer_of

        if not writer_of(base).writes(base):
            return Probes(general_clips.WORDS, general_clips.clips())
        spoken = general_clips.sentences()
        words = general_clips.SENTENCES_WORDS
        return Probes(words, [clip for clip, _ in spoken], [text for _, text in spoken])

    def asking(self, folder: Path, base: Path) -> str:
        """Return code for what the model writes; where its base can't, for what the head sees."""
        from ..speech.spellings import FRAMES
        from ..speech.writers import WRITTEN, writer_of

        return WRITTEN if writer_of(base).writes(base) else FRAMES

    def said_by_base(self, base: Path, inputs: Sequence[str]) -> Sequence[str] | None:
        """Return what the base as it is hears; None where it never learnt to write."""
        from ..speech.writers import writer_of

        writer = writer_of(base)
        return writer.rivals(base, inputs)["base"] if writer.writes(base) else None

    def merge(self, saved: Saved, out: Path) -> None:
        """Write a saved adapter as a whole model."""
        from ..speech import transcriber

        transcriber.merge(saved, out)

    def other_ways(self, folder: Path, loading: Loading) -> Mapping[str, str]:
        """Return nothing: other ways of loading give texts, and no numbers to compare."""
        return {}


@hookimpl
def register_tasks() -> list[Task]:
    """Offer speech recognition."""
    return [SpeechRecognition()]
