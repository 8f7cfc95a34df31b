"""A Panel app in a Flask site: python examples/panel/site.py [PORT]

Panel's server is Bokeh's: it knows its prefix, so that nothing is stripped or rewritten.
"""

import sys
from pathlib import Path

from flask import Flask

from flask_realtime import ReverseProxy, run

HERE = Path(__file__).resolve().parent

app = Flask(__name__)
ReverseProxy(
    "/panel",
    command=[
        *(sys.executable, "-m", "panel", "serve", str(HERE / "slider.py")),
        *("--unix-socket", "{socket}", "--prefix", "{prefix}"),
        *("--allow-websocket-origin", "*", "--use-xheaders"),
    ],
).init_app(app)


@app.get("/")
def page():
    return "<!doctype html><title>Site</title><a href=panel/slider>Slider</a>"


if __name__ == "__main__":
    run(app, int(sys.argv[1]) if sys.argv[1:] else 5000)
