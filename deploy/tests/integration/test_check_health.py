"""How the image asks a service for its health, over a real socket."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def _service(status: int) -> Iterator[int]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()
            self.wfile.write(b'{"ready": false}')

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _ask(root, port: int, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(root / "deploy/images/check_health.py"), *arguments],
        env={"KP_HTTP_PORT": str(port), "http_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


@pytest.mark.integration
def test_the_health_check_says_what_the_service_says(root):
    with _service(200) as port:
        assert _ask(root, port, "ready").returncode == 0
        assert _ask(root, port, "live").returncode == 1
        assert _ask(root, port).returncode == 2
    with _service(503) as port:
        unready = _ask(root, port, "ready")
        assert (unready.returncode, unready.stderr.strip()) == (1, '{"ready": false}')
    assert _ask(root, port, "ready").returncode == 1
