"""Runs the whole application from an IDE: set breakpoints in handlers and in jobs, and debug this.

The settings that one changes most stand here, over the environment and .env; docs/configuration.md
has them all. (The name is the project's tradition. It shadows the standard library's package
`test` for programs started in this folder; nothing here needs that.)
"""

import os

SETTINGS = {
    "HOST": "127.0.0.1",
    "PORT": "5000",
    "REDIS_URL": "",  # empty: an embedded server; redis://localhost:6379/0 after ./run_redis.sh
    "JOBS_PATH": "",  # a folder with jobs of your own
    "LOG_LEVEL": "debug",
}

if __name__ == "__main__":
    from app.factory import serve

    serve({**os.environ, **SETTINGS})
