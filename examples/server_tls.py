"""https, and a redirect to it: python examples/server_tls.py [CERTIFICATE KEY].

Without a certificate one is made up, and the browser says so at https://localhost:8443.
"""

import sys
from datetime import datetime

from flask import Flask

from flask_realtime import Server

app = Flask(__name__)
server = Server(app)


@app.route("/")
def clock():
    return f"It is {datetime.now():%H:%M:%S} where this server runs."


if __name__ == "__main__":
    cert, key = sys.argv[1:] or ("adhoc", None)
    server.run(port=8443, ssl_cert=cert, ssl_key=key, redirect_http=8080)
