"""Tells webhooks what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from webexsandbox.room import Room


def announce(
    request: web.Request, resource: str, event: str, data: Mapping[str, Any], room: Room
) -> None:
    """Call this after a change: `data` is the resource as the API shows it."""
