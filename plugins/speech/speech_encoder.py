"""A speech encoder with a new head: the mean over a clip's own frames, then one linear layer.

transformers' own classes average padding with the rest, or put an untrained layer between. So what
is saved is an adapter of the encoder, and the head beside it; a card pools in a few lines of torch.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...registry.errors import BadOption
from ...transfer.contents import digest_of
from ...transfer.network import choose_device
from ..export import Saved
from ..networks import files, merging
from ..networks.adapted import NOTHING, Adapted
from .card import HEAD, PROCESSOR, part_in
from .clips import Heard, describe_clips, hear, read_clip
from .encoders import FAMILIES, Encoder

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray
    from torch import Tensor


class SpeechEncoder(Adapted):
    """An encoder of one of the known families and a linear head, for one set of labels.

    `told` goes into its configuration.
    """

    def __init__(
        self,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        told: Mapping[str, str] = NOTHING,
        *,
        trim: bool,
    ) -> None:
        import torch

        self._labels, self._told, self._trim = list(labels), told, trim
        self.device = choose_device(device)
        self._encoder = open_encoder(base)
        body = self._encoder.body.to(self.device)
        super().__init__(base, entry, body, lambda: open_encoder(base).body)
        torch.manual_seed(0)
        config: Any = self._encoder.model.config
        self.head = torch.nn.Linear(int(config.hidden_size), len(labels)).to(self.device)
        self._lengths: dict[str, int] = {}

    @property
    def identity(self) -> str:
        """The base at its commit, an adapter upon it, and how clips are read."""
        about = f"mean over frames, trim {self._trim}, windows of {self._encoder.window} samples"
        return f"{self._named} {about}"

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return the frames of each clip."""
        return [sum(map(self._encoder.positions, self._windows(each))) for each in inputs]

    def collate(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return windows of sound, how long each is, their masks, and whose each is."""
        clips = [self._read(each) for each in inputs]
        size = self._encoder.window
        windows = [clip[at : at + size] for clip in clips for at in self._starts(len(clip))]
        sound = self._encoder.sound(windows)
        return {"sound": sound.to(self.device), **self.outline(inputs)}

    def outline(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return the same but for the sound."""
        import torch

        windows = [self._windows(each) for each in inputs]
        samples = [count for each in windows for count in each]
        clips = [number for number, each in enumerate(windows) for _ in each]
        counts = torch.tensor([self._encoder.positions(count) for count in samples])
        mask = torch.arange(int(counts.max()))[None] < counts[:, None]
        found = {"samples": torch.tensor(samples), "mask": mask, "clips": torch.tensor(clips)}
        return {name: value.to(self.device) for name, value in found.items()}

    def contents(self, inputs: Sequence[str]) -> list[str]:
        """Return the digest of each clip's file."""
        return [digest_of(each) for each in inputs]

    def features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over each clip's frames, [clips, width]."""
        import torch

        mask, clips = batch["mask"], batch["clips"]
        if "sound" in batch:
            stem = self._encoder.stem(self.body, batch["sound"], batch["samples"].tolist())
        else:  # what the layers below a cut would be given is not looked at
            stem = torch.zeros(*mask.shape, self.head.in_features, device=self.device)
        states = self._encoder.states(self.body, stem, mask)
        mask = mask[:, : states.shape[1]]
        states = states * mask.unsqueeze(-1)
        rows = int(clips[-1]) + 1
        sums = torch.zeros(rows, states.shape[-1], dtype=states.dtype, device=self.device)
        sums = sums.index_add(0, clips, states.sum(1))
        counts = torch.zeros(rows, device=self.device).index_add(0, clips, mask.sum(1).float())
        return sums / counts.unsqueeze(-1)

    def save(self, folder: Path) -> None:
        """Write an adapter of the encoder, or the whole model, and the head beside it."""
        from safetensors.torch import save_file

        self._write_weights(folder, self._encoder.model)
        shutil.copyfile(self._base / PROCESSOR, folder / PROCESSOR)
        files.write_config(self._base, folder, self._labels, **self._told)
        weights = {
            "weight": self.head.weight.detach().cpu().contiguous(),
            "bias": self.head.bias.detach().cpu().contiguous(),
        }
        save_file(weights, folder / HEAD, {"format": "pt"})
        (folder / HEAD).chmod(0o644)

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how clips are read and pooled, and what they are like."""
        heard: list[Heard] = [hear(Path(each)) for each in inputs]
        seconds = self._encoder.window / self._encoder.rate
        cut = sum(each.seconds > seconds for each in heard)
        trimmed = ", silence before and after left out" if self._trim else ""
        how = (
            f"clips as one channel at {self._encoder.rate} Hz{trimmed}, in windows of "
            f"{seconds:g} s ({cut} of {len(heard)} are longer); the mean over all frames of a "
            f"clip, none of padding; {describe_clips(heard)}"
        )
        about = {"rate": self._encoder.rate, "window": self._encoder.window, "trim": self._trim}
        return {**about, "rows": len(heard), "how": how}

    def _read(self, path: str) -> NDArray[float32]:
        return read_clip(path, self._encoder.rate, self._trim)

    def _windows(self, path: str) -> list[int]:
        """Return how many samples each window of a clip has."""
        content = digest_of(path)
        if content not in self._lengths:
            self._lengths[content] = len(self._read(path))
        whole = self._lengths[content]
        return [min(self._encoder.window, whole - at) for at in self._starts(whole)]

    def _starts(self, samples: int) -> range:
        """Return where windows of a clip start; less than 0.1 s at its end is no window."""
        return range(0, samples - self._encoder.rate // 10 + 1, self._encoder.window)


def merge(saved: Saved, out: Path) -> None:
    """Write a saved adapter of an encoder as a whole model, with the head beside it."""
    merging.write_whole(saved, out, lambda base: open_encoder(base).model, part_in(saved.folder))


def open_encoder(base: Path) -> Encoder:
    """Return the encoder in a folder; raises BadOption for a family that is not known."""
    from transformers import AutoConfig, AutoFeatureExtractor

    family = AutoConfig.from_pretrained(base, trust_remote_code=False).model_type
    if family not in FAMILIES:
        raise BadOption(
            f"the base is of the family `{family}`, which hubtl can't hear with",
            f"choose another --base, one of {', '.join(FAMILIES)}",
        )
    load: Any = AutoFeatureExtractor.from_pretrained
    return FAMILIES[family](base, load(base, trust_remote_code=False))
