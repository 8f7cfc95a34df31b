"""Who sends a request: the session id of its cookie, looked up in Redis."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from flask import g, session
from redis import Redis

from app.login.logins import Account, Logins
from flask_realtime import StoreUnavailable
from flask_realtime.store.store import Store

REMEMBERED = 10_000  # sessions that are still known while Redis does not answer


class Sessions:
    """The sessions of browsers, for greenlets in a request's context.

    While Redis is away, those that were seen before still count, so that their pages show what
    runs put out meanwhile. All methods but `account` raise StoreUnavailable then.
    """

    def __init__(self, logins: Logins, store: Store) -> None:
        self._logins = logins
        self._store = store
        self._seen: OrderedDict[str, Account] = OrderedDict()

    def account(self) -> Account | None:
        """Return who is logged in; None for nobody. Asks once a request.

        Raises StoreUnavailable when Redis is away and the session was not seen before.
        """
        if "account" not in g:
            g.account = self._look_up(session.get("id"))
        account: Account | None = g.account
        return account

    def account_or_none(self) -> Account | None:
        """As `account`; None also while Redis cannot say."""
        try:
            return self.account()
        except StoreUnavailable:
            return None

    def begin(self, store: Callable[[Redis], str]) -> None:
        """Let the browser have the new session that `store(client)` returns, and no other.

        Logins that were begun in other tabs can still be completed.
        """
        old = session.get("id")
        new = self._store.call(store)
        pending = {key: value for key, value in session.items() if key.startswith("_state_")}
        session.clear()
        session.update(pending)
        session["id"] = new
        session.permanent = True
        g.pop("account", None)
        if old is not None:
            self._seen.pop(old, None)
            self._store.call(lambda client: self._logins.end_session(client, old))

    def end(self, user: str) -> None:
        """Log `user` out, in this browser and in all others."""
        self._store.call(lambda client: self._logins.end(client, user))
        for known in [key for key, account in self._seen.items() if account.user == user]:
            del self._seen[known]
        session.clear()
        g.pop("account", None)

    def _look_up(self, known: str | None) -> Account | None:
        if known is None:
            return None
        try:
            account = self._store.read(lambda client: self._logins.who(client, known))
        except StoreUnavailable:
            if known in self._seen:
                return self._seen[known]
            raise
        self._seen.pop(known, None)
        if account is not None:
            self._seen[known] = account
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return account
