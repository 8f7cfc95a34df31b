"""Jobs for the tests of the login."""

import asyncio
import sys
import time

from app.webex.access import access, webex_client
from app.webex.errors import WebexError
from flask_realtime import job


@job
def greet(running):
    """Says hello."""
    print("Hello")


@job
def until_stopped(running):
    """Does nothing until it is stopped."""
    while running():
        time.sleep(0.02)
    print("stopped")


@job
async def leaks(running):
    """Prints its access token, as a careless job might."""
    token = await access.get().token.access_token()
    print(f"Authorization: Bearer {token}")
    for letter in token:
        print(letter, end="", file=sys.stderr)
    raise LookupError(token)


@job
async def calls(running, times: int = 1, pause_ms: int = 0):
    """Asks Webex who the user is, again and again."""
    try:
        async with webex_client() as webex:
            for _ in range(times):
                if not running():
                    return
                me = await webex.people.me()
                await asyncio.sleep(pause_ms / 1000)
    except WebexError as error:
        sys.exit(str(error))
    print(f"{me.display_name}, {times} times")
