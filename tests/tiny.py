"""Tiny models of pictures and of sound with random weights, and folders of data they can learn."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from hubtl.plugins.hubs.folder import Folder
from hubtl.registry.cache import ModelCache
from hubtl.registry.fingerprint import files_in

SIDE = 32
RATE = 16_000
CARD = "---\nlicense: mit\npipeline_tag: {task}\n---\n# tiny\n"
COLOURS = {"red": (220, 40, 40), "blue": (40, 60, 220), "green": (40, 200, 60)}
PITCHES = {"low": 220.0, "high": 1760.0}
# Two of three classes bear one name, as two of ImageNet's do; and there are as many as colours.
NAMES = {"id2label": {0: "crane", 1: "crane", 2: "heron"}, "label2id": {"crane": 1, "heron": 2}}
LAYERS = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2}
WIDE = {**LAYERS, "intermediate_size": 32, "initializer_range": 0.3}
PATCHES = {**WIDE, "image_size": SIDE, "patch_size": 8, **NAMES}
VIT_PICTURES = transformers.ViTImageProcessorPil
CONVOLUTIONS = {"conv_dim": (12, 12), "conv_kernel": (64, 16), "conv_stride": (40, 8)}
WAVES = {
    **WIDE,
    **CONVOLUTIONS,
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 8,
}
MELS = {"feature_size": 16, "hop_length": 160, "n_fft": 400}


def vit(folder: Path) -> None:
    """Write a vision transformer of three layers."""
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    config = ViTConfig(**WIDE, image_size=SIDE, patch_size=8, **NAMES)
    _write(ViTForImageClassification, config, ViTImageProcessorPil, folder)


def resnet(folder: Path) -> None:
    """Write a residual network of three stages."""
    from transformers import ConvNextImageProcessorPil, ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 12, 16], depths=[1, 1, 1], layer_type="basic", **NAMES
    )
    _write(ResNetForImageClassification, config, ConvNextImageProcessorPil, folder)


def efficientnet(folder: Path) -> None:
    """Write an EfficientNet of three blocks."""
    from transformers import (
        EfficientNetConfig,
        EfficientNetForImageClassification,
        EfficientNetImageProcessorPil,
    )

    config = EfficientNetConfig(
        image_size=SIDE,
        width_coefficient=1 / 80,
        depth_coefficient=1.0,
        depth_divisor=4,
        kernel_sizes=[3, 3, 3],
        in_channels=[320, 640, 960],
        out_channels=[640, 960, 1280],
        depthwise_padding=[],
        strides=[1, 2, 2],
        num_block_repeats=[1, 1, 1],
        expand_ratios=[1, 2, 2],
        hidden_dim=16,
        initializer_range=0.3,
        batch_norm_momentum=0.1,
        **NAMES,
    )
    _write(EfficientNetForImageClassification, config, EfficientNetImageProcessorPil, folder)


def convnext(folder: Path) -> None:
    """Write a ConvNeXt of three stages."""
    from transformers import ConvNextConfig, ConvNextForImageClassification
    from transformers import ConvNextImageProcessorPil as Processor

    sizes = {"hidden_sizes": [8, 12, 16], "depths": [1, 1, 1], "num_stages": 3}
    config = ConvNextConfig(**sizes, initializer_range=0.3, layer_scale_init_value=0.5, **NAMES)
    _write(ConvNextForImageClassification, config, Processor, folder)


def swin(folder: Path) -> None:
    """Write a Swin transformer of two stages."""
    from transformers import SwinConfig, SwinForImageClassification, ViTImageProcessorPil

    sizes = {"embed_dim": 8, "depths": [1, 2], "num_heads": [2, 2], "window_size": 4}
    config = SwinConfig(**sizes, image_size=SIDE, patch_size=4, initializer_range=0.3, **NAMES)
    _write(SwinForImageClassification, config, ViTImageProcessorPil, folder)


def deit(folder: Path) -> None:
    """Write a DeiT of three layers, with a sign for its teacher."""
    config = transformers.DeiTConfig(**PATCHES)
    _write(transformers.DeiTForImageClassification, config, VIT_PICTURES, folder)


def dinov2(folder: Path) -> None:
    """Write a DINOv2 of three layers, whose head sees the first sign and the mean of patches."""
    config = transformers.Dinov2Config(**PATCHES, mlp_ratio=2)
    _write(transformers.Dinov2ForImageClassification, config, VIT_PICTURES, folder)


def siglip(folder: Path) -> None:
    """Write the picture's half of a SigLIP, of three layers."""
    config = transformers.SiglipConfig(vision_config=PATCHES, **NAMES)
    _write(transformers.SiglipForImageClassification, config, VIT_PICTURES, folder)


def mobilenet(folder: Path) -> None:
    """Write a MobileNetV2."""
    from transformers import (
        MobileNetV2Config,
        MobileNetV2ForImageClassification,
        MobileNetV2ImageProcessorPil,
    )

    config = MobileNetV2Config(depth_multiplier=0.1, min_depth=8, image_size=SIDE, **NAMES)
    _write(MobileNetV2ForImageClassification, config, MobileNetV2ImageProcessorPil, folder)


