#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A store for tests of delivery, well-behaved or not, by what a request's path begins with. On 127.0.0.1, without a library for HTTP, which
would not send what is wrong.

    store_server.py DIRECTORY

Writes DIRECTORY/port, prints "ready", and adds a line of JSON to DIRECTORY/log for each request, and one for each answer that the client
broke off.
"""
import gzip
import json
import os
import socket
import sys
import threading
import zlib

directory = sys.argv[1]
lock = threading.Lock()
seen = {}
MOST = 64 << 20  # bytes of what has no end


def note(**line):
    with lock, open(os.path.join(directory, "log"), "a", encoding="utf-8") as log:
        log.write(json.dumps(line, separators=(",", ":")) + "\n")


def read_request(stream):
    """The request line, the headers in small letters, and the body; None at the end."""
    line = stream.readline(65536).decode("latin-1").split()
    # What TLS begins with has random bytes, blanks among them.
    if len(line) != 3 or not line[2].startswith("HTTP/1."):
        return None
    headers = {}
    while True:
        header = stream.readline(65536).decode("latin-1").rstrip("\r\n")
        if not header:
            break
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    return line[1], headers, stream.read(int(headers.get("content-length", "0")))


def send(connection, status, body=b"", more=""):
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    connection.sendall(head.encode() + body)
    return True


def send_endless(connection, name, head, piece):
    """Until the client closes; how much it let come is noted."""
    sent = 0
    try:
        connection.sendall(head)
        while sent < MOST:
            connection.sendall(piece)
            sent += len(piece)
    except OSError:
        pass
    note(broken=name, sent=sent)
    return False


def answer(connection, path, headers):
    """True: the connection stays."""
    parts = path.strip("/").split("/")
    kind = parts[0]
    with lock:
        seen[path] = seen.get(path, 0) + 1
        times = seen[path]
    if kind == "ok":
        return send(connection, 200, b"{}")
    if kind == "status":
        return send(connection, int(parts[1]), b"no, because of \x1b[31mred\n")
    if kind == "recovers":
        return send(connection, 200) if times > 1 else send(connection, 503, b"busy", "Retry-After: 1\r\n")
    if kind == "redirect":
        return send(connection, 307, b"", f"Location: http://127.0.0.1:{parts[1]}/ok\r\n")
    if kind == "echo":
        return send(connection, 400, json.dumps(headers).encode())
    if kind == "cut":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        return False
    if kind == "endless":
        return send_endless(connection, kind, b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 16384)
    if kind == "endless-busy":
        return send_endless(connection, kind, b"HTTP/1.1 503 X\r\n\r\n", b"x" * 16384)
    if kind == "headers":
        return send_endless(connection, kind, b"HTTP/1.1 200 OK\r\n", b"X-Header: " + b"x" * 1000 + b"\r\n")
    if kind == "long-header":
        return send_endless(connection, kind, b"HTTP/1.1 200 OK\r\nX-Header: ", b"x" * 16384)
    if kind == "continues":
        return send_endless(connection, kind, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    if kind == "no-http":
        connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n" + b"\0" * 1000)
        return False
    if kind == "silent":
        connection.recv(1)  # until the client has had enough
        note(broken=kind, sent=0)
        return False
    if kind == "trickle":
        return trickle(connection)
    return False  # closed without a word


def trickle(connection):
    """A header that never ends, but never stops either: a byte each tenth of a second."""
    sent = 0
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    connection.settimeout(0.1)
    while True:
        try:
            connection.sendall(b"x")
            sent += 1
            if not connection.recv(1):
                break
        except socket.timeout:
            continue
        except OSError:
            break
    note(broken="trickle", sent=sent)
    return False


def serve(connection, number):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    stream = connection.makefile("rb")
    try:
        while True:
            request = read_request(stream)
            if not request:
                break
            path, headers, body = request
            plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            note(path=path, connection=number, headers=headers, crc=zlib.crc32(plain), size=len(plain))
            if not answer(connection, path, headers):
                break
    except OSError:
        pass
    finally:
        stream.close()
        connection.close()


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    open(os.path.join(directory, "log"), "a", encoding="utf-8").close()
    with open(os.path.join(directory, "port"), "w", encoding="utf-8") as port:
        port.write(str(listener.getsockname()[1]))
    print("ready", flush=True)
    number = 0
    while True:
        connection, _ = listener.accept()
        number += 1
        threading.Thread(target=serve, args=(connection, number), daemon=True).start()


main()
