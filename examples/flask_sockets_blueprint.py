"""The second program of Flask-Sockets' readme: the import line and the server lines are new."""

from flask import Blueprint, Flask

from flask_realtime import Sockets, run

html = Blueprint(r"html", __name__)
ws = Blueprint(r"ws", __name__)


@html.route("/")
def hello():
    return "Hello World!"


@ws.route("/echo")
def echo_socket(socket):
    while not socket.closed:
        message = socket.receive()
        socket.send(message)


app = Flask(__name__)
sockets = Sockets(app)

app.register_blueprint(html, url_prefix=r"/")
sockets.register_blueprint(ws, url_prefix=r"/")


if __name__ == "__main__":
    run(app)
