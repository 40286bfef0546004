# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway fetch from a server that offers HTTP/2: everything goes over it, and over one connection as far as that can be done."""
import re
import shutil
import socket
import subprocess
import time

import pytest

from mirror import Mirror, complete


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(name="http2")
def http2_fixture(tmp_path):
    """An HTTP/2 server with the files and the certificates of the misbehaving one: its options for fetch, and what it has seen."""
    if not shutil.which("nghttpd"):
        pytest.skip("needs nghttpd (nghttp2-server)")
    mirror = Mirror(tmp_path)  # for its certificates
    port = free_port()
    log = tmp_path / "nghttpd.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(["nghttpd", "--address=127.0.0.1", "--verbose", "--htdocs", mirror.root, str(port),
                                    tmp_path / "pki" / "good.key", tmp_path / "pki" / "good.crt"], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
        yield ["--mirror", f"https://127.0.0.1:{port}", "--ca-bundle", mirror.ca, "--accept-mirror"], log
    finally:
        process.terminate()
        process.wait()
        mirror.stop()


def test_http2(cluster, http2):
    options, log = http2
    cluster("fetch", *options)
    complete(cluster)
    seen = log.read_text()
    requests = re.findall(r"\[id=(\d+)\].*recv \(stream_id=\d+\) :path: (\S+)", seen)
    assert len({path for _, path in requests if path.endswith("/kubectl")}) == 1
    assert len(requests) >= 10  # five files and their papers, which no other protocol would show here
    assert len({connection for connection, _ in requests}) <= 2, seen
