"""What the frozen part of a network makes of each input: made once, kept on disk, never again.

    FOLDER/KEY/about.json    how it was made; its time says when it was last used
    FOLDER/KEY/states.npy    [positions of all inputs, width] at the cut, one input after the other;
                             what has a shape of its own is one position
    FOLDER/KEY/starts.npy    where each input's positions start; one number more than inputs
    FOLDER/KEY/pooled.npy    [inputs, features], what the head sees of each, if that is one row
    FOLDER/KEY/contents.npy  hashes of what inputs hold, by which single rows are found again
    FOLDER/KEY/placed.*      what it sees at the places of some inputs, where it judges each place
    FOLDER/KEY/layers.npz    [some inputs, width] of each layer, and which inputs, where asked for

KEY is a hash of the base's revision, of how inputs are prepared, of what they hold, of the cut and
of the precision; the inputs themselves are never written, and those that hold the same are one. A
key's folder is written beside and renamed, so it is there whole or not at all, whoever else writes
it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry.rooms import new_room
from .cut import Cut, Tap, depth
from .distinct import Distinct, distinct
from .known_rows import POOLED, known_rows, write_contents
from .layered import Looked, read_layers
from .meter import Meter
from .network import Network, batches, padded
from .placed import Gathered, Kept, read_kept
from .precision import working_in
from .progress import Progress, silent
from .usage import make_room, used

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

FORMAT = 4
LAYERS = "layers.npz"
ROWS = 32  # at once, and fewer of long ones
POSITIONS = ROWS * 256


@dataclass(frozen=True, slots=True)
class Trunk:
    """Kept features of inputs, mapped from the disk: reading some brings in just those."""

    inputs: dict[str, int]
    pooled: NDArray[np.float32] | None
    cut: Cut | None = None
    states: NDArray[np.float32] | None = None
    starts: NDArray[np.int64] | None = None
    looked: NDArray[np.int64] | None = None
    layers: Sequence[NDArray[np.float32]] = ()
    placed: Kept | None = None

    def rows_of(self, inputs: Sequence[str]) -> NDArray[np.int64]:
        """Return the numbers of these inputs' rows in `pooled`."""
        return np.fromiter((self.inputs[each] for each in inputs), np.int64, len(inputs))

    def by_layer(
        self, inputs: Sequence[str]
    ) -> tuple[NDArray[np.int64], list[NDArray[np.float32]]]:
        """Return the places of those inputs that were looked at, and [those, width] of each layer.

        There are none where none was asked for when the trunk was made.
        """
        if self.looked is None:
            return np.zeros(0, np.int64), []
        numbers = self.rows_of(inputs)
        places = np.flatnonzero(np.isin(numbers, self.looked))
        at = np.searchsorted(self.looked, numbers[places])
        return places, [each[at] for each in self.layers]

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return the positions of each input."""
        assert self.starts is not None, "this trunk was cut"
        numbers = [self.inputs[each] for each in inputs]
        return [int(self.starts[n + 1] - self.starts[n]) for n in numbers]

    def states_of(self, inputs: Sequence[str]) -> Tensor:
        """Return the states at the cut, [inputs, positions of the longest, width], zeros behind."""
        import torch

        assert self.states is not None and self.starts is not None, "this trunk was cut"
        sizes = self.sizes(inputs)
        found = torch.zeros(len(inputs), max(sizes), self.states.shape[1])
        for row, (each, size) in enumerate(zip(inputs, sizes, strict=True)):
            start = int(self.starts[self.inputs[each]])
            found[row, :size] = torch.from_numpy(self.states[start : start + size])
        return found


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder of kept trunks, and how many bytes it may have."""

    folder: Path
    limit: int

    def fits(self, wanted: int) -> bool:
        """Return whether so many bytes of states would be within the limit, and on the disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return wanted <= min(self.limit, shutil.disk_usage(self.folder).free // 2)

    def serving(
        self, network: Network, inputs: Sequence[str], layer: int, precision: str = "fp32"
    ) -> int | None:
        """Return the highest layer, up to this one, at which a kept trunk of inputs was cut."""
        listed = distinct(network, inputs)
        kept = (
            each
            for each in range(layer, 0, -1)
            if (self.folder / key(network, listed.digest, each, precision)).is_dir()
        )
        return next(kept, None)

    def find(
        self, network: Network, inputs: Sequence[str], cut: Cut | None, precision: str = "fp32"
    ) -> Trunk | None:
        """Return the kept trunk with this cut; where none is asked, one with any or none."""
        listed = distinct(network, inputs)
        layers = (cut.layer,) if cut else (None, *range(1, depth(network)))
        for layer in layers:
            at = self.folder / key(network, listed.digest, layer, precision)
            with contextlib.suppress(FileNotFoundError):  # not there, or no longer
                return _read(at, listed)
        return None

    def make(
        self,
        network: Network,
        inputs: Sequence[str],
        cut: Cut | None,
        progress: Progress = silent,
        precision: str = "fp32",
        meter: Meter | None = None,
        look: Sequence[str] = (),
        most: int = 0,
    ) -> Trunk:
        """Return the trunk of these inputs, made now and kept: once for each input.

        Of the inputs in `look`, so many at most are looked at in each layer: by chance, but always
        the same, as their contents' hashes have it. Where there is no cut, the network runs only on
        these and on inputs that no trunk has a row of.
        """
        listed = distinct(network, inputs)
        origin = _origin(network, precision)
        self.folder.mkdir(parents=True, exist_ok=True)
        known = {} if cut else known_rows(self.folder, origin, listed)
        looked = Looked(network, sorted({listed.numbers[each] for each in look})[:most])
        with new_room(self.folder, ".new-") as room:
            with working_in(precision, network):
                _write(room, network, listed, cut, progress, meter or Meter(), looked, known)
            _tell(room, cut, origin)
            layer = cut.layer if cut else None
            return _read(self.keep(room, key(network, listed.digest, layer, precision)), listed)

    def lacking(self, network: Network, inputs: Sequence[str], precision: str = "fp32") -> float:
        """Return the share of inputs of which no trunk has what the head sees of them."""
        if self.find(network, inputs, None, precision):
            return 0.0
        listed = distinct(network, inputs)
        known = known_rows(self.folder, _origin(network, precision), listed)
        return 1 - len(known) / len(listed.inputs)

    def keep(self, room: Path, name: str) -> Path:
        """Return a room's new place under a name, made in place of what was not used longest."""
        at = self.folder / name
        make_room(self.folder, sum(path.stat().st_size for path in room.iterdir()), self.limit)
        with contextlib.suppress(OSError):  # another process was a moment faster with the same
            room.rename(at)
        return at


