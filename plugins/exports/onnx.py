"""The form `onnx`: a graph from tensors to logits, written by torch's own exporter."""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.errors import BadOption
from ...registry.rooms import temporary_room
from ..export import Export, Graph, Graphed, Saved
from ..hookspecs import Task, hookimpl

if TYPE_CHECKING:
    from torch import Tensor, nn

MODEL = "model.onnx"
EXTRA = "hubtl[onnx]"
# A protobuf holds two gigabytes; of larger models the weights go beside it.
MOST_BYTES = 1_900_000_000


class Onnx:
    """A graph that onnxruntime runs without torch."""

    name = "onnx"
    about = "a graph from tensors to logits (`model.onnx`), in 32 bits"
    library = "onnx"
    needs: Mapping[str, str] = dict.fromkeys(("onnx", "onnxscript", "onnxruntime"), EXTRA)
    # Measured: 5e-6 of the largest logit at most: sums come out by how they are divided.
    tolerance = 1e-4

    def fits(self, task: Task) -> bool:
        """Return whether the task's networks give logits in one go."""
        return isinstance(task, Graphed)

    def write(self, task: Task, saved: Saved, folder: Path) -> str:
        """Write the graph, the labels and what prepares inputs; return the graph's own code."""
        assert isinstance(task, Graphed), "it fits"
        with temporary_room("hubtl-merged-") as room:
            task.merge(saved, room)
            graph = task.graph(room, saved.loading)
            for name in ("config.json", *graph.files):
                if (room / name).is_file():
                    shutil.copyfile(room / name, folder / name)
        _write(graph, folder / MODEL)
        return graph.code


def _write(graph: Graph, path: Path) -> None:
    """Write a graph; raises BadOption where torch can't tell the network in ONNX."""
    import torch

    size = sum(each.numel() * each.element_size() for each in graph.model.state_dict().values())
    any_size = torch.export.Dim.DYNAMIC
    axes = tuple(dict.fromkeys(graph.axes[name], any_size) for name in graph.example)
    try:
        with _quiet():
            program = torch.onnx.export(
                _function(graph).cpu().eval(),
                tuple(graph.example.values()),
                input_names=list(graph.example),
                output_names=list(graph.outputs),
                dynamic_shapes=(axes,),
                dynamo=True,
                verbose=False,
            )
            assert program is not None, "dynamo exports to a program"
            _forget_origins(program.model)
            program.save(path, external_data=size > MOST_BYTES)
    except torch.onnx.OnnxExporterError as error:
        why = str(error.__cause__ or error).strip().splitlines()[0][:200]
        raise BadOption(
            f"torch can't write this network as ONNX: {why}", "--format merged is a whole model"
        ) from error


def _forget_origins(model: Any) -> None:
    """Take out of a graph which lines of which files of this machine each node came from."""
    for graph in (model.graph, *(each.graph for each in model.functions.values())):
        for node in graph.all_nodes():
            node.metadata_props.clear()
            for value in node.outputs:
                value.metadata_props.clear()


def _function(graph: Graph) -> nn.Module:
    """Return a graph's network as a module that takes its inputs in order."""
    from torch import nn

    class Function(nn.Module):
        """Holds the weights, and runs them as the graph does."""

        def __init__(self) -> None:
            super().__init__()
            self.model = graph.model

        def forward(self, *inputs: Tensor) -> Any:
            return graph.run(dict(zip(graph.example, inputs, strict=True)))

    return Function()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what the exporter says of its own steps, and of packages it can do without."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(disabled)


@hookimpl
def register_exports() -> list[Export]:
    """Offer ONNX."""
    return [Onnx()]
