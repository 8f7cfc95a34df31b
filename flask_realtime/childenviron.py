"""Which variables of this process a child of it gets: none that may hold a secret of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from flask_realtime.errors import ConfigurationError

# What programs need to run at all, to find their files, to speak the user's language, and to reach
# the network. A password of the server, its Redis' say, is in none of them.
PASSED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "TERM", "XDG_*"),
    *("LANG", "LANGUAGE", "LC_*"),
    *("PYTHON*", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "LD_LIBRARY_PATH"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)


def child_environ(
    own: Mapping[str, str], inherited: Iterable[str], added: Mapping[str, str]
) -> dict[str, str]:
    """Those of `own` in PASSED and `inherited`, names in which "*" stands for any text; `added`."""
    patterns = (*PASSED, *inherited)
    passed = {
        name: value
        for name, value in own.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }
    return {**passed, "PYTHONUNBUFFERED": "1", **added}


def check_environ(inherited: Iterable[str], added: Mapping[str, str]) -> None:
    """Raises ConfigurationError."""
    if isinstance(inherited, str) or not all(isinstance(name, str) for name in inherited):
        raise ConfigurationError(f"inherit: {inherited!r} is no list of names of variables")
    for name, value in added.items():
        if not isinstance(value, str):
            raise ConfigurationError(f"environ: {name} is {value!r}, which is no text")