def whisper(folder: Path) -> None:
    """Write a Whisper that hears 1 second at once."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    config = WhisperConfig(
        d_model=16,
        encoder_layers=3,
        encoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=16,
        num_mel_bins=MELS["feature_size"],
        max_source_positions=50,
        max_target_positions=8,
        vocab_size=8,
        init_std=0.3,
        **{f"{name}_token_id": 0 for name in ("pad", "bos", "eos", "decoder_start")},
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    _write_sound(WhisperForConditionalGeneration, config, WhisperFeatureExtractor(**MELS), folder)


def wav2vec2(folder: Path) -> None:
    """Write a Wav2Vec2 whose first convolution's norm is over time, as in the first ones."""
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(**WAVES, feat_extract_norm="group", do_stable_layer_norm=False)
    _write_sound(Wav2Vec2Model, config, _samples(False), folder)


def wav2vec2_large(folder: Path) -> None:
    """Write a Wav2Vec2 whose convolutions' norms are over channels, as in the large ones."""
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(**WAVES, feat_extract_norm="layer", do_stable_layer_norm=True)
    _write_sound(Wav2Vec2Model, config, _samples(True), folder)


def hubert(folder: Path) -> None:
    """Write a HuBERT."""
    from transformers import HubertConfig, HubertModel

    _write_sound(HubertModel, HubertConfig(**WAVES), _samples(False), folder)


def wavlm(folder: Path) -> None:
    """Write a WavLM, whose first layer makes a bias of positions for all."""
    from transformers import WavLMConfig, WavLMModel

    config = WavLMConfig(**WAVES, num_buckets=16, max_bucket_distance=40)
    _write_sound(WavLMModel, config, _samples(True), folder)


def ast(folder: Path) -> None:
    """Write an audio spectrogram transformer that hears 64 frames at once."""
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    sizes = {"num_mel_bins": 16, "max_length": 64}
    strides = {"patch_size": 8, "frequency_stride": 8, "time_stride": 8}
    config = ASTConfig(**WIDE, **sizes, **strides, num_labels=3)
    _write_sound(ASTForAudioClassification, config, ASTFeatureExtractor(**sizes), folder)


PICTURES: dict[str, Callable[[Path], None]] = {
    "vit": vit,
    "resnet": resnet,
    "efficientnet": efficientnet,
    "convnext": convnext,
    "swin": swin,
    "deit": deit,
    "dinov2": dinov2,
    "siglip": siglip,
    "mobilenet": mobilenet,
}
SOUND: dict[str, Callable[[Path], None]] = {
    "whisper": whisper,
    "wav2vec2": wav2vec2,
    "wav2vec2-large": wav2vec2_large,
    "hubert": hubert,
    "wavlm": wavlm,
    "ast": ast,
}


def hub_of(room: Path, *names: str) -> Folder:
    """Return a folder hub that holds these tiny models, as `acme/NAME`."""
    cache = ModelCache(room / "shelf")
    for name in names:
        folder = room / "made" / name
        folder.mkdir(parents=True)
        {**PICTURES, **SOUND}[name](folder)
        cache.add(f"acme/{name}", files_in(folder))
    return Folder(cache.root)


def picture_folder(folder: Path, rows: int = 8, seed: int = 0) -> Path:
    """Write a folder of pictures of three colours, each with its noise, and return it."""
    from PIL import Image

    dice = np.random.default_rng(seed)
    for label, colour in COLOURS.items():
        (folder / label).mkdir(parents=True)
        for number in range(rows):
            shape = (40 + 3 * number, 36, 3)
            pixels = np.asarray(colour) + dice.normal(0, 25, shape)
            picture = Image.fromarray(pixels.clip(0, 255).astype("uint8"))
            picture.save(folder / label / f"{number}.png")
    return folder


def clip_folder(folder: Path, rows: int = 10, seed: int = 0) -> Path:
    """Write a folder of clips of two pitches, of 0.2 to 1.4 s and noisy, and return it."""
    dice = np.random.default_rng(seed)
    for label, pitch in PITCHES.items():
        (folder / label).mkdir(parents=True)
        for number in range(rows):
            write_clip(folder / label / f"{number}.wav", pitch, 0.2 + 0.13 * number, dice)
    return folder


def write_clip(path: Path, pitch: float, seconds: float, dice: np.random.Generator) -> None:
    """Write a noisy tone as a wav file at 16 kHz."""
    times = np.arange(int(seconds * RATE)) / RATE
    tone = 0.4 * np.sin(2 * np.pi * pitch * (1 + dice.normal(0, 0.02)) * times)
    noisy = tone + dice.normal(0, 0.02, len(times))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((noisy.clip(-1, 1) * 32767).astype("<i2").tobytes())


def _samples(normalize: bool) -> Any:
    from transformers import Wav2Vec2FeatureExtractor

    return Wav2Vec2FeatureExtractor(do_normalize=normalize, return_attention_mask=normalize)


def _write(kind: Any, config: Any, processor: Any, folder: Path) -> None:
    torch.manual_seed(7)
    model = kind(config)
    _settle(model)
    model.save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    if "shortest_edge" in (processor.size or {}):
        size = {"shortest_edge": SIDE}
    processor(size=size, crop_size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    (folder / "README.md").write_text(CARD.format(task="image-classification"))


def _settle(model: Any) -> None:
    """Give norms that count running statistics of their own, and scales that let signal through."""
    for module in model.modules():
        if getattr(module, "running_mean", None) is not None:
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.ones_(module.weight)


def _write_sound(kind: Any, config: Any, extractor: Any, folder: Path) -> None:
    torch.manual_seed(7)
    kind(config).save_pretrained(folder)
    extractor.save_pretrained(folder)
    (folder / "README.md").write_text(CARD.format(task="audio-classification"))
