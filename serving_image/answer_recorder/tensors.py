"""Reads the outputs of an inference answer (KServe v2 over HTTP, with and without the binary tensor extension).

Triton's docs/protocol/extension_binary_data.md, read 2026-11-22: the JSON's length is in the header
`Inference-Header-Content-Length`, and each output's size in its parameter `binary_data_size`.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any

VALUES_MAX = 256
"""Values of one output that are written; of more, the digest is."""
FORMATS = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}


def outputs(body: bytes, header_length: int | None) -> tuple[str, dict[str, dict[str, Any]]]:
    """The answer's own id, and its outputs by name: datatype, shape, and data or sha256.

    Raises:
        ValueError: it is no inference answer.
    """
    try:
        told = json.loads(body if header_length is None else body[:header_length])
        rest = b"" if header_length is None else body[header_length:]
        found: dict[str, dict[str, Any]] = {}
        for output in told["outputs"]:
            size = output.get("parameters", {}).get("binary_data_size")
            if size is None:
                values = output["data"]
            else:
                values, rest = decoded(output["datatype"], rest[:size]), rest[size:]
            found[output["name"]] = {"datatype": output["datatype"], "shape": output["shape"], **_kept(values)}
        return str(told.get("id", "")), found
    except (KeyError, TypeError, AttributeError, struct.error) as error:
        raise ValueError(f"no inference answer: {type(error).__name__}: {error}") from error


def decoded(datatype: str, data: bytes) -> list[Any]:
    """The values of a binary tensor.

    Raises:
        ValueError: the datatype is unknown, or the data is cut off.
    """
    if datatype == "BYTES":
        values: list[Any] = []
        while data:
            (length,) = struct.unpack_from("<I", data)
            if len(data) < 4 + length:
                raise ValueError("a BYTES tensor is cut off")
            values.append(data[4 : 4 + length].decode("utf-8", errors="replace"))
            data = data[4 + length :]
        return values
    if datatype not in FORMATS:
        raise ValueError(f"the datatype {datatype} is not known here")
    size = struct.calcsize(FORMATS[datatype])
    if len(data) % size:
        raise ValueError(f"a {datatype} tensor is cut off")
    return list(struct.unpack(f"<{len(data) // size}{FORMATS[datatype]}", data))


def _kept(values: list[Any]) -> Mapping[str, Any]:
    flat = list(_flat(values))
    if len(flat) <= VALUES_MAX:
        return {"data": flat}
    return {"sha256": hashlib.sha256(json.dumps(flat).encode()).hexdigest(), "values": len(flat)}


def _flat(values: Any) -> Any:
    """Triton answers flat lists; the protocol allows nested ones."""
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value
