"""Speech encoders: from a window of sound to a row of states for each of its frames."""

# Without `from __future__ import annotations`: the source of functions here runs by itself in
# cards, so whatever they name must be there when Python defines them.
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...registry.errors import BadOption

if TYPE_CHECKING:
    import numpy
    from torch import Tensor, nn

    Samples = numpy.ndarray[Any, numpy.dtype[numpy.float32]]

WINDOW = 30  # seconds that are heard at once


class Encoder(Protocol):
    """A family of speech encoders: how its models are loaded, and fed with windows of sound.

    `samples` are those of a window; `body` is the part of `model` that hears.
    """

    model: "nn.Module"
    body: "nn.Module"
    rate: int
    window: int

    def positions(self, samples: int) -> int:
        """Return how many states come of a window of so many samples."""
        ...

    def sound(self, windows: Sequence["Samples"]) -> "Tensor":
        """Return windows as the body hears them, padded to the longest."""
        ...

    def stem(self, body: "nn.Module", sound: "Tensor", samples: Sequence[int]) -> "Tensor":
        """Return what the stack of layers is given, [windows, positions, width]."""
        ...

    def states(self, body: "nn.Module", stem: "Tensor", mask: "Tensor") -> "Tensor":
        """Return what the layers make of it, where `mask` [windows, positions] is true.

        A row for each position, or one for a window as a whole.
        """
        ...

    def heard(self, sound: "Tensor") -> "Tensor":
        """Return the states of windows that are all of one length, as a card gets them."""
        ...


def hear_whisper(encoder: "Any", mel: "Any") -> "Any":
    """Return what Whisper's layers are given for log-mel frames of any number."""
    import torch

    states = torch.nn.functional.gelu(encoder.conv1(mel))
    states = torch.nn.functional.gelu(encoder.conv2(states)).transpose(1, 2)
    return states + encoder.embed_positions.weight[: states.shape[1]]


def encode_whisper(encoder: "Any", states: "Any", bias: "Any" = None) -> "Any":
    """Return what Whisper's layers make of states; `bias` is added to attention."""
    for layer in encoder.layers:
        states = layer(states, bias)
    return encoder.layer_norm(states)


