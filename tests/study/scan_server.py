"""A web server on the loopback that serves scans, well and badly, and the scan list that goes with it."""

import gzip
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.study.bodies import body


class ScanServer:
    """Serves ``contents`` under /good/NAME, and the same contents in every wrong way under other folders."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents
        self.asked: list[str] = []
        self.elsewhere = ""
        self.going_on = threading.Event()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.going_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def entries(self, **folders: str) -> dict:
        """A list of all contents; a name's folder is ``good`` unless given by its first part (``b`` for b.nii.gz)."""
        return {
            "format": "synthview-scans-1",
            "name": "Heads nobody has",
            "licence": "CC-BY-4.0",
            "citation": "Nobody et al. (2026). Heads nobody has.",
            "files": [
                {
                    "url": f"{self.url}/{folders.get(name.partition('.')[0], 'good')}/{name}",
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "bytes": len(content),
                }
                for name, content in self.contents.items()
            ],
        }

    def write(self, folder: Path, **folders: str) -> Path:
        path = folder / "scans.json"
        path.write_text(json.dumps(self.entries(**folders), indent=1))
        return path


class _Handler(BaseHTTPRequestHandler):
    owner: ScanServer

    def do_GET(self) -> None:
        self.owner.asked.append(self.path)
        way, _, name = self.path.strip("/").partition("/")
        content = self.owner.contents.get(name, b"")
        if way == "missing":
            self.send_error(404)
        elif way == "moved":
            self._head(302, {"Location": self.owner.elsewhere or f"/good/{name}"})
        elif way == "changed":
            self._send(content[:-1] + bytes([content[-1] ^ 1]))
        elif way == "longer":
            self._send(content + b"more")
        elif way == "endless":
            self._head(200, {})
            with self._gone():
                while True:
                    self.wfile.write(content)
        elif way == "shorter":
            self._send(content[:100])
        elif way == "cut":
            self._head(200, {"Content-Length": str(len(content))})
            self.wfile.write(content[:100])
        elif way == "slow":
            self._head(200, {"Content-Length": str(len(content))})
            self.wfile.write(content[:-1])
            self.wfile.flush()
            self.owner.going_on.wait(60)
            with self._gone():
                self.wfile.write(content[-1:])
        else:
            self._send(content)

    def _send(self, content: bytes) -> None:
        with self._gone():
            self._head(200, {"Content-Length": str(len(content))})
            self.wfile.write(content)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    @contextmanager
    def _gone(self) -> Iterator[None]:
        """The other side may have hung up."""
        try:
            yield
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def small_heads(folder: Path, count: int = 4) -> dict[str, bytes]:
    """So many small NIfTI files, named a.nii.gz, b.nii.gz and so on."""
    found = {}
    for number in range(count):
        path = folder / f"{'abcdefgh'[number]}.nii.gz"
        body(number, shape=(24, 28, 26), spacing=3.0).save(path)
        found[path.name] = path.read_bytes()
        assert gzip.decompress(found[path.name])
    return found
