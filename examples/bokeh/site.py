"""A Bokeh app within a page of a Flask site; one command: python examples/bokeh/site.py [PORT]"""

import sys
from pathlib import Path

from bokeh.embed import server_document
from flask import Flask

from flask_realtime import host
from flask_realtime.proxy import ReverseProxy, stop_apps

HERE = Path(__file__).resolve().parent
ICON = "<link rel=icon href=data:,>"  # none

app = Flask(__name__)
# A private Unix socket: no page of another site can reach the Bokeh server but through this one,
# which looks at the origin of WebSockets itself.
ReverseProxy(
    "/bokeh",
    command=[
        *(sys.executable, "-m", "bokeh", "serve", str(HERE / "slider.py")),
        *("--unix-socket", "{socket}", "--prefix", "{prefix}"),
        *("--allow-websocket-origin", "*", "--use-xheaders"),
    ],
).init_app(app)


@app.get("/")
def page():
    script = server_document("/bokeh/slider", relative_urls=True)
    return f"<!doctype html><title>Site</title>{ICON}<h1>A page of Flask</h1>{script}"


if __name__ == "__main__":
    listener = host.listen("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 5000)
    print(f"Serving http://localhost:{listener.getsockname()[1]}/", flush=True)
    try:
        host.serve(listener, app)
    finally:
        stop_apps(app)
