"""Identifiers in the shape of Webex's: what they name can be read from them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from webexsandbox.errors import ApiError

KINDS = ("PEOPLE", "ROOM", "MESSAGE", "MEMBERSHIP", "TEAM", "WEBHOOK", "ORGANIZATION")
LIMIT = 1 << 24  # of each of the two numbers in an identifier
NOT_FOUND = {
    "PEOPLE": "Could not find a person with provided ID.",
    "ROOM": "Could not find a room with provided ID.",
    "MESSAGE": "Could not find a message with provided ID.",
    "MEMBERSHIP": "Could not find a membership with provided ID.",
    "TEAM": "Could not find a team with provided ID.",
    "WEBHOOK": "Could not find a webhook with provided ID.",
    "ORGANIZATION": "Could not find an organization with provided ID.",
}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# Three hexadecimal digits are four characters of base64, so that a number of six digits at the
# end of an identifier is two entries of this table.
HEX3 = [base64.urlsafe_b64encode(b"%03x" % number) for number in range(4096)]


class Ids:
    """Encodes and decodes identifiers of one seed: base64 of ``ciscospark://us/KIND/<uuid>``.

    The UUID ends in two numbers of 24 bits each; what they mean is up to the kind: a message has
    its room's number and its own, a membership the room's and the person's.
    """

    def __init__(self, seed: int) -> None:
        self._heads = {}
        for kind in KINDS:
            h = hashlib.blake2b(f"{seed}:{kind}".encode(), digest_size=16).hexdigest()
            self._heads[kind] = f"{h[:8]}-{h[8:12]}-4{h[12:15]}-8{h[15:18]}-"

    def of(self, kind: str, first: int, second: int = 0) -> str:
        uuid = f"{self._heads[kind]}{first:06x}{second:06x}"
        name = f"ciscospark://us/{kind}/{uuid}".encode()
        return base64.urlsafe_b64encode(name).rstrip(b"=").decode()

    def message_prefix(self, room: int) -> bytes:
        """What the identifiers of all messages of a room begin with: two of HEX3 complete them."""
        return self.of("MESSAGE", room).encode()[:-8]

    def read(self, kind: str, text: str) -> tuple[int, int]:
        """Return the two numbers of an identifier, in base64 or as a bare UUID.

        Raises ApiError: 400 if it is neither, 404 if it is of another kind or seed.
        """
        uuid = text.lower()
        if not _UUID.fullmatch(uuid):
            try:
                name = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", True).decode()
            except (binascii.Error, ValueError):
                raise ApiError(400, "Expect base64 ID or UUID.") from None
            place, _, uuid = name.rpartition("/")
            if not place.startswith("ciscospark://") or not _UUID.fullmatch(uuid):
                raise ApiError(400, "Expect base64 ID or UUID.")
            if place != f"ciscospark://us/{kind}":
                raise ApiError(404, NOT_FOUND[kind])
        if not uuid.startswith(self._heads[kind]):
            raise ApiError(404, NOT_FOUND[kind])
        return int(uuid[24:30], 16), int(uuid[30:], 16)
