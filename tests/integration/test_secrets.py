"""A secret that is typed in shows nowhere: no output, record, answer of the API, log or Redis."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.server import Server

PASSWORD = "correct-horse-7391"
PIN = "73912"


def files_with(folder: Path, secret: str) -> list[Path]:
    """The files that have the secret in them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize("job", ["knock", "knock_apart"])
def test_a_secret_that_is_typed_in_shows_nowhere(own_server: Server, job: str) -> None:
    run = own_server.start_run(job, password=PASSWORD, pin=PIN)
    record = own_server.ended(run)
    output = own_server.output(run).decode()
    assert output.startswith(f"password *** *** Secret {len(PASSWORD)}\npin ***\n")
    assert "LookupError: ***" in output
    assert record["state"] == "failed"
    assert record["exit"]["reason"] == "LookupError: ***"
    assert record["params"] == {"password": "***", "pin": "***"}
    redis = own_server.redis_client()
    redis.save()  # all that Redis has is in files then
    redis.close()
    for path in (f"/api/runs/{run}", "/api/runs", "/api/jobs", f"/api/runs/{run}/search?q=horse"):
        assert PASSWORD not in own_server.get(path).text
    own_server.stop()
    assert files_with(own_server.folder, PASSWORD) == []
    assert files_with(own_server.folder, PIN) == []
    assert PASSWORD not in own_server.log


@pytest.mark.parametrize(
    "params",
    [
        {"password": PASSWORD, "pin": 73912},
        {"password": [PASSWORD]},
        {"password": PASSWORD + "\0"},
        {"password": PASSWORD, "passwort": PASSWORD},
    ],
    ids=["number", "list", "NUL", "unknown"],
)
def test_a_start_that_is_refused_does_not_repeat_a_secret(
    server: Server, params: dict[str, object]
) -> None:
    response = server.post("/api/runs", {"job": "knock", "params": params})
    assert response.status_code == 422
    assert "7391" not in response.text
    assert "7391" not in server.log


def test_what_a_record_shows_is_not_taken_for_the_secret(server: Server) -> None:
    run = server.start_run("knock", password=PASSWORD)
    params = server.ended(run)["params"]
    response = server.post("/api/runs", {"job": "knock", "params": params})
    assert response.status_code == 422
    assert "give it again" in response.json()["detail"]
