"""A chat over raw WebSockets: python examples/sockets.py, open http://localhost:5000 twice."""

from flask import Flask, session

from flask_realtime import Realtime, Sockets
from flask_realtime.sockets import ConnectionClosed

app = Flask(__name__)
app.secret_key = "only an example"
realtime = Realtime(app)
sockets = Sockets(app, max_message_size=4096)
rooms: dict[str, set] = {}


@app.route("/")
def page():
    session["visits"] = session.get("visits", 0) + 1
    return PAGE


@sockets.route("/chat/<room>")
def chat(ws, room):
    """Hand each message on to all who are in the room."""
    members = rooms.setdefault(room, set())
    members.add(ws)
    ws.send(f"welcome to {room}, this is your visit number {session.get('visits', 0)}")
    try:
        for message in ws:
            for member in list(members):
                try:
                    member.send(message)
                except ConnectionClosed:
                    members.discard(member)
    finally:
        members.discard(ws)


PAGE = """<!doctype html>
<title>Chat</title>
<form><input autofocus autocomplete="off"></form>
<pre></pre>
<script>
  const [form, input, lines] = ["form", "input", "pre"].map((tag) => document.querySelector(tag));
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/chat/lobby");
  socket.onmessage = (event) => lines.append(event.data + "\\n");
  socket.onclose = (event) => lines.append(`closed with ${event.code}\\n`);
  form.onsubmit = (event) => {
    event.preventDefault();
    socket.send(input.value);
    input.value = "";
  };
</script>
"""


if __name__ == "__main__":
    realtime.run(app)
