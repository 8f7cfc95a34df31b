"""Starts an embedded redis-server in a thread that ends, tells its pid, and waits to be killed."""

import sys
import threading
from pathlib import Path

from flask_realtime.redisserver import RedisServer

if __name__ == "__main__":
    server = RedisServer(Path(sys.argv[1]))
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    print(server.pid, server.url, flush=True)
    sys.stdin.read()
    server.stop()
