"""Jobs for the tests of the page."""

import sys

from flask_realtime import job


@job
def markup(running):
    """Markup that must stay text."""
    print("<script>document.title='broken'</script>")
    print("<img src=x onerror=\"document.title='broken'\"> <b>bold</b>")


@job
def numbered_lines(running, lines: int = 1000):
    """Lines that say their number, from 1, as fast as they go."""
    for first in range(1, lines + 1, 1000):
        last = min(first + 999, lines)
        sys.stdout.write("".join(f"line {number}\n" for number in range(first, last + 1)))


@job
def flood(running):
    """Numbered lines without an end, more than any page can show."""
    first = 1
    while running():
        sys.stdout.write("".join(f"line {n} {'x' * 60}\n" for n in range(first, first + 1000)))
        first += 1000
