"""``python -m webexsandbox``: serves the sandbox."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from webexsandbox.options import Options
from webexsandbox.server import run

MOST_MESSAGES = 1_000_000  # of a space; they go back in time from 2025
MOST_SPACES = 20_000  # that a user sees; a list of them is made for each page


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {most}")
        return value

    return parse


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve. What is wrong with it ends the program with code 2."""
    defaults = Options()
    parser = argparse.ArgumentParser(prog="webexsandbox", description=__doc__)
    add = parser.add_argument
    add("--host", default=defaults.host)
    add("--port", type=_number(0, 65535), default=defaults.port, help="0: any free one")
    add("--spaces", type=_number(0, MOST_SPACES), default=defaults.spaces, help="that a user sees")
    add("--messages", type=_number(0, MOST_MESSAGES), default=defaults.messages, help="in each")
    add("--seed", type=int, default=defaults.seed, help="of the invented data")
    add("--client-id", default=defaults.client_id)
    add("--client-secret", default=defaults.client_secret)
    add("--redirect-uri", dest="redirect_uris", action="append", default=[], metavar="URI")
    add("--watch-stdin", action="store_true", help="end when stdin does")
    parsed = vars(parser.parse_args(arguments))
    parsed["redirect_uris"] = tuple(parsed["redirect_uris"])
    try:
        run(Options(**parsed))
    except OSError as error:
        sys.exit(f"Cannot listen on {parsed['host']}:{parsed['port']}: {error.strerror}")


if __name__ == "__main__":
    main()
