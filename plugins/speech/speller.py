"""Wav2Vec2 and its like as they spell what is said: a letter or none for each frame, by CTC.

Graves et al., "Connectionist Temporal Classification", ICML 2006. What is saved is a PEFT adapter
of transformers' own class, with the head that tells letters apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...registry.errors import BadData, HubtlError
from ...transfer.contents import digest_of
from ...transfer.listing import all_of
from ...transfer.network import choose_device
from ..networks import files
from ..networks.adapted import Adapted
from .clips import describe_clips, hear, read_clip
from .encoders import check_wave, encode_wave, hear_wave, scaled_samples, wave_frames
from .vocabulary import Vocabulary, frames_for, own_vocabulary

if TYPE_CHECKING:
    from peft import PeftConfig
    from torch import Tensor, nn

    from .encoders import Samples

HEAD = "lm_head"
# What prepares clips is in the second where it was saved together with a tokenizer.
PROCESSORS = ("preprocessor_config.json", "processor_config.json")


class Speller(Adapted):
    """A model of one of the known families, and the letters that it tells apart."""

    def __init__(
        self, base: Path, entry: Entry, device: str | None, *, trim: bool, verbatim: bool
    ) -> None:
        from transformers import Wav2Vec2FeatureExtractor

        self._trim = trim
        self.device = choose_device(device)
        model, trained = open_ctc(base)
        self._vocabulary: Vocabulary = own_vocabulary(base, trained, verbatim=verbatim)
        self._config: Any = model.config
        spell_with(model, self._vocabulary)
        self._kind, self._inner = type(model).__name__, str(model.base_model_prefix)
        super().__init__(base, entry, model.to(self.device), self._opened)
        self._new = [HEAD]
        self.head = self._find_head()
        self._extractor: Any = Wav2Vec2FeatureExtractor.from_pretrained(base)
        self._lengths: dict[str, int] = {}
        self._frames: Tensor | None = None

    @property
    def identity(self) -> str:
        """The base at its commit, an adapter upon it, and how clips are read."""
        return f"{self._named} speller, trim {self._trim}"

    def expect(self, inputs: Sequence[str], labels: Sequence[str]) -> None:
        """Let the vocabulary hold these texts; raises BadData where a clip is too short for its."""
        self._vocabulary = self._vocabulary.holding(labels)
        spell_with(self.body, self._vocabulary)
        self.body.requires_grad_(False)
        self.head = self._find_head()
        short: list[HubtlError] = []
        for path, text, frames in zip(inputs, labels, self.sizes(inputs), strict=True):
            needs = frames_for(self._vocabulary.spell(text))
            if needs > frames:
                why = f"`{path}` makes {frames} frames, and its text takes {needs} to spell"
                short.append(BadData(why, "correct the text, or leave the clip out"))
        if short:
            raise all_of(short, f"{len(short)} of {len(inputs)} clips are too short for their text")

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return the frames of each clip."""
        return [wave_frames(self._config, self._length(each)) for each in inputs]

    def collate(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return samples, how many each clip has, and masks of its frames."""
        sound = scaled_samples(self._extractor, [self._read(each) for each in inputs])
        return {"sound": sound.to(self.device), **self.outline(inputs)}

    def outline(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return the same but for the samples."""
        import torch

        samples = torch.tensor([self._length(each) for each in inputs])
        counts = torch.tensor(self.sizes(inputs))
        mask = torch.arange(int(counts.max()))[None] < counts[:, None]
        return {"samples": samples.to(self.device), "mask": mask.to(self.device)}

    def contents(self, inputs: Sequence[str]) -> list[str]:
        """Return the digest of each clip's file."""
        return [digest_of(each) for each in inputs]

    def features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the encoder's states, [rows, frames, width]."""
        import torch

        inner, mask = getattr(self.body, self._inner), batch["mask"]
        if "sound" in batch:
            stem = hear_wave(inner, batch["sound"], batch["samples"].tolist())
        else:  # what the layers below a cut would be given is not looked at
            stem = torch.zeros(*mask.shape, self.head.in_features, device=self.device)
        self._frames = mask.sum(1)
        found: Tensor = encode_wave(inner, stem, mask)
        return found

    def text_losses(self, states: Tensor, texts: Sequence[str]) -> Tensor:
        """Return the loss of each text by a letter of it [rows], in nats, over all its alignments.

        States are those that features() gave last, which alone says where each clip's end.
        """
        import torch
        from torch.nn.functional import ctc_loss

        assert self._frames is not None and len(self._frames) == len(texts), "of the same rows"
        spelt = [self._vocabulary.spell(text) for text in texts]
        counts = torch.tensor([len(each) for each in spelt], device=self.device)
        letters = torch.tensor(
            [number for each in spelt for number in each], dtype=torch.long, device=self.device
        )
        likely = self.head(states.float()).log_softmax(-1).transpose(0, 1)
        losses = ctc_loss(
            likely,
            letters,
            self._frames,
            counts,
            blank=self._vocabulary.blank,
            reduction="none",
            zero_infinity=True,
        )
        return losses / counts.clamp(min=1)

    def build_upon(self, adapter: Path, entry: Entry) -> None:
        """Put an adapter's changes into the model; letters are told apart by the base's head."""
        super().build_upon(adapter, entry)
        self.head = self._find_head()

    def carry(self, config: PeftConfig, whole: Sequence[str] = ()) -> None:
        """Wrap the model; its head is trained, and saved with the adapter."""
        super().carry(config, whole)
        self.head = self._find_head()

    def save(self, folder: Path) -> None:
        """Write an adapter or a whole model, its letters and what prepares clips."""
        self._write_weights(folder)
        self._vocabulary.save(self._base, folder)
        files.copy_those(PROCESSORS, self._base, folder)
        config: Mapping[str, Any] = files.read_json(self._base / "config.json")
        kept = {key: value for key, value in config.items() if not key.startswith("_")}
        letters = {"vocab_size": self._vocabulary.size, "pad_token_id": self._vocabulary.blank}
        about = {**kept, **letters, "architectures": [self._kind]}
        files.write_json(folder / "config.json", about)

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how clips are read and spelt, and what they are like."""
        heard = [hear(Path(each)) for each in inputs]
        trimmed = ", silence before and after left out" if self._trim else ""
        how = (
            f"clips as one channel at {self.rate} Hz{trimmed}, each by itself; "
            f"{self._vocabulary.how}; {describe_clips(heard)}"
        )
        about = {"rate": self.rate, "trim": self._trim, "tokens": self._vocabulary.size}
        return {**about, "rows": len(heard), "how": how}

    @property
    def rate(self) -> int:
        """Samples a second."""
        return int(self._extractor.sampling_rate)

    def _read(self, path: str) -> Samples:
        return read_clip(path, self.rate, self._trim)

    def _length(self, path: str) -> int:
        content = digest_of(path)
        if content not in self._lengths:
            self._lengths[content] = len(self._read(path))
        return self._lengths[content]

    def _opened(self) -> Any:
        """Return the base anew, with a head for the vocabulary."""
        model, _ = open_ctc(self._base)
        spell_with(model, self._vocabulary)
        return model

    def _find_head(self) -> nn.Linear:
        """Return the head, or the copy of it that is trained beside an adapter."""
        from torch import nn

        return [
            module
            for name, module in self.body.named_modules()
            if isinstance(module, nn.Linear)
            and HEAD in name.split(".")
            and "original_module" not in name
        ][-1]


def open_ctc(base: Path) -> tuple[Any, int]:
    """Return a model that spells, and how many outputs of its head the base has trained."""
    import torch
    from transformers import AutoModelForCTC

    # A layer that is left out by chance could be the one at which kept states come in.
    model, told = AutoModelForCTC.from_pretrained(
        base,
        dtype=torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        layerdrop=0.0,
        output_loading_info=True,
    )
    check_wave(model.config)
    untrained = any(name.startswith(f"{HEAD}.") for name in told["missing_keys"])
    return model, 0 if untrained else int(model.lm_head.out_features)


def spell_with(model: Any, vocabulary: Vocabulary) -> None:
    """Give a model a head for a vocabulary: what the base has trained of it, and the rest new."""
    import torch

    before, own = model.lm_head, vocabulary.own
    if not vocabulary.changed:
        return
    torch.manual_seed(0)
    head = torch.nn.Linear(before.in_features, vocabulary.size).to(before.weight.device)
    with torch.no_grad():
        head.weight[:own] = before.weight[:own]
        head.bias[:own] = before.bias[:own]
    model.lm_head = head
    model.config.vocab_size = vocabulary.size
