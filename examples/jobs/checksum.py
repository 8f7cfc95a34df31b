#!/usr/bin/env python3
"""A program of your own, which knows nothing of any page: checksum.py [--algorithm=sha256] FILE"""

import argparse
import hashlib
import os

parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--algorithm", default="sha256")
options = parser.parse_args()

digest = hashlib.new(options.algorithm)
with open(options.file, "rb") as file:
    while data := file.read(1 << 20):
        digest.update(data)
print(f"{digest.hexdigest()}  {os.path.basename(options.file)}")
