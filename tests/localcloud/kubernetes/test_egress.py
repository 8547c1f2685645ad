"""The way from the API server to pods ends whole: what is open when it stops is closed, and nothing is left."""

from __future__ import annotations

import gc
import socket
import warnings
from pathlib import Path

from localcloud.kubernetes.control_plane.egress import Egress


def test_connections_that_are_open_at_the_end_are_closed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as far, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        egress = Egress(tmp_path / "s")
        egress.start()
        egress.route("10.0.0.1", 80, far.getsockname()[1])
        near = [socket.socket(socket.AF_UNIX) for _ in range(20)]
        for each in near:
            each.connect(str(tmp_path / "s"))
            each.sendall(b"CONNECT 10.0.0.1:80 HTTP/1.1\r\n\r\n")
        egress.stop()
        for each in near:
            each.close()
        del egress
        gc.collect()
    assert [str(one.message) for one in told if "unclosed" in str(one.message)] == []
