"""An application of one file, with a job in a process of its own: mainscript.py <port>."""

import os
import sys

from flask import Flask

from flask_realtime import Realtime

app = Flask(__name__, instance_path=os.path.abspath("instance"))
realtime = Realtime(app)


@realtime.job(isolation="process")
def tidy(running, word: str = "tidy"):
    print(__name__, os.getpid() != os.getppid(), word)


if __name__ == "__main__":
    realtime.run(app, port=int(sys.argv[1]))
