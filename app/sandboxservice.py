"""The Webex sandbox as a service of its own, for several servers behind one reverse proxy.

``python -m app.sandboxservice`` serves on port 5050 of all addresses: let nobody but the servers
and their proxy reach it. With a CLIENT_ID there is nothing to do, and it ends at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app.settings import exit_misconfigured, settings_of
from flask_realtime import ConfigurationError

PORT = 5050


def main() -> None:
    try:
        settings = settings_of(dict(os.environ))
    except ConfigurationError as error:
        exit_misconfigured(error)
    if settings.client_id or settings.login != "webex":
        print("No Webex sandbox is needed: CLIENT_ID is set, or LOGIN is none.", file=sys.stderr)
        return
    command = [sys.executable, "-m", "webexsandbox", "--host", "0.0.0.0", "--port", str(PORT)]
    command += ["--spaces", str(settings.sandbox_spaces)]
    command += ["--messages", str(settings.sandbox_messages)]
    os.chdir(Path(__file__).resolve().parent.parent)
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
