"""Runs Node in `frontend/` with the arguments given: the same Node that builds the page."""

from __future__ import annotations

import os
import sys

import page_build
import prepare


def main(arguments: list[str]) -> None:
    try:
        node = prepare.require_node()
    except prepare.PrepareError as error:
        sys.exit(str(error))
    os.chdir(page_build.FRONTEND)
    os.execv(node.program, [str(node.program), *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
