"""A Bokeh app within a page of a Flask site; one command: python examples/bokeh/site.py [PORT]

The two may also run apart. Start the Bokeh server, then the site with PORT and its address:

    bokeh serve examples/bokeh/slider.py --port 5101 --prefix /bokeh --use-xheaders \\
        --allow-websocket-origin=localhost:5000
    python examples/bokeh/site.py 5000 http://127.0.0.1:5101
"""

import sys
from pathlib import Path

from bokeh.embed import server_document
from flask import Flask

from flask_realtime import ReverseProxy, run

HERE = Path(__file__).resolve().parent
ICON = "<link rel=icon href=data:,>"  # none

# A private Unix socket: no page of another site can reach the Bokeh server but through this one,
# which looks at the origin of WebSockets itself.
COMMAND = [
    *(sys.executable, "-m", "bokeh", "serve", str(HERE / "slider.py")),
    *("--unix-socket", "{socket}", "--prefix", "{prefix}"),
    *("--allow-websocket-origin", "*", "--use-xheaders"),
]

app = Flask(__name__)
if sys.argv[2:]:
    ReverseProxy("/bokeh", upstream=sys.argv[2]).init_app(app)
else:
    ReverseProxy("/bokeh", command=COMMAND).init_app(app)


@app.get("/")
def page():
    script = server_document("/bokeh/slider", relative_urls=True)
    return f"<!doctype html><title>Site</title>{ICON}<h1>A page of Flask</h1>{script}"


if __name__ == "__main__":
    run(app, int(sys.argv[1]) if sys.argv[1:] else 5000)
