"""What the server itself logs: to stderr, without the secrets that it knows."""

from __future__ import annotations

import logging
import sys

from flask_realtime.masking import Secrets


class MaskingFormatter(logging.Formatter):
    """Masks secrets in whole entries: arguments and tracebacks included."""

    def __init__(self, text: str, secrets: Secrets) -> None:
        super().__init__(text)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return self._secrets.mask(super().format(record))


def log_to_stderr(level: str, secrets: Secrets) -> None:
    """Log entries of `level` and above."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s", secrets)
    )
    logging.basicConfig(level=level.upper(), handlers=[handler])
    # At debug level it logs each login's code verifier, which is a secret for a moment.
    logging.getLogger("authlib").setLevel(max(logging.INFO, logging.getLogger().level))
