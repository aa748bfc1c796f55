"""The task `text-generation`: what comes after a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...registry.errors import BadOption
from ...transfer.columns import Role
from ...transfer.network import Network
from ...transfer.split import Split, joined
from ..export import Saved
from ..hookspecs import Loading, Task, hookimpl
from ..text.of_texts import OfTexts

if TYPE_CHECKING:
    from ...transfer.goal import Goal

PROMPT_NAMES = ("prompt", "instruction", "question", "input", "query", "source", "request")
COMPLETION_NAMES = ("completion", "response", "output", "answer", "target", "reply", "chosen")
WHOLE_NAMES = ("messages", "conversation", "conversations", "chat", "text", "content", "document")


class TextGeneration(OfTexts):
    """What comes after a prompt; of a chat, the last answer; of a text alone, all of it."""

    name = "text-generation"
    roles: Sequence[Role] = (
        Role("prompt", PROMPT_NAMES, "none", whole=WHOLE_NAMES),
        Role("completion", COMPLETION_NAMES, "none"),
    )
    rivals: Mapping[str, str] = {
        "base": "the base as it is",
        "bigrams": "bigrams of the base's tokens (Kneser-Ney)",
    }
    recipe, recipe_why = "lora", "a head on frozen features tells classes apart, and writes no text"
    options: Mapping[str, Any] = {"max_new_tokens": 64}
    about: Mapping[str, str] = {"max_new_tokens": "tokens to write at most, each the likeliest"}

    def goal(self, options: Mapping[str, Any]) -> Goal:
        """Return that it is a text, judged by how probable the model finds it."""
        from ...transfer.completion import Completion

        return Completion()

    def network(
        self,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        options: Mapping[str, Any],
    ) -> Network:
        """Return a model that continues texts; raises BadOption where it has no room to."""
        from ..text.language_model import LanguageModel, longest

        most, room = int(options.get("max_new_tokens", 1)), longest(base)
        if not 1 <= most < room:
            raise BadOption(
                f"`max_new_tokens` is {most}, and of this base a prompt and what is written after "
                f"it have at most {room} tokens",
                f"--set max_new_tokens=N, from 1 to {room - 1}",
            )
        return LanguageModel(base, entry, device)

    def baselines(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return what the test rows cost the base as it is, and bigrams of what is learnt from."""
        from ..text.untaught import by_base, by_bigrams

        rows = joined(split.train, split.validation)
        return {
            "base": self._said(by_base(base, split.test)),
            "bigrams": self._said(by_bigrams(base, rows, split.test)),
        }

    def snippet(self, folder: Path, loading: Loading) -> str:
        """Return the Python that loads a saved folder without hubtl."""
        from ..text import completions

        return completions.snippet(folder, loading)

    def asking(self, folder: Path, base: Path) -> str:
        """Return code that tells what texts cost the model."""
        from ..text.completions import KEPT

        return KEPT

    def said_by_base(self, base: Path, inputs: Sequence[str]) -> Sequence[Any]:
        """Return what texts cost the base as it is."""
        from ..text.untaught import costs_of_texts

        return costs_of_texts(base, inputs)

    def merge(self, saved: Saved, out: Path) -> None:
        """Write a saved adapter as a whole model."""
        from ..text import language_model

        language_model.merge(saved, out)

    def other_ways(self, folder: Path, loading: Loading) -> Mapping[str, str]:
        """Return how PEFT's own class would load a saved folder."""
        from ..text import completions

        return completions.other_ways(folder, loading)

    def _said(self, costs: Sequence[Any]) -> list[str]:
        goal = self.goal(self.options)
        return [goal.said(each) for each in costs]


@hookimpl
def register_tasks() -> list[Task]:
    """Offer text generation."""
    return [TextGeneration()]
