"""The health check of the container: exit code 0 when the path given, or /readyz, answers 200.

It asks as the first of TRUSTED_HOSTS, since the server answers to no other name.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 3.0


def main() -> int:
    host = (os.environ.get("TRUSTED_HOSTS") or "localhost").split(",")[0].strip()
    connection = HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=SECONDS)
    try:
        path = sys.argv[1] if len(sys.argv) > 1 else "/readyz"
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        said = response.read(500).decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        print(f"no answer: {error}")
        return 1
    finally:
        connection.close()
    print(response.status, said)
    return 0 if response.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
