#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
An HTTPS server that misbehaves on demand, for the tests of http/, fetch/ and etcd/

usage: server.py WORK ROOT

Makes a small PKI in WORK (with the openssl command), serves the files below ROOT on loopback, one port for each kind
of certificate, and prints "NAME PORT" lines, then "ready". It ends when its standard input is closed.

How it misbehaves stands at the front of the path, and is taken off before a file is looked for; several are applied
in the order of the path:

    /cut:N/...          the right Content-Length, but only N bytes; a negative N counts from the end
    /flip:N/...         bit 0 of byte N is wrong
    /longer:N/...       N zero bytes behind the file, and the Content-Length says so
    /claims:N/...       N bytes more in the Content-Length than there are in the file
    /unsized/...        no Content-Length, the end is the end of the connection
    /chunked/...        chunked transfer coding
    /stall:N/...        N bytes, then nothing
    /slow:N/...         N bytes a second
    /rate:N/...         N bytes a second, in pieces of a tenth of a second or 64 KiB
    /status:N/...       the status, with a short text
    /flaky:COUNT:N/...  the status for the first COUNT times that the path is asked for
    /flakycut:COUNT:N/...  /cut:N for the first COUNT times
    /retry-after:COUNT:SECONDS/...  429 with Retry-After, COUNT times
    /to-http/...        302 to the plain port
    /loop/...           302 to itself
    /hop:N/...          N redirects, then the file
    /gzip/...           Content-Encoding: gzip, which nobody asked for
    /headers/...        headers without an end
    /drop/...           the connection is closed without an answer
    /no-range/...       Range is not understood
    /other-part/...     a part of another file, whatever If-Range says
    /other-place/...    a part of another place in it
    /etag:KIND/...      the ETag is "none", "weak" (and there is no Last-Modified), or "date": Last-Modified alone
    /moody:COUNT:N/...  another ETag for the first COUNT times, of which each is cut after N bytes
    /json:STATUS/...    the rest of the path, unquoted, is the body
    /echo               method, headers and body as JSON

