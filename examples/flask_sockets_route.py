"""The first program of Flask-Sockets' readme: the import line and the server lines are new."""

from flask import Flask

from flask_realtime import Sockets, run

app = Flask(__name__)
sockets = Sockets(app)


@sockets.route("/echo")
def echo_socket(ws):
    while not ws.closed:
        message = ws.receive()
        ws.send(message)


@app.route("/")
def hello():
    return "Hello World!"


if __name__ == "__main__":
    run(app)
