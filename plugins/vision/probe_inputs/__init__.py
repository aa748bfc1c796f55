"""Twenty public pictures, drawn for hubtl: their logits prove an adapter on any machine."""

from pathlib import Path

PROBE_INPUTS = tuple(str(path) for path in sorted(Path(__file__).parent.glob("*.png")))