Those that change a file do so only for what is no checksum file; with "sum-" in front ("/sum-flip:3/") for checksum
files only, with "all-" for both; "only=NAME" in front ("/only=etcdctl,cut:5/") limits it to files of that name. A GET
of /log gives the requests so far as JSON, each with the bytes of its body that were sent; one of /forget empties it.
A file NAME has its digest's ETag; Range and If-Range are understood as RFC 9110 has them. The port "proxy" is a proxy:
it takes CONNECT, as does "proxy-closed", which then answers 403.
"""

import gzip
import hashlib
import http.server
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

CONFIG = """
[ca]
default_ca = d
[d]
database = {w}/index.txt
new_certs_dir = {w}
default_md = sha256
policy = p
rand_serial = yes
unique_subject = no
[p]
commonName = supplied
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[good]
subjectAltName = IP:127.0.0.1,DNS:localhost
[wrong]
subjectAltName = DNS:elsewhere.test
[client]
extendedKeyUsage = clientAuth
"""


def run(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def make_request(work, name):
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config",
        work + "/req.cnf", "-subj", "/CN=" + name, "-keyout", f"{work}/{name}.key", "-out", f"{work}/{name}.csr")


def make_pki(work):
    if os.path.exists(work + "/pki-done"):
        return
    with open(work + "/ca.cnf", "w") as f:
        f.write(CONFIG.format(w=work))
    with open(work + "/req.cnf", "w") as f:
        f.write("[req]\ndistinguished_name = dn\n[dn]\n")
    open(work + "/index.txt", "w").close()

    always = ("20200101000000Z", "20991231235959Z")
    for ca in ("ca", "other-ca"):
        make_request(work, ca)
        run("openssl", "ca", "-batch", "-config", work + "/ca.cnf", "-selfsign", "-keyfile", f"{work}/{ca}.key",
            "-in", f"{work}/{ca}.csr", "-extensions", "root", "-startdate", always[0], "-enddate", always[1],
            "-notext", "-out", f"{work}/{ca}.crt")
    for name, ca, extensions, dates in (
            ("good", "ca", "good", always),
            ("wrong-name", "ca", "wrong", always),
            ("expired", "ca", "good", ("20200101000000Z", "20200201000000Z")),
            ("future", "ca", "good", ("20980101000000Z", "20991231235959Z")),
            ("unknown-ca", "other-ca", "good", always),
            ("client", "ca", "client", always),
            ("other-client", "other-ca", "client", always)):
        make_request(work, name)
        run("openssl", "ca", "-batch", "-config", work + "/ca.cnf", "-cert", f"{work}/{ca}.crt", "-keyfile",
            f"{work}/{ca}.key", "-in", f"{work}/{name}.csr", "-extensions", extensions, "-startdate", dates[0],
            "-enddate", dates[1], "-notext", "-out", f"{work}/{name}.crt")
    open(work + "/pki-done", "w").close()


def is_checksum(name):
    return name.endswith((".sha256", ".sha512", ".sig", ".cert")) or name.startswith("SHA")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts = {}
    log = []
    lock = threading.Lock()
    root = None
    plain_port = 0

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            pass  # clients of tests hang up in the middle, that is what they are for

    def count(self):
        with self.lock:
            self.counts[self.path] = self.counts.get(self.path, 0) + 1
            return self.counts[self.path]

    def answer(self, status, body, headers=(), kind="text/plain"):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        path = self.path
        with self.lock:
            if path == "/log":
                return self.answer(200, json.dumps(self.log).encode(), kind="application/json")
            if path == "/forget":
                self.log.clear()
                self.counts.clear()
                return self.answer(200, b"{}")
            self.entry = {"path": path, "range": self.headers.get("Range"), "if-range": self.headers.get("If-Range"), "sent": 0}
            self.log.append(self.entry)
        if path == "/echo":
            return self.answer(200, json.dumps({"method": self.command, "headers": dict(self.headers),
                                                "body": body.decode("latin-1")}).encode(), kind="application/json")
        return self.misbehave(path)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

    def misbehave(self, path):
        """Peels the faults off the path."""
        faults = []
        parts = path.split("/")[1:]
        name = parts[-1]
        while parts and (":" in parts[0] or parts[0] in PLAIN):
            fault = parts.pop(0)
            if fault.startswith("json:"):
                faults.append(fault.split(":"))
                break
            if fault.startswith("only="):
                wanted, fault = fault[5:].split(",", 1)
                if wanted != name:
                    continue
            if fault.startswith("sum-"):
                if not is_checksum(name):
                    continue
                fault = fault[4:]
            elif fault.startswith("all-"):
                fault = fault[4:]
            elif is_checksum(name):
                continue
            faults.append(fault.split(":"))
        return self.serve(faults, parts)

    def serve(self, faults, parts):
        body = None
        headers = []
        limit = claim = rate = stall = None
        for fault, *args in faults:
            if fault == "json":
                return self.answer(int(args[0]), urllib.parse.unquote("/".join(parts)).encode(),
                                   kind="application/json")
            if fault == "status":
                return self.answer(int(args[0]), b"as you asked\n")
            if fault == "flaky":
                if self.count() <= int(args[0]):
                    return self.answer(int(args[1]), b"not yet\n")
            if fault == "retry-after":
                if self.count() <= int(args[0]):
                    return self.answer(429, b"not yet\n", [("Retry-After", args[1])])
            if fault == "flakycut":
                if self.count() <= int(args[0]):
                    limit = int(args[1])
            if fault == "to-http":
                return self.answer(302, b"", [("Location", f"http://127.0.0.1:{self.plain_port}/" + "/".join(parts))])
            if fault == "loop":
                return self.answer(302, b"", [("Location", self.path)])
            if fault == "hop" and int(args[0]) > 0:
                return self.answer(302, b"", [("Location", f"/all-hop:{int(args[0]) - 1}/" + "/".join(parts))])
            if fault == "headers":
                return self.endless_headers()
            if fault == "drop":
                self.close_connection = True
                return None
            if body is None:
                body = self.read(parts)
            if body is None:
                break
            if fault == "flip":
                body[int(args[0])] ^= 1
            elif fault == "longer":
                body += bytes(int(args[0]))
            elif fault == "claims":
                claim = len(body) + int(args[0])
            elif fault == "cut":
                limit = int(args[0])
            elif fault == "stall":
                stall = int(args[0])
            elif fault in ("slow", "rate"):
                rate = int(args[0])
            elif fault == "moody" and self.count() <= int(args[0]):
                limit = int(args[1])
                faults = [*faults, ["salt", str(self.count())]]
            elif fault == "gzip":
                body = gzip.compress(bytes(body))
                headers.append(("Content-Encoding", "gzip"))
        names = [fault for fault, *args in faults]
        if body is None:
            body = self.read(parts)
        if body is None:
            return self.answer(404, b"no such file\n")
        kind = next((args[0] for fault, *args in faults if fault == "etag"), "strong")
        salt = next((args[0] for fault, *args in faults if fault == "salt"), "")
        etag = '"' + hashlib.sha256(bytes(body)).hexdigest()[:32] + salt + '"'
        status, body = self.choose_part(body, names, kind, etag, headers)
        return self.send_body(status, body, headers, limit, claim, rate, stall, names)

    def choose_part(self, body, names, kind, etag, headers):
        """What of the body is wanted, by Range and If-Range (RFC 9110, 13.1.5 and 14)."""
        date = "Wed, 01 Jan 2025 00:00:00 GMT"
        if kind == "strong":
            headers.append(("ETag", etag))
        if kind == "weak":
            headers.append(("ETag", "W/" + etag))
        if kind in ("strong", "date"):
            headers.append(("Last-Modified", date))
        wanted = self.headers.get("Range", "")
        condition = self.headers.get("If-Range")
        if not wanted.startswith("bytes=") or "no-range" in names:
            return 200, body
        start = int(wanted[6:].split("-")[0])
        if "other-part" in names:
            headers[0] = ("ETag", '"another"')
            headers.append(("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}"))
            return 206, bytes(len(body) - start)
        if "other-place" in names:
            headers.append(("Content-Range", f"bytes {start + 1}-{len(body) - 1}/{len(body)}"))
            return 206, body[start + 1:]
        if condition not in (None, etag if kind == "strong" else date):
            return 200, body
        if start >= len(body):
            headers.append(("Content-Range", f"bytes */{len(body)}"))
            return 416, b""
        headers.append(("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}"))
        return 206, body[start:]

    def read(self, parts):
        path = os.path.join(self.root, *parts)
        if ".." in parts or not os.path.isfile(path):
            return None
        with open(path, "rb") as f:
            return bytearray(f.read())

    def send(self, piece):
        self.wfile.write(piece)
        self.entry["sent"] += len(piece)

    def send_body(self, status, body, headers, limit, claim, rate, stall, names):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if "unsized" in names:
            self.close_connection = True
        elif "chunked" in names:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body) if claim is None else claim))
        self.end_headers()
        if self.command == "HEAD":
            return
        if limit is not None:
            body = body[:limit]
            self.close_connection = True
        if claim is not None:
            self.close_connection = True
        if stall is not None:
            self.send(body[:stall])
            self.wfile.flush()
            time.sleep(30)
            self.close_connection = True
        elif rate is not None:
            step = min(max(rate // 10, 1), 65536)
            start = time.monotonic()
            for i in range(0, len(body), step):
                self.send(body[i:i + step])
                self.wfile.flush()
                time.sleep(max(start + (i + step) / rate - time.monotonic(), 0))
        elif "chunked" in names:
            for i in range(0, len(body), 4096):
                piece = body[i:i + 4096]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if limit is None:
                self.wfile.write(b"0\r\n\r\n")
        else:
            self.send(body)

    def endless_headers(self):
        self.send_response(200)
        self.flush_headers()
        for i in range(1 << 20):
            self.wfile.write(b"X-Header-%d: %s\r\n" % (i, b"x" * 1000))


PLAIN = {"no-range", "other-part", "other-place", "unsized", "chunked", "to-http", "loop", "gzip", "headers", "drop", "sum-gzip", "sum-headers", "sum-drop",
         "sum-to-http", "sum-loop", "all-gzip", "all-drop", "all-loop", "all-to-http"}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, context):
        super().__init__(("127.0.0.1", 0), Handler)
        self.context = context

    def finish_request(self, request, address):
        # The handshake belongs to the connection's own thread: one that never comes must not stop the others.
        try:
            if self.context:
                request = self.handshake(request)
            self.RequestHandlerClass(request, address, self)
            if self.context:
                request.unwrap()
        except (OSError, ssl.SSLError):
            pass
        finally:
            # wrap_socket() took the descriptor away from what shutdown_request() will close.
            request.close()

    def handshake(self, request):
        """A refused client is left the time to read why: closing with data unread would reset the connection."""
        wrapped = self.context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        try:
            wrapped.do_handshake()
        except ssl.SSLError:
            raw = socket.socket(fileno=wrapped.detach())
            raw.settimeout(5)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(65536):
                pass
            raw.close()
            raise
        return wrapped

    def handle_error(self, request, address):
        pass


def context_for(work, name, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{work}/{name}.crt", f"{work}/{name}.key")
    if client_ca:
        context.load_verify_locations(f"{work}/{client_ca}.crt")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def listen_raw(name, behaviour):
    """A port on which no HTTP is spoken at all."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    kept = []

    def accept():
        while True:
            connection, _ = listener.accept()
            if behaviour == "silent":
                kept.append(connection)
            else:
                connection.close()

    threading.Thread(target=accept, daemon=True).start()
    print(name, listener.getsockname()[1])