def key(network: Network, digest: str, layer: int | None, precision: str) -> str:
    """Return the name under which the trunk of inputs with this digest is kept."""
    about = json.dumps([FORMAT, network.identity, layer, digest, precision])
    return hashlib.sha256(about.encode()).hexdigest()[:40]


def _origin(network: Network, precision: str) -> str:
    """Return what all features of a network in a precision have in common, whatever the inputs."""
    about = json.dumps([FORMAT, network.identity, precision])
    return hashlib.sha256(about.encode()).hexdigest()


def _write(
    room: Path,
    network: Network,
    listed: Distinct,
    cut: Cut | None,
    progress: Progress,
    meter: Meter,
    looked: Looked,
    known: Mapping[int, NDArray[np.float32]],
) -> None:
    """Run the network once over inputs, longest first, and write down what it makes.

    It does not run on inputs whose rows are known, but for those that are looked at.
    """
    import torch

    network.body.eval()
    inputs = listed.inputs
    sizes = network.sizes(inputs)
    todo = [n for n in range(len(inputs)) if n not in known or n in looked.numbers]
    counts = cut.positions(sizes) if cut else sizes
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    pooled: Any = _filled(room / POOLED, len(inputs), known) if known else None
    states: Any = None
    gathered = Gathered(room, sizes) if getattr(network, "places", False) else None
    done = 0
    progress("features", 0, len(todo))
    with torch.inference_mode():
        for some in batches([sizes[n] for n in todo], ROWS, POSITIONS, alike=network.alike):
            numbers = [todo[place] for place in some]
            tapped = Tap(network, cut.layer) if cut else contextlib.nullcontext()
            watching = looked.watching(numbers, [sizes[number] for number in numbers])
            with meter.stage("features", padded(sizes, [numbers])), tapped as tap, watching as head:
                batch = network.collate([inputs[number] for number in numbers])
                features = network.features(batch).float().cpu().numpy()
                head.append(features)
            if features.ndim == 2:
                if pooled is None:
                    pooled = _new(room / POOLED, (len(inputs), features.shape[1]))
                pooled[numbers] = features
            elif gathered:
                gathered.add(numbers, features)
            if tap:
                assert tap.states is not None, "the network has just run"
                assert cut is not None, "a tap is at a cut"
                given = tap.states.float().cpu().numpy().reshape(len(numbers), -1, cut.width)
                if states is None:
                    states = _new(room / "states.npy", (int(starts[-1]), cut.width))
                for row, number in enumerate(numbers):
                    states[starts[number] : starts[number + 1]] = given[row, : counts[number]]
            done += len(numbers)
            progress("features", done, len(todo))
    for each in (pooled, states):
        if each is not None:
            each.flush()
    kept = sum(each.nbytes for each in (pooled, states) if each is not None)
    meter.kept_bytes = (kept + (gathered.close() if gathered else 0)) / sum(sizes)
    np.save(room / "starts.npy", starts)
    looked.write(room / LAYERS)
    if pooled is not None:
        write_contents(room, listed)


def _filled(path: Path, count: int, known: Mapping[int, NDArray[np.float32]]) -> Any:
    """Return a new file's array of so many rows, in which those are that are known."""
    rows = _new(path, (count, len(next(iter(known.values())))))
    for number, row in known.items():
        rows[number] = row
    return rows


def _tell(room: Path, cut: Cut | None, origin: str) -> None:
    """Write down how a trunk was made."""
    about = {"format": FORMAT, "cut": asdict(cut) if cut else None, "origin": origin}
    (room / "about.json").write_text(json.dumps(about), "utf-8")


def _new(path: Path, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)


def _read(at: Path, listed: Distinct) -> Trunk:
    """Return a kept trunk, and note that it was used."""
    about = json.loads((at / "about.json").read_text("utf-8"))
    used(at)
    # Torch wants arrays that may be written; what is written to these would stay in memory.
    pooled = np.load(at / POOLED, mmap_mode="c") if (at / POOLED).exists() else None
    looked, layers = read_layers(at / LAYERS) if (at / LAYERS).exists() else (None, ())
    placed = read_kept(at)
    if not about["cut"]:
        return Trunk(listed.numbers, pooled, looked=looked, layers=layers, placed=placed)
    states = np.load(at / "states.npy", mmap_mode="c")
    cut = Cut(**{**about["cut"], "shape": tuple(about["cut"]["shape"])})
    starts = np.load(at / "starts.npy")
    return Trunk(listed.numbers, pooled, cut, states, starts, looked, layers, placed)
