"""Flask's "Hello World" under the server that is named: PORT server|tornado [certificate|…]."""

import os
import sys

from flask import Flask

app = Flask(__name__)


@app.route("/")
def index() -> str:
    return "Hello World"


def main(port: int, kind: str, *more: str) -> None:
    if kind == "tornado":
        from tornado.httpserver import HTTPServer
        from tornado.ioloop import IOLoop
        from tornado.wsgi import WSGIContainer

        HTTPServer(WSGIContainer(app)).listen(port, "127.0.0.1")
        IOLoop.current().start()
    else:
        from flask_realtime import Server, host

        host.use(os.environ.get("ASYNC_MODE") or "eventlet")
        cert = more[0] if more and more[0].endswith(".pem") else None
        Server(app, access_log="combined" if "log" in more else None).run(port, ssl_cert=cert)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
