"""A supervised Flexx app in a Flask site: python examples/flexx/site.py [PORT]

Flexx has its own paths, /flexx/assets for example, wherever it is mounted. At /flexx these are
passed on as they are; at any other prefix its pages and scripts are rewritten.
"""

import sys
from pathlib import Path

from flask import Flask

from flask_realtime import ReverseProxy, run

COMMAND = [sys.executable, str(Path(__file__).resolve().parent / "paint.py"), "{port}"]
OWN_PATHS = tuple(f"/flexx/{name}/" for name in ("assets", "ws", "data", "cmd", "assetview"))

app = Flask(__name__)
ReverseProxy("/flexx", command=COMMAND, strip_prefix=True, whole=OWN_PATHS).init_app(app)
ReverseProxy(
    "/tools/slide", command=COMMAND, strip_prefix=True, rewrite={"/flexx/": "{prefix}/flexx/"}
).init_app(app)


@app.get("/")
def page():
    return (
        "<!doctype html><title>Site</title><a href=flexx/>Flexx</a> <a href=tools/slide/>again</a>"
    )


if __name__ == "__main__":
    run(app, int(sys.argv[1]) if sys.argv[1:] else 5000)
