"""What is alike is found, and whose label is doubtful: texts, pictures, clips, vectors."""

from __future__ import annotations

import numpy as np

from hubtl.plugins.speech.look import Clips
from hubtl.plugins.text.look import Texts
from hubtl.plugins.vision.look import Pictures
from hubtl.transfer.alike import alike_sets, alike_vectors
from hubtl.transfer.noise import suspects

from .conftest import ROOT


def test_suspects_are_those_whose_class_is_another_by_their_features_the_surest_first():
    dice = np.random.default_rng(0)
    targets = np.arange(300) % 3
    features = dice.normal(size=(300, 8)) * 0.3 + 3 * np.eye(8)[targets]
    wrong = targets.copy()
    wrong[[5, 70]] = (wrong[[5, 70]] + 1) % 3
    found = suspects(features, wrong)
    assert sorted((each.row, each.other) for each in found) == [(5, 2), (70, 1)]
    assert suspects(features, targets) == []


def test_sets_that_share_four_fifths_are_paired_however_many_there_are():
    dice = np.random.default_rng(0)
    sets = [np.unique(dice.integers(1 << 32, size=200, dtype="uint32")) for _ in range(400)]
    near = [np.unique(np.append(each[20:], dice.integers(1 << 32, size=20))) for each in sets[:50]]
    assert alike_sets([*sets, *near], 0.75) == [(n, 400 + n) for n in range(50)]
    assert alike_sets([sets[0][:0], sets[1][:0]], 0.5) == []


def test_vectors_are_paired_across_blocks():
    far = np.eye(2100, 8, dtype="float32")
    far[2050] = far[3]
    far[0] = far[1] = far[2] = far[4] = far[5] = far[6] = far[7] = 0
    assert alike_vectors(far, 0.99) == [(3, 2050)]


def test_texts_tell_their_language_only_where_their_small_words_do():
    said = ["the cat is in the house", "der Hund und die Katze ist nicht da", "zxcv", "la mer"]
    assert Texts(said).traits() == {"language": ["en", "de", "unknown", "unknown"]}


def test_a_picture_saved_smaller_is_near_its_original_and_others_are_not(tmp_path):
    from PIL import Image

    paths = sorted(str(p) for p in (ROOT / "examples/noto-emoji/train").rglob("*.webp"))[:20]
    small = tmp_path / "small.jpg"
    picture = Image.open(paths[4]).convert("RGBA")
    white = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    white.convert("RGB").resize((60, 60)).save(small, quality=80)
    assert Pictures([*paths, str(small)]).alike() == [(4, 20)]


def test_a_clip_half_as_loud_after_silence_is_near_its_original_and_others_are_not(tmp_path):
    import soundfile

    paths = sorted(str(p) for p in (ROOT / "examples/letters-and-numbers/clips").iterdir())[:20]
    samples, rate = soundfile.read(paths[4])
    later = tmp_path / "later.wav"
    soundfile.write(later, np.concatenate([np.zeros(rate // 2), samples / 2]), rate)
    assert Clips([*paths, str(later)]).alike() == [(4, 20)]
