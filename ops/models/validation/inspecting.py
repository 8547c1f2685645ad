"""Reads a model repository with Triton's own schema and the ONNX library; a script for the serving environment.

Takes the repository's folder as its argument and writes JSON to standard output: for each folder of a model its
`config` (field names as in config.pbtxt) or `error`, its files, and what its ONNX graphs take and give. The schema is
`tritonclient.grpc.model_config_pb2`, NVIDIA's own; text_format refuses a field that it does not know.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import onnx  # pyright: ignore[reportMissingImports]
import onnxruntime  # pyright: ignore[reportMissingImports]
from google.protobuf import json_format, text_format  # pyright: ignore[reportMissingImports]
from tritonclient.grpc import model_config_pb2  # pyright: ignore[reportMissingImports]

TYPES = {
    "BOOL": "TYPE_BOOL", "UINT8": "TYPE_UINT8", "UINT16": "TYPE_UINT16", "UINT32": "TYPE_UINT32",
    "UINT64": "TYPE_UINT64", "INT8": "TYPE_INT8", "INT16": "TYPE_INT16", "INT32": "TYPE_INT32", "INT64": "TYPE_INT64",
    "FLOAT16": "TYPE_FP16", "FLOAT": "TYPE_FP32", "DOUBLE": "TYPE_FP64", "STRING": "TYPE_STRING",
    "BFLOAT16": "TYPE_BF16",
}  # fmt: skip
"""ONNX's names of data types → Triton's (its onnxruntime backend's table)."""


def read_model(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "files": {
            path.relative_to(folder).as_posix(): path.stat().st_size
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
        "folders": sorted(path.name for path in folder.iterdir() if path.is_dir()),
        "graphs": {},
    }
    config = folder / "config.pbtxt"
    if config.is_file():
        try:
            message = text_format.Parse(config.read_text(encoding="utf-8"), model_config_pb2.ModelConfig())
            found["config"] = json_format.MessageToDict(message, preserving_proto_field_name=True)
            found["config"]["max_batch_size"] = message.max_batch_size
        except (text_format.ParseError, UnicodeDecodeError) as error:
            found["error"] = " ".join(str(error).split())
    for path in sorted(folder.glob("*/*.onnx")):
        found["graphs"][path.relative_to(folder).as_posix()] = read_graph(path)
    return found


def read_graph(path: Path) -> dict[str, Any]:
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
        inferred = onnx.shape_inference.infer_shapes(model)
    except Exception as error:  # the library's errors share no base class
        return {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
    constants = {constant.name for constant in model.graph.initializer}
    return {
        "inputs": {v.name: tensor(v) for v in model.graph.input if v.name not in constants},
        "outputs": {v.name: tensor(v) for v in model.graph.output},
        "unrunnable": unrunnable(model),
        # Classic models keep their weights in attributes of a node: the file's size tells those.
        "weights_bytes": max(path.stat().st_size, sum(constant_bytes(each) for each in model.graph.initializer)),
        "row_bytes": sum(row_bytes(v) for v in (*inferred.graph.value_info, *inferred.graph.output)),
    }


def unrunnable(model: Any) -> str:
    """Why onnxruntime takes no graph of this one's opsets and format, whatever is in it; empty: it does."""
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    known = [each for each in model.opset_import if each.domain in ("", "ai.onnx.ml")]
    probe = onnx.helper.make_model(
        onnx.helper.make_graph([node], "probe", [value], [out]), opset_imports=known, ir_version=model.ir_version
    )
    try:
        onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception:  # the library's errors share no base class
        opsets = ", ".join(sorted({f"{each.domain or 'ai.onnx'} {each.version}" for each in known}))
        return f"opset {opsets}, format {model.ir_version}, which onnxruntime {onnxruntime.__version__} does not run"
    return ""


def tensor(value: Any) -> dict[str, Any]:
    kind = value.type.tensor_type
    name = onnx.TensorProto.DataType.Name(kind.elem_type)
    return {"type": TYPES.get(name, name), "dims": [d.dim_value or -1 for d in kind.shape.dim]}


def constant_bytes(constant: Any) -> int:
    return math.prod(constant.dims) * item_bytes(constant.data_type)


def row_bytes(value: Any) -> int:
    """Of an intermediate tensor, for one row; a dimension that is not told counts as one."""
    kind = value.type.tensor_type
    return math.prod(d.dim_value or 1 for d in kind.shape.dim[1:]) * item_bytes(kind.elem_type)


def item_bytes(kind: int) -> int:
    try:
        return onnx.helper.tensor_dtype_to_np_dtype(kind).itemsize
    except (KeyError, TypeError):
        return 4


def main() -> None:
    root = Path(sys.argv[1])
    models = {folder.name: read_model(folder) for folder in sorted(root.iterdir()) if folder.is_dir()}
    json.dump(models, sys.stdout)


if __name__ == "__main__":
    main()
