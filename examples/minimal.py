"""Live output in an existing Flask application: python examples/minimal.py, open /realtime."""

import time

from flask import Flask

from flask_realtime import Realtime

app = Flask(__name__)
realtime = Realtime(app)


@realtime.job
def countdown(running, seconds: int = 10):
    """Count down, one line a second."""
    while running() and seconds:
        print(seconds, "seconds left")
        time.sleep(1)
        seconds -= 1


if __name__ == "__main__":
    realtime.run(app)
