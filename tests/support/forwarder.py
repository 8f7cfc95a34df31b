"""A network that can be cut: a TCP forwarder between a browser and the server."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Forwarder:
    """Forwards a port of its own to `target`.

    `cut` drops all connections and takes no new ones. `silence` keeps them open and lets nothing
    through, as a cable pulled out somewhere between does: no end learns of it. `mend` ends both;
    what was held back then arrives, as TCP would send it again.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = False
        self._closed = False
        self._passes = threading.Event()
        self._passes.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        with self._lock:
            for connection in self._sockets:
                _shut(connection)

    def silence(self) -> None:
        self._passes.clear()

    def mend(self) -> None:
        self._is_cut = False
        self._passes.set()

    def close(self) -> None:
        self._closed = True
        self.cut()
        self._passes.set()
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes accept()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._is_cut:
                client.close()
                if self._closed:
                    return
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except ConnectionRefusedError:  # it is not there, and may come back
                client.close()
                continue
            with self._lock:
                self._sockets |= {client, server}
                if self._is_cut:  # since it was accepted
                    _shut(client)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._passes.wait()
                sink.sendall(data)
        except OSError:
            pass  # the other direction, or a cut, has ended it
        self._passes.wait()  # in the silence, the end of a connection is not heard of either
        for end in (source, sink):
            with self._lock:
                if end in self._sockets:
                    self._sockets.remove(end)
                    _shut(end)  # a thread that waits in recv() does not notice close()
                    end.close()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the other end may have been faster
        connection.shutdown(socket.SHUT_RDWR)
