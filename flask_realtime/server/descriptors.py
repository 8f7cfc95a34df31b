"""How many descriptors this process may have: each connection takes one."""

from __future__ import annotations

import logging
import resource

WANTED = 65_536  # enough for `max_connections`, and for what jobs open

_log = logging.getLogger(__name__)


def take_descriptors() -> None:
    """Raise this process's soft limit, which is 1,024 as a rule, as far as the hard one lets it.

    What it starts inherits that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:  # a system that has a limit beside it
        _log.info("this process stays with at most %d descriptors: %s", soft, error)
