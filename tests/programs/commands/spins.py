"""Computes for ever, in a child as well."""

import os

print("round and round", flush=True)
os.fork()
while True:
    pass
