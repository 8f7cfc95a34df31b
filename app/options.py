"""The settings as the library has them, and the jobs: the same in web nodes and on workers."""

from __future__ import annotations

from app.code_census import code_census
from app.create_spaces import create_spaces
from app.delete_spaces import delete_spaces
from app.list_spaces import list_spaces
from app.login.keys import token_key
from app.settings import Settings
from flask_realtime.bounds import Bounds
from flask_realtime.jobs import JobRegistry
from flask_realtime.keep import Keep
from flask_realtime.options import Options

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30


def options_of(settings: Settings) -> Options:
    """What the settings say about the engine. A key that is missing is made."""
    return Options(
        max_runs=settings.max_runs,
        max_runs_per_user=settings.max_runs_per_user or None,
        max_queued=settings.max_queued,
        executor=settings.executor,
        max_queued_on_workers=settings.max_queued_on_workers,
        sealing_keys=token_keys_of(settings),
        bounds=Bounds(
            timeout=settings.run_timeout_seconds or None,
            memory_mib=settings.process_memory_mib or None,
            output_mib=settings.run_output_mib or None,
        ),
        stop_grace_seconds=settings.stop_grace_seconds,
        shutdown_seconds=settings.shutdown_seconds,
        drain_seconds=settings.drain_seconds,
        terminal_columns=settings.terminal_columns,
        terminal_rows=settings.terminal_rows,
        max_upload_bytes=int(settings.max_upload_mib * MIB),
        uploads_path=settings.uploads_path or settings.instance_path / "uploads",
        job_buffer_bytes=settings.job_buffer_kib * KIB,
        output_hot_bytes=settings.output_hot_mib * MIB,
        output_hot_seconds=settings.output_hot_minutes * 60,
        keep=Keep(
            days=settings.keep_days,
            runs=settings.keep_runs,
            output_bytes=int(settings.keep_output_gib * GIB),
        ),
        viewer_window_bytes=settings.viewer_window_kib * KIB,
        max_event_bytes=settings.max_event_kib * KIB,
    )


def token_keys_of(settings: Settings) -> tuple[str, ...]:
    """The keys that seal tokens and what workers are told; one that is missing is made."""
    return settings.token_keys or (token_key(settings.instance_path),)


def add_jobs(jobs: JobRegistry, settings: Settings) -> None:
    """Register the jobs that the application brings along; those of JOBS_PATH come after."""
    jobs.add(code_census)
    if settings.login == "webex":
        for job in (list_spaces, create_spaces, delete_spaces):
            jobs.add(job)
