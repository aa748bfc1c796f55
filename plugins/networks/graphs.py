"""What the code of all graphs shares: how a graph is opened where it lies."""

from __future__ import annotations

SESSION = """\
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
"""
