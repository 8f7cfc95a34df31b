"""The server in one line: python examples/server_function.py, open http://localhost:5000."""

from datetime import datetime

from flask import Flask

import flask_realtime

app = Flask(__name__)


@app.route("/")
def clock():
    return f"It is {datetime.now():%H:%M:%S} where this server runs."


if __name__ == "__main__":
    flask_realtime.run(app)
