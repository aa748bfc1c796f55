"""What is known of whether a model may be trusted: whether loading it can run a stranger's code.

A trust is some of these facts; none means that nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SAFE, PICKLE, OTHER, CODE, GATED = "safetensors", "pickle", "other", "code", "gated"
# What hubtl never loads, and what is said of it.
REFUSED: Mapping[str, str] = {
    PICKLE: "only as a pickle",
    OTHER: "no safetensors weights",
    CODE: "needs code of its own",
}
FACTS = (SAFE, PICKLE, OTHER, CODE, GATED)
SAFETENSORS = ".safetensors"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".dill")
OTHER_WEIGHTS = (".gguf", ".onnx", ".h5", ".keras", ".msgpack", ".tflite", ".mlmodel", ".ot")
# A hub tags a model with the formats that its files have.
PICKLED_BY = {"pytorch"}
OTHERWISE = {"gguf", "onnx", "tf", "jax", "keras", "coreml", "openvino", "tflite", "mlx"}
NEEDS_CODE = "custom_code"


def trust_told(
    tags: Iterable[str], files: Iterable[str] = (), *, weighed: bool = False, gated: bool = False
) -> tuple[str, ...]:
    """Return what tags and files tell of trust; `weighed`: the hub has read safetensors there.

    The tag of another format is told only where that of safetensors is missing; without any, and
    without files, nothing is known.
    """
    known, paths = set(tags), [path.lower() for path in files]
    found = []
    if weighed or any(path.endswith(SAFETENSORS) for path in paths):
        found.append(SAFE)
    elif any(path.endswith(PICKLES) for path in paths):
        found.append(PICKLE)
    elif any(path.endswith(OTHER_WEIGHTS) for path in paths):
        found.append(OTHER)
    elif paths:  # no weights that are known: `pull` says so
        pass
    elif SAFE in known:
        found.append(SAFE)
    elif known & PICKLED_BY:
        found.append(PICKLE)
    elif known & OTHERWISE:
        found.append(OTHER)
    found += [CODE] if NEEDS_CODE in known else []
    found += [GATED] if gated else []
    return tuple(found)


def is_refused(trust: Iterable[str]) -> bool:
    """Return whether hubtl never loads a model of which this is known."""
    return not REFUSED.keys().isdisjoint(trust)
