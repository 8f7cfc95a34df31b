"""The HTTP API of a server, for tests that talk to it as programs do."""

from __future__ import annotations

from typing import Any

import requests

from tests.support.patience import PATIENCE_SECONDS, eventually


class ApiClient:
    """What has the `url` of a server: requests to it, and its runs."""

    @property
    def url(self) -> str:
        raise NotImplementedError

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=60, **options)

    def post(self, path: str, body: object = None, **options: Any) -> requests.Response:
        return requests.post(self.url + path, json=body or {}, timeout=60, **options)

    def start_run(self, job: str, **params: object) -> str:
        response = self.post("/api/runs", {"job": job, "params": params})
        assert response.status_code == 201, response.text
        run: str = response.json()["id"]
        return run

    def run_record(self, run: str) -> dict[str, Any]:
        record: dict[str, Any] = self.get(f"/api/runs/{run}").json()
        return record

    def ended(self, run: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait for the end of a run, and return its record."""

        def final() -> dict[str, Any] | None:
            record = self.run_record(run)
            return record if record.get("ended") else None

        return eventually(final, seconds)

    def output(self, run: str) -> bytes:
        return self.get(f"/api/runs/{run}/output").content
