"""Hears SIGTERM, SIGINT and SIGHUP, and goes on."""

import signal

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
print("not impressed", flush=True)
while True:
    signal.pause()
