"""One way to open an ONNX network, so that a training reads from it what the product will."""

from pathlib import Path

import onnxruntime

from vision.errors import WeightsError
from vision.processor import int8_may_overflow


def open_session(path: Path, *, threads: int = 0) -> onnxruntime.InferenceSession:
    """A session on the CPU; `threads` 0 takes every core. Raises WeightsError."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin while they wait take the cores from the heads and from other sessions.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if int8_may_overflow():
        # A path without the overflow. With VNNI it would only halve the speed (measured).
        options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a dozen unrelated classes here
        raise WeightsError(f"{path.name} cannot be run by ONNX Runtime: {error}") from None
