"""A causal language model that learns to complete prompts: the stack of layers and its own head.

What is saved is a PEFT adapter of the whole model, or the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...registry.errors import BadData, BadOption
from ...transfer.completion import turns
from ...transfer.network import choose_device
from ...transfer.views import split_label
from ..export import Saved
from ..networks import files, merging
from ..networks.adapted import Adapted
from .completions import LONGEST, in_tokens
from .tokens import FILES as TOKENIZER

if TYPE_CHECKING:
    from torch import Tensor, nn

FILES = (*TOKENIZER, "chat_template.jinja", "generation_config.json", "config.json")


class LanguageModel(Adapted):
    """A model that continues texts, and how prompts and completions go into it.

    What it is given is a prompt and its completion as one, as `transfer.views` puts them together.
    """

    reads_labels = True

    def __init__(self, base: Path, entry: Entry, device: str | None) -> None:
        self.device = choose_device(device)
        self.model = open_model(base).to(self.device)
        super().__init__(base, entry, self.model, lambda: open_model(base), "CAUSAL_LM")
        self.head: nn.Linear = self.model.get_output_embeddings()
        self._tokenizer = open_tokenizer(base)
        self._length = longest(base)

    @property
    def identity(self) -> str:
        """The base at its commit, an adapter upon it, and how texts are cut."""
        return f"{self._named} language model, {self._length} tokens"

    def expect(self, inputs: Sequence[str], labels: Sequence[str]) -> None:
        """Raise BadData for chats where the base's tokenizer has no template for them."""
        if self._tokenizer.chat_template is None and any(map(turns, inputs)):
            raise BadData(
                "rows are chats, and the base has no template to write them by",
                "choose a --base that follows instructions, or name a prompt and a completion",
            )

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return the tokens of each prompt and completion together."""
        return [len(before) + len(after) for before, after in map(self._tokens, inputs)]

    def collate(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return token ids, padded behind, and their mask."""
        import torch

        rows = [[*before, *after] for before, after in map(self._tokens, inputs)]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        return {"input_ids": ids.to(self.device), "attention_mask": mask.to(self.device)}

    def outline(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return the same as `collate`: texts are cheap to read."""
        return self.collate(inputs)

    def contents(self, inputs: Sequence[str]) -> list[str]:
        """Return the texts themselves."""
        return list(inputs)

    def features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what the projection on the vocabulary sees, [rows, positions, width]."""
        found: Tensor = self.model.base_model(**batch, use_cache=False).last_hidden_state
        return found

    def text_losses(self, states: Tensor, texts: Sequence[str]) -> Tensor:
        """Return the mean cross-entropy of each completion's tokens [rows], in nats."""
        import torch
        from torch.nn.functional import cross_entropy

        pairs = [self._tokens(text) for text in texts]
        rows = [row for row, (_, after) in enumerate(pairs) for _ in after]
        places = [len(before) - 1 + n for before, after in pairs for n in range(len(after))]
        told = torch.tensor([token for _, after in pairs for token in after], device=self.device)
        counts = torch.tensor([len(after) for _, after in pairs], device=self.device)
        # The vocabulary is large: only what comes before a completion's token is projected on it.
        losses = cross_entropy(self.head(states[rows, places].float()), told, reduction="none")
        numbers = torch.tensor(rows, device=self.device)
        return torch.zeros(len(texts), device=self.device).index_add(0, numbers, losses) / counts

    def build_upon(self, adapter: Path, entry: Entry) -> None:
        """Put an adapter's changes into the model."""
        super().build_upon(adapter, entry)
        self.model = self.body
        self.head = self.model.get_output_embeddings()

    def save(self, folder: Path) -> None:
        """Write an adapter or a whole model, and its tokenizer with its template of chats."""
        self._write_weights(folder, self.model)
        files.copy_those(FILES, self._base, folder)

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how prompts and completions are read, and how many rows were cut."""
        told = [in_tokens(self._tokenizer, *split_label(each), 1 << 30, True) for each in inputs]
        cut = sum(len(before) + len(after) > self._length for before, after in told)
        tokens = sum(len(after) for _, after in told)
        how = (
            f"a prompt and its completion in at most {self._length} tokens, the prompt's front cut "
            f"where they are more ({cut} of {len(inputs)} rows); the loss is that of the "
            f"completions, {tokens} tokens with the sign that ends each"
        )
        return {"max_length": self._length, "cut": cut, "rows": len(inputs), "how": how}

    def _tokens(self, text: str) -> tuple[list[int], list[int]]:
        prompt, completion = split_label(text)
        return in_tokens(self._tokenizer, prompt, completion, self._length, True)


def merge(saved: Saved, out: Path) -> None:
    """Write a saved adapter as a whole model."""
    merging.write_whole(saved, out, open_model)


def open_model(base: Path) -> Any:
    """Return a model that continues texts, in fp32; raises BadOption where a base does not."""
    import torch
    from transformers import AutoModelForCausalLM

    from .decoder import is_decoder

    if not is_decoder(base):
        raise BadOption(
            "the base was not trained to continue texts",
            "choose another --base: `hubtl search --task text-generation`",
        )
    return AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
    )


def open_tokenizer(base: Path) -> Any:
    """Return a base's tokenizer; raises BadOption for one that can't say where a text ends."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    if tokenizer.eos_token_id is None:
        raise BadOption(
            "the base's tokenizer has no sign that ends a text",
            "choose another --base: `hubtl search --task text-generation`",
        )
    return tokenizer


def longest(base: Path) -> int:
    """Return how many tokens a prompt and its completion may have together."""
    config = files.read_json(base / "config.json")
    told = config.get("max_position_embeddings") or config.get("n_positions") or LONGEST
    return min(LONGEST, int(told))
