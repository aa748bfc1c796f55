"""Sound clips: the files they come in, what is wrong with one, and its samples for a model."""

# Without `from __future__ import annotations`: the source of read_clip runs by itself in cards, so
# whatever it names must be there when Python defines it.
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...registry.errors import BadData, Unreachable

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray
    from soundfile import SoundFile

# Of what libsndfile reads, the formats with a header that people keep sound in.
ENDINGS = (
    *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aiff", ".aif", ".aifc", ".au", ".snd"),
    *(".caf", ".w64", ".rf64", ".sph"),
)
# By content. libsndfile reads more, some wrongly: headers of blocks in VOC are noise to it.
FORMATS = ("WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "NIST")
OTHER_ENDINGS = (
    *(".m4a", ".mp4", ".m4b", ".mov", ".aac", ".wma", ".amr", ".3gp", ".webm", ".mka", ".mkv"),
    *(".ac3", ".ape", ".wv", ".mid", ".voc", ".raw", ".pcm", ".gsm", ".g722", ".sln"),
)
# Other formats by their first bytes: phones rename files, and call what they recorded .wav.
OTHER_STARTS = {
    rb"....ftyp": "m4a or mp4",
    rb"\x1aE\xdf\xa3": "webm",
    rb"#!AMR": "amr",
    rb"0&\xb2u\x8ef\xcf\x11": "wma",
    rb"\xff[\xf0\xf1\xf8\xf9]": "aac",
}
LONGEST = 600
SLOWEST, FASTEST = 1_000, 768_000
# 10 minutes of 8 channels at 48 kHz: more would take minutes to read.
MOST_SAMPLES = LONGEST * 48_000 * 8
BLOCK = 1 << 18
# What a header says that was written before the end of a recording was known, or close to it.
UNKNOWN_BYTES, UNKNOWN_FRAMES = 2**31 - 2**16, 2**62
# How libsndfile logs that there is less sound than said. What a RIFF or FORM says of itself as a
# whole is often wrong, and harms nothing.
CUT_OFF = re.compile(r"^ *(?!RIFF|FORM)[\w ]+: (\d+) \(should be (\d+)\)", re.MULTILINE)
SILENT = 10 ** (-60 / 20)
REPLACE = "replace it, or leave it out"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a clip is like: its length, the peak of its channels' average, and if it is distorted.

    `clipped` is that the tops of waves are cut off: of all samples more than one in 10,000 is at
    least the third in a row at full scale.
    """

    seconds: float
    peak: float
    clipped: bool

    @property
    def silent(self) -> bool:
        """Whether nothing in it is louder than -60 dB of full scale."""
        return self.peak < SILENT


def read_clip(path: str, rate: int, trim: bool) -> "NDArray[float32]":
    """Return up to 10 minutes of a clip, mono at `rate` Hz, trimmed of silence or not.

    What goes beyond -1 to 1 is scaled down as a whole, NaN is 0; 0.1 s is the least.
    """
    from fractions import Fraction

    import numpy as np
    import soundfile
    from scipy.signal import resample_poly

    with soundfile.SoundFile(path) as file:
        ratio = Fraction(rate, file.samplerate).limit_denominator(1000)
        up, down = ratio.numerator, ratio.denominator
        size = down * max(1, 2**18 // file.channels // down)
        parts, mono = [], np.zeros(20 * down)
        for left in range(600 * file.samplerate, 0, -size):
            block = file.read(min(size, left), "float32", always_2d=True)
            ended = len(block) < size or left <= size
            block = np.nan_to_num(block, posinf=0, neginf=0).mean(1, "float64")
            end = np.zeros(10 * down * ended)
            mono = np.concatenate([mono[-20 * down :], block, end])
            parts.append(resample_poly(mono, up, down)[10 * up : -10 * up])
            if ended:
                break
    clip = np.concatenate(parts)[10 * up :]
    clip = (clip / max(1, abs(clip).max(initial=0))).astype("float32")
    frame, edge = rate // 50, rate // 20
    power = clip[: len(clip) // frame * frame].reshape(-1, frame).var(1)
    loud = np.flatnonzero(power > max(1e-4 * power.max(initial=0), 1e-12))
    if trim and len(loud):
        clip = clip[max(0, loud[0] * frame - edge) : (loud[-1] + 1) * frame + edge]
    return np.pad(clip, (0, max(0, rate // 10 - len(clip))))


def seconds_of(path: str) -> float:
    """Return how many seconds of a clip read_clip reads, by what its header says."""
    import soundfile

    return min(float(soundfile.info(path).duration), float(LONGEST))


def check_clip(path: Path) -> None:
    """Read a clip to its end; raises BadData that says why it can't be used."""
    hear(path)


def hear(path: Path) -> Heard:
    """Return what a clip is like, read to its end; raises BadData where it can't be used."""
    import numpy

    with _opened(path) as file:
        _check_header(path, file)
        frames, peak, distorted = 0, 0.0, 0
        before = numpy.zeros((2, file.channels), bool)
        for block in _blocks(path, file):
            frames += len(block)
            samples = numpy.nan_to_num(block, posinf=0, neginf=0)
            peak = max(peak, float(abs(samples.mean(1, "float64")).max()))
            full = numpy.concatenate([before, abs(samples) >= 0.999])
            distorted += int((full[2:] & full[1:-1] & full[:-2]).sum())
            before = full[-2:]
        clipped = distorted > frames * file.channels / 10_000
        return Heard(frames / file.samplerate, peak, clipped)


def describe_clips(clips: Sequence[Heard]) -> str:
    """Return one line on what clips are like together, fit for a card: it names none."""
    if not clips:
        return "no clips"
    mean = sum(clip.seconds for clip in clips) / len(clips)
    facts = [f"{len(clips)} clip{'s' * (len(clips) > 1)} of {mean:.1f} s on average"]
    silent = sum(clip.silent for clip in clips)
    clipped = sum(clip.clipped for clip in clips)
    facts += [f"{silent} silent"] * bool(silent) + [f"{clipped} distorted"] * bool(clipped)
    return ", ".join(facts)


def _opened(path: Path) -> "SoundFile":
    """Return the open file; raises BadData where it is none, or none with sound."""
    try:
        import soundfile
    except (ImportError, OSError) as error:
        hint = "pip install 'hubtl[speech]'"
        raise Unreachable("sound is read by soundfile, which is not installed", hint) from error

    start = _start(path)
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, TypeError) as error:
        ending = path.suffix.lower()
        kinds = [kind for form, kind in OTHER_STARTS.items() if re.match(form, start, re.DOTALL)]
        kinds += [ending[1:]] if ending in OTHER_ENDINGS else []
        if kinds:
            raise _foreign(path, kinds[0]) from error
        hint = f"if other programs play it, convert it: {_conversion(path)}"
        raise BadData(f"`{path}` is not a sound file, or a damaged one", hint) from error
    if file.format not in FORMATS:
        file.close()
        raise _foreign(path, file.format.lower())
    return file


