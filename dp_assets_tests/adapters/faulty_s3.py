"""A proxy before a real S3 server that fails on purpose: one fault for the requests that match.

Requests pass unchanged, signatures included, until :attr:`FaultyS3.fault` says otherwise.
"""

import http.client
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

CODES = {
    400: "InvalidRequest",
    401: "AuthFailure",
    403: "AccessDenied",
    404: "NoSuchKey",
    409: "OperationAborted",
    500: "InternalError",
    503: "SlowDown",
}
# What a server may say back, and nobody may print.
TOLD = "AKIATOLDBYTHESERVER"


@dataclass
class FaultyS3:
    """The proxy.

    Attributes:
        address: where it listens.
        target: the real server.
        fault: a status; ``drop`` (no answer), ``cut`` (half an answer), ``lost`` (done, but
            answered with 500), ``hang``, or the XML of a listing; empty: none.
        matching: of requests that fail, as ``METHOD /path?query``.
        times: how many requests fail; None: all.
        code: S3's word for the status, where the usual one is not meant.
        seen: all requests so far.
    """

    address: str
    target: str
    fault: int | str = ""
    matching: str = ""
    times: int | None = None
    code: str = ""
    seen: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self, request: str) -> int | str:
        with self.lock:
            self.seen.append(request)
            if not self.fault or not re.search(self.matching, request) or self.times == 0:
                return ""
            if self.times is not None:
                self.times -= 1
            return self.fault


def listing(*keys: str, following: str = "") -> str:
    """A page of a listing; with ``following`` there is said to be one more."""
    more = f"<NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f'<ETag>"x"</ETag><Size>1</Size></Contents>'
        for key in keys
    )
    truncated = str(bool(following)).lower()
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>'
        f"<IsTruncated>{truncated}</IsTruncated>{contents}{more}</ListBucketResult>"
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: FaultyS3

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.next_fault(f"{self.command} {self.path}")
        if isinstance(fault, int):
            code = self.proxy.code or CODES[fault]
            self._answer(
                fault, f"<Error><Code>{code}</Code><Message>{TOLD}</Message></Error>".encode()
            )
        elif fault == "hang":
            self.proxy.released.wait()
            self.close_connection = True
        elif fault == "drop":
            self.close_connection = True
        elif fault.startswith("<"):
            self._answer(200, fault.encode())
        else:
            self._pass_on(body, fault)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one

    def _pass_on(self, body: bytes, fault: str) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.proxy.target).netloc, timeout=30)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            got = connection.getresponse()
            content = got.read()
        finally:
            connection.close()
        if fault == "lost":
            self._answer(500, b"")
            return
        self.send_response(got.status)
        for name, value in got.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        if got.getheader("Content-Length") is None:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fault == "cut" else content)
        self.close_connection = fault == "cut"

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def faulty(target: str) -> Generator[FaultyS3]:
    """The proxy, before the server at ``target``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    proxy = FaultyS3(f"http://127.0.0.1:{server.server_address[1]}", target)
    server.RequestHandlerClass = type("Handler", (_Handler,), {"proxy": proxy})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