def relay(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve_proxy(connection, closed):
    """One CONNECT, to whatever is asked for."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        if not piece:
            return
        head += piece
    method, target = head.split(b" ", 2)[:2]
    with Handler.lock:
        Handler.log.append({"path": f"{method.decode()} {target.decode()}", "range": None, "sent": 0})
    if closed or method != b"CONNECT":
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        connection.close()
        return
    host, port = target.decode().rsplit(":", 1)
    upstream = socket.create_connection((host, int(port)))
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    threading.Thread(target=relay, args=(upstream, connection), daemon=True).start()
    relay(connection, upstream)


def listen_proxy(name, closed):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve_proxy, args=(connection, closed), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(name, listener.getsockname()[1])


def start(name, context):
    server = Server(context)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 60}, daemon=True).start()
    print(name, server.server_address[1])
    return server.server_address[1]


def main():
    work, root = sys.argv[1:3]
    os.makedirs(work, exist_ok=True)
    make_pki(work)
    Handler.root = root
    Handler.plain_port = start("plain", None)
    for name in ("good", "wrong-name", "expired", "future", "unknown-ca"):
        start(name, context_for(work, name))
    start("mutual", context_for(work, "good", "ca"))
    tls12 = context_for(work, "good", "ca")
    tls12.maximum_version = ssl.TLSVersion.TLSv1_2
    start("mutual12", tls12)
    listen_raw("silent", "silent")
    listen_raw("closing", "closing")
    listen_proxy("proxy", False)
    listen_proxy("proxy-closed", True)
    print("ready", 0, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
