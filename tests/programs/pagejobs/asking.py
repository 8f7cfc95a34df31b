"""Jobs that ask: in a process of their own and in a thread, openly and hidden."""

import sys
from getpass import getpass

from flask_realtime import job


@job(isolation="process")
def greets(running):
    """Ask for two names."""
    first = input("First name: ")
    last = input("Last name: ")
    print(f"Hello {first} {last}")


@job(isolation="process")
def unlocks(running):
    """Ask for a password, and then openly."""
    password = getpass("Password: ")
    print(f"{len(password)} characters")
    print("Again: " + input("Open: "))


@job
def asks_in_thread(running):
    """Ask in a thread of the server."""
    print("Hello " + input("Your name: "))


@job(isolation="process")
def sorts(running):
    """Sort all lines that it is given."""
    print("Lines, please")
    print(" ".join(sorted(line.strip() for line in sys.stdin)))


@job(isolation="process")
def busy_reader(running):
    """Read without ever being seen waiting for it: it prints all the time."""
    import select

    while running():
        print("tick")
        if select.select([sys.stdin], [], [], 0.1)[0]:
            print("got " + sys.stdin.readline().strip())
            return
