"""Whisper as it writes down what is said, over a clip's own length in place of 30 s of padding.

The encoder's stack is the trunk, the decoder learns above it; what is saved is a PEFT adapter of
WhisperForConditionalGeneration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...transfer.contents import digest_of
from ...transfer.network import choose_device
from ..export import Saved
from ..networks import files, merging
from ..networks.adapted import Adapted
from .clips import describe_clips, hear, read_clip
from .encoders import encode_whisper, hear_whisper, own_window

if TYPE_CHECKING:
    from torch import Tensor, nn

FILES = (
    "preprocessor_config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "normalizer.json",
    "vocab.json",
    "merges.txt",
)


class Transcriber(Adapted):
    """A Whisper model and how clips and texts go into it."""

    above: Sequence[str] = ("model.decoder.layers",)
    alike = True

    def __init__(self, base: Path, entry: Entry, device: str | None, *, trim: bool) -> None:
        from transformers import AutoTokenizer, WhisperFeatureExtractor

        self._trim = trim
        self.device = choose_device(device)
        self.model = open_whisper(base).to(self.device)
        super().__init__(base, entry, self.model, lambda: open_whisper(base))
        self.head: nn.Linear = self.model.proj_out
        self._extractor: Any = WhisperFeatureExtractor.from_pretrained(base)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
        self._prefix = [int(token) for token in self._tokenizer.prefix_tokens]
        self._most = int(self.model.config.max_target_positions) - len(self._prefix)
        self._positions: dict[str, int] = {}

    @property
    def identity(self) -> str:
        """The base at its commit, an adapter upon it, and how clips are read."""
        about = f"transcriber, trim {self._trim}, windows of whole seconds"
        return f"{self._named} {about}"

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return the positions of each clip's window: its own length in whole steps."""
        return [self._window(each) for each in inputs]

    def collate(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return log-mel frames of clips whose windows are of one size."""
        import torch

        frames = 2 * self._window(inputs[0])
        clips = [self._read(each) for each in inputs]
        made = self._extractor(clips, sampling_rate=self.rate, return_tensors="np")
        mel = torch.as_tensor(made["input_features"][..., :frames])
        return {"mel": mel.to(self.device)}

    def outline(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return how many positions the window has."""
        import torch

        return {"positions": torch.full((len(inputs),), self._window(inputs[0]))}

    def contents(self, inputs: Sequence[str]) -> list[str]:
        """Return the digest of each clip's file."""
        return [digest_of(each) for each in inputs]

    def features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the encoder's states, [rows, positions, width]."""
        import torch

        encoder = self.model.model.encoder
        if "mel" in batch:
            stem = hear_whisper(encoder, batch["mel"])
        else:  # what the layers below a cut would be given is not looked at
            rows, positions = len(batch["positions"]), int(batch["positions"][0])
            stem = torch.zeros(rows, positions, self.head.in_features, device=self.device)
        found: Tensor = encode_whisper(encoder, stem)
        return found

    def text_losses(self, states: Tensor, texts: Sequence[str]) -> Tensor:
        """Return the mean cross-entropy of each text's tokens [rows], in nats, given what came."""
        import torch
        from torch.nn.functional import cross_entropy

        tokens = [self._tokens(text) for text in texts]
        longest = max(map(len, tokens))
        end = int(self._tokenizer.eos_token_id)
        ids = torch.tensor([each + [end] * (longest - len(each)) for each in tokens])
        counts = torch.tensor([len(each) - len(self._prefix) for each in tokens])
        places = torch.arange(longest - 1) + 1 - len(self._prefix)
        told = (places[None] >= 0) & (places[None] < counts[:, None])
        ids, told, counts = ids.to(self.device), told.to(self.device), counts.to(self.device)
        decoder: Any = self.model.model.decoder
        hidden = decoder(
            input_ids=ids[:, :-1], encoder_hidden_states=states, use_cache=False
        ).last_hidden_state
        # The vocabulary is large: only places that a text has are projected on it.
        losses = cross_entropy(self.head(hidden[told].float()), ids[:, 1:][told], reduction="none")
        rows = torch.arange(len(texts), device=self.device)[:, None].expand_as(told)[told]
        sums = torch.zeros(len(texts), device=self.device).index_add(0, rows, losses)
        return sums / counts

    def build_upon(self, adapter: Path, entry: Entry) -> None:
        """Put an adapter's changes into the model."""
        super().build_upon(adapter, entry)
        self.model = self.body
        self.head = self.model.proj_out

    def save(self, folder: Path) -> None:
        """Write an adapter or a whole model, its tokenizer and what prepares clips."""
        self._write_weights(folder, self.model)
        files.copy_those(FILES, self._base, folder)
        files.copy_those(("config.json",), self._base, folder)

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how clips are read, and what they are like."""
        heard = [hear(Path(each)) for each in inputs]
        trimmed = ", silence before and after left out" if self._trim else ""
        how = (
            f"clips as one channel at {self.rate} Hz{trimmed}, each in a window of its own length "
            f"in whole seconds; {describe_clips(heard)}"
        )
        return {"rate": self.rate, "trim": self._trim, "rows": len(heard), "how": how}

    @property
    def rate(self) -> int:
        """Samples a second."""
        return int(self._extractor.sampling_rate)

    def _read(self, path: str) -> Any:
        return read_clip(path, self.rate, self._trim)

    def _window(self, path: str) -> int:
        content = digest_of(path)
        if content not in self._positions:
            samples = len(self._read(path))
            most = int(self.model.config.max_source_positions)
            self._positions[content] = own_window(samples, self.rate, most)
        return self._positions[content]

    def _tokens(self, text: str) -> list[int]:
        """Return a text's tokens after those that every transcript begins with."""
        ids = self._tokenizer(f" {text}", add_special_tokens=False)["input_ids"]
        return [*self._prefix, *ids[: self._most - 1], int(self._tokenizer.eos_token_id)]


def merge(saved: Saved, out: Path) -> None:
    """Write a saved adapter as a whole model."""
    merging.write_whole(saved, out, open_whisper)


def open_whisper(base: Path) -> Any:
    """Return a model that transcribes."""
    import torch
    from transformers import WhisperForConditionalGeneration

    return WhisperForConditionalGeneration.from_pretrained(
        base, dtype=torch.float32, use_safetensors=True
    )