def _start(path: Path) -> bytes:
    """Return a file's first bytes; raises BadData where there are none."""
    try:
        # A pipe would be waited for without end.
        if not path.is_file():
            what = "is not a file" if path.exists() else "does not exist"
            raise BadData(f"`{path}` {what}", REPLACE)
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise BadData(f"`{path}` can't be read: {error.strerror}", "look at its owner") from error
    if not start:
        raise BadData(f"`{path}` is empty", REPLACE)
    return start


def _foreign(path: Path, kind: str) -> BadData:
    hint = f"convert it to wav or flac: {_conversion(path)}"
    return BadData(f"`{path}` is {kind}, which hubtl does not read", hint)


def _conversion(path: Path) -> str:
    """Return the command that makes a file of another format out of any that ffmpeg reads."""
    target = path.with_suffix(".wav" if path.suffix.lower() == ".flac" else ".flac")
    return shlex.join(["ffmpeg", "-i", path.name, target.name])


def _check_header(path: Path, file: "SoundFile") -> None:
    """Raise BadData where what a header says rules a clip out, without reading more of it."""
    if not SLOWEST <= file.samplerate <= FASTEST:
        raise BadData(
            f"`{path}` says that it has {file.samplerate:,} samples a second",
            f"{SLOWEST:,} to {FASTEST:,} can be; {REPLACE}",
        )
    if file.frames >= UNKNOWN_FRAMES:
        raise BadData(f"`{path}` does not say how long it is", f"do: {_conversion(path)}")
    seconds = file.frames / file.samplerate
    if seconds > LONGEST:
        most = f"{LONGEST // 60} minutes can be: cut it up, or leave it out"
        raise BadData(f"`{path}` is too long: {seconds / 60:,.1f} minutes", most)
    if file.frames * file.channels > MOST_SAMPLES:
        most = f"{MOST_SAMPLES:,} can be, of all channels: cut it up, or leave it out"
        raise BadData(f"`{path}` has {file.frames * file.channels:,} samples", most)
    # libsndfile reads on with the length that there is, and only its log says so.
    for says, there in CUT_OFF.findall(file.extra_info):
        if int(there) * 1.01 + 64 < int(says) < UNKNOWN_BYTES:
            raise BadData(f"`{path}` is cut off: {there} of {says} bytes are there", REPLACE)


def _blocks(path: Path, file: "SoundFile") -> "Iterator[NDArray[float32]]":
    """Yield a clip's samples [frames, channels] block by block; raises BadData if they end early.

    A frame or two of mp3 may be missing: encoders differ in how they count.
    """
    import soundfile

    read, size = 0, max(1, BLOCK // file.channels)
    try:
        # Counted, so that a file whose position goes backwards comes to an end too.
        for _ in range(0, file.frames, size):
            block = file.read(size, "float32", always_2d=True)
            read += len(block)
            if len(block):
                yield block
    except soundfile.SoundFileError as error:
        where = f"after {read / file.samplerate:.1f} s"
        raise BadData(f"`{path}` is damaged {where}", REPLACE) from error
    if read == 0:
        raise BadData(f"`{path}` has no sound in it", REPLACE)
    if read < 0.99 * file.frames - 0.1 * file.samplerate:
        there, says = read / file.samplerate, file.frames / file.samplerate
        raise BadData(f"`{path}` is cut off: {there:.1f} of {says:.1f} s are there", REPLACE)