def own_window(samples: int, rate: int, most: int) -> int:
    """Return Whisper's positions, 20 ms each, for a clip: whole seconds, with room."""
    return min(most, 50 * int(-(-(samples / rate + 0.5) // 1)))


def wave_frames(config: "Any", samples: int) -> int:
    """Return how many frames the convolutions of Wav2Vec2 and its like make."""
    found = samples
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        found = (found - kernel) // stride + 1
    return found


def hear_wave(body: "Any", sound: "Any", samples: Sequence[int]) -> "Any":
    """Return the projected frames of each row of samples, which its padding has no part in."""
    import torch

    found = []
    for row, count in zip(sound, samples, strict=True):
        frames = body.feature_extractor(row[None, :count]).transpose(1, 2)
        made = body.feature_projection(frames)
        found.append((made[0] if isinstance(made, tuple) else made)[0])
    return torch.nn.utils.rnn.pad_sequence(found, batch_first=True)


def encode_wave(body: "Any", stem: "Any", mask: "Any") -> "Any":
    """Return what the layers make of frames, where padding is not attended to."""
    return body.encoder(stem.clone(), attention_mask=mask).last_hidden_state


def scaled_samples(extractor: "Any", clips: Sequence["Samples"]) -> "Tensor":
    """Return samples [clips, samples], each clip's scaled by itself, padded to the longest."""
    import torch

    made = [extractor(clip, sampling_rate=extractor.sampling_rate) for clip in clips]
    tensors = [torch.as_tensor(each["input_values"][0]) for each in made]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True)


def check_wave(config: "Any") -> None:
    """Raise BadOption where a model of Wav2Vec2's kind can't be heard with frame by frame."""
    if getattr(config, "add_adapter", False):
        raise BadOption(
            "the base has layers after its encoder that take several frames for one",
            "choose another --base",
        )


class Whisper:
    """Whisper's encoder, over a clip's own frames in place of 30 s that are mostly padding."""

    def __init__(self, base: Path, extractor: Any) -> None:
        import torch
        from transformers import WhisperModel

        self._extractor = extractor
        self.model: Any = WhisperModel.from_pretrained(
            base, dtype=torch.float32, use_safetensors=True
        )
        self.body: Any = self.model.encoder
        self.rate = int(extractor.sampling_rate)
        # Its second convolution takes every other frame.
        self._hop = 2 * int(extractor.hop_length)
        self.window = min(WINDOW * self.rate, self.body.config.max_source_positions * self._hop)

    def positions(self, samples: int) -> int:
        """Return one position for each two log-mel frames."""
        return -(-samples // self._hop)

    def sound(self, windows: Sequence["Samples"]) -> "Tensor":
        """Return log-mel frames [windows, bands, frames]; each window's are its own alone."""
        import torch

        found = [self._mel(window) for window in windows]
        longest = max(each.shape[1] for each in found)
        padded = [torch.nn.functional.pad(each, (0, longest - each.shape[1])) for each in found]
        return torch.stack(padded)

    def stem(self, body: "nn.Module", sound: "Tensor", samples: Sequence[int]) -> "Tensor":
        """Return the states of frames with their positions."""
        found: Tensor = hear_whisper(body, sound)
        return found

    def states(self, body: "nn.Module", stem: "Tensor", mask: "Tensor") -> "Tensor":
        """Return the encoder's states, where padding is not attended to."""
        import torch

        bias = None
        if not bool(mask.all()):
            least = torch.finfo(torch.float32).min
            bias = torch.where(mask[:, None, None, :], 0.0, least)
        found: Tensor = encode_whisper(body, stem, bias)
        return found

    def heard(self, sound: "Tensor") -> "Tensor":
        """Return the encoder's states of log-mel frames."""
        found: Tensor = encode_whisper(self.body, hear_whisper(self.body, sound))
        return found

    def _mel(self, window: "Samples") -> "Tensor":
        import numpy

        whole = numpy.pad(window, (0, -len(window) % self._hop))
        made = self._extractor(
            whole, sampling_rate=self.rate, padding="longest", return_tensors="pt"
        )
        found: Tensor = made["input_features"][0]
        return found


class Wave:
    """Wav2Vec2 and its like: convolutions over samples, then layers of attention."""

    def __init__(self, base: Path, extractor: Any) -> None:
        import torch
        from transformers import AutoModel

        self._extractor = extractor
        # A layer that is left out by chance could be the one at which kept states come in.
        self.model: Any = AutoModel.from_pretrained(
            base, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, layerdrop=0.0
        )
        check_wave(self.model.config)
        self.body: Any = self.model
        self.rate = int(extractor.sampling_rate)
        self.window = WINDOW * self.rate

    def positions(self, samples: int) -> int:
        """Return how many frames the convolutions make."""
        return wave_frames(self.model.config, samples)

    def sound(self, windows: Sequence["Samples"]) -> "Tensor":
        """Return samples [windows, samples], each window's scaled by itself."""
        return scaled_samples(self._extractor, windows)

    def stem(self, body: "nn.Module", sound: "Tensor", samples: Sequence[int]) -> "Tensor":
        """Return the projected frames of each window, which its padding has no part in."""
        found: Tensor = hear_wave(body, sound, samples)
        return found

    def states(self, body: "nn.Module", stem: "Tensor", mask: "Tensor") -> "Tensor":
        """Return the encoder's states, where padding is not attended to."""
        found: Tensor = encode_wave(body, stem, mask)
        return found

    def heard(self, sound: "Tensor") -> "Tensor":
        """Return the encoder's states of samples."""
        found: Tensor = self.body(sound).last_hidden_state
        return found


class Spectrogram:
    """The audio spectrogram transformer: patches of a window's spectrogram, always as many."""

    def __init__(self, base: Path, extractor: Any) -> None:
        import torch
        from transformers import AutoModelForAudioClassification

        self._extractor = extractor
        # With its classifier, whose norm is a part of how it pools; the head is hubtl's own.
        self.model: Any = AutoModelForAudioClassification.from_pretrained(
            base, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
        self.model.classifier.dense = torch.nn.Identity()
        self.body: Any = self.model
        self.rate = int(extractor.sampling_rate)
        # As Kaldi does it: frames of 25 ms, each 10 ms after the one before.
        frames = int(extractor.max_length)
        self.window = (frames - 1) * (self.rate // 100) + self.rate // 40

    def positions(self, samples: int) -> int:
        """Return how many patches there are, and the two tokens before them."""
        embeddings = self.model.audio_spectrogram_transformer.embeddings
        return int(embeddings.position_embeddings.shape[1])

    def sound(self, windows: Sequence["Samples"]) -> "Tensor":
        """Return spectrograms [windows, frames, bands], what is behind a clip's end filled up."""
        import torch

        made = self._extractor(list(windows), sampling_rate=self.rate, return_tensors="np")
        return torch.as_tensor(made["input_values"], dtype=torch.float32)

    def stem(self, body: "nn.Module", sound: "Tensor", samples: Sequence[int]) -> "Tensor":
        """Return the states of patches with their positions."""
        some: Any = body
        found: Tensor = some.audio_spectrogram_transformer.embeddings(sound)
        return found

    def states(self, body: "nn.Module", stem: "Tensor", mask: "Tensor") -> "Tensor":
        """Return one row of states a window, pooled as the model's own classifier does."""
        some: Any = body
        inner = some.audio_spectrogram_transformer
        states = stem
        for layer in inner.layers:
            states = layer(states)
        first, second = inner.layernorm(states)[:, :2].unbind(1)
        found: Tensor = some.classifier.layernorm((first + second) / 2)
        return found.unsqueeze(1)

    def heard(self, sound: "Tensor") -> "Tensor":
        """Return one row of states a window of spectrograms."""
        found: Tensor = self.body(sound).logits
        return found.unsqueeze(1)


FAMILIES: dict[str, Callable[[Path, Any], Encoder]] = {
    "whisper": Whisper,
    "wav2vec2": Wave,
    "hubert": Wave,
    "wavlm": Wave,
    "audio-spectrogram-transformer": Spectrogram,
}
