"""The way from the API server to pods ends whole: what is open when it stops is closed, and nothing is left."""

from __future__ import annotations

import gc
import os
import socket
import warnings
from pathlib import Path

import pytest

from localcloud.kubernetes.control_plane.egress import SOCKET, Egress


def test_connections_that_are_open_at_the_end_are_closed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as far, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        egress = Egress(tmp_path)
        egress.start()
        egress.route("10.0.0.1", 80, far.getsockname()[1])
        near = [socket.socket(socket.AF_UNIX) for _ in range(20)]
        for each in near:
            each.connect(str(tmp_path / SOCKET))
            each.sendall(b"CONNECT 10.0.0.1:80 HTTP/1.1\r\n\r\n")
        egress.stop()
        for each in near:
            each.close()
        del egress
        gc.collect()
    assert [str(one.message) for one in told if "unclosed" in str(one.message)] == []


def test_a_folder_s_path_may_be_longer_than_a_socket_s(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    egress = Egress(folder)
    egress.start()
    inside = os.open(folder, os.O_DIRECTORY | os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as near:
            near.connect(f"/proc/self/fd/{inside}/{SOCKET}")
            near.sendall(b"CONNECT 10.0.0.1:80 HTTP/1.1\r\n\r\n")
            assert near.recv(100).startswith(b"HTTP/1.1 502")
    finally:
        os.close(inside)
        egress.stop()


def test_a_socket_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Egress(tmp_path / "gone").start()
