"""The server as an object: python examples/server_class.py, open http://localhost:12345."""

from datetime import datetime

from flask import Flask

from flask_realtime import Server

app = Flask(__name__)
server = Server(app)


@app.route("/")
def clock():
    return f"It is {datetime.now():%H:%M:%S} where this server runs."


if __name__ == "__main__":
    server.run(port=12345)
