"""Pages: the size asked for, opaque cursors, and the Link header that leads to the next one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from webexsandbox.errors import ApiError

T = TypeVar("T")


def page_size(request: web.Request, default: int, most: int) -> int:
    """The parameter `max`: what is too large is clamped, not refused. Raises ApiError 400."""
    text = request.query.get("max")
    if text is None:
        return min(default, most)
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise ApiError(400, f"Invalid value for parameter 'max': {text}")
    return min(int(text), most)


def items_page(
    request: web.Request, items: Iterable[bytes], following: Mapping[str, str] | None
) -> web.Response:
    """Answer with JSON objects; `following` are the parameters of the next page, if any."""
    body = b'{"items":[' + b",".join(items) + b"]}"
    response = web.Response(body=body, content_type="application/json", charset="utf-8")
    if following is not None:
        url = f"{request.scheme}://{request.host}{request.path}?{urlencode(following)}"
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response


def keyed_page(
    request: web.Request,
    found: Iterable[T],
    key: Callable[[T], tuple[Any, ...]],
    show: Callable[[T], Mapping[str, Any]],
    *,
    default: int,
    most: int,
) -> web.Response:
    """Answer with a page of `found` in the order of `key`.

    The cursor is the key of the last item shown, so that a page is not shifted by what appears or
    vanishes in the meantime. Raises ApiError 400 for a bad `max` or `cursor`.
    """
    size = page_size(request, default, most)
    ordered = sorted(((key(each), each) for each in found), key=lambda pair: pair[0])
    cursor = request.query.get("cursor")
    if cursor is not None:
        try:
            after = tuple(json.loads(base64.urlsafe_b64decode(cursor)))
            if not after:
                raise ValueError("no key")
            ordered = [pair for pair in ordered if pair[0] > after]
        except (binascii.Error, ValueError, TypeError):
            raise ApiError(400, "Invalid cursor.") from None
    page = ordered[:size]
    following = None
    if len(ordered) > size:
        mark = json.dumps(page[-1][0], separators=(",", ":")).encode()
        following = {**request.query, "cursor": base64.urlsafe_b64encode(mark).decode()}
    items = (json.dumps(show(each), ensure_ascii=False).encode() for _, each in page)
    return items_page(request, items, following)
