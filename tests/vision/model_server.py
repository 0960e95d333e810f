"""A small host of model files for tests: ranges, broken connections, redirects and lies."""

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from vision.pulling.catalogue import Pullable, RemoteFile


class ModelServer(ThreadingHTTPServer):
    """Serves `files` by path. `break_after` ends one answer early; `redirects` lead elsewhere."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.break_after: list[int] = []
        self.knows_ranges = True
        self.asked: list[tuple[str, str]] = []  # (path, Range)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def offer(self, folder: Path, name: str, **fields: Any) -> Pullable:
        """A catalogue entry whose files are those of a folder; `fields` are the entry's."""
        remote = []
        for path in sorted(each for each in folder.iterdir() if each.is_file()):
            content = path.read_bytes()
            self.files[f"/{name}/{path.name}"] = content
            remote.append(remote_file(f"{name}/{path.name}", content))
        row = {"title": name, "about": "Tiny.", "licence": "none", "files": tuple(remote)}
        return Pullable(name=name, **(row | fields))


def remote_file(path: str, content: bytes, **fields: Any) -> RemoteFile:
    """What a catalogue says of a file that is as it should be."""
    row = {
        "name": path.rpartition("/")[2],
        "host": "http://127.0.0.1:1",  # tests name the server as mirror
        "path": path,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
    }
    return RemoteFile(**(row | fields))


@contextlib.contextmanager
def serving() -> Iterator[ModelServer]:
    with ModelServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.asked.append((self.path, wanted))
        if self.path in self.server.redirects:
            self.send_response(302)
            self.send_header("Location", self.server.redirects[self.path])
            self.end_headers()
        elif self.path in self.server.files:
            self._send(self.server.files[self.path], wanted)
        else:
            self.send_error(404)

    def _send(self, content: bytes, wanted: str) -> None:
        start = int(re.sub(r"\D", "", wanted) or 0) if self.server.knows_ranges else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        sent = content[start:]
        if self.server.break_after:
            sent = sent[: self.server.break_after.pop(0)]
            self.close_connection = True
        self.wfile.write(sent)

    def log_message(self, *args: object) -> None:
        """Quiet."""
