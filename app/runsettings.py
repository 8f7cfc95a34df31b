"""The settings of runs: how many at once, what each may take, how it ends."""

from __future__ import annotations

from app.setting import Setting
from app.settingtypes import number, optional_folder, whole_number

RUN_SETTINGS = (
    Setting(
        "MAX_RUNS",
        "20",
        "runs",
        whole_number(1, 1000),
        "Runs at the same time; one that is started beyond waits in line.",
        "4",
    ),
    Setting(
        "MAX_QUEUED",
        "100",
        "runs",
        whole_number(0, 10_000),
        "Runs that wait in line; a start beyond is refused. 0: none waits.",
        "20",
    ),
    Setting(
        "MAX_RUNS_PER_USER",
        "0",
        "runs",
        whole_number(0, 1000),
        "Runs of one user at the same time; others wait in line. 0: as many as MAX_RUNS.",
        "3",
    ),
    Setting(
        "RUN_TIMEOUT_SECONDS",
        "0",
        "seconds",
        number(0, 31_536_000),
        "Time that a run may take before it is ended, unless its job says another. 0: any.",
        "3600",
    ),
    Setting(
        "RUN_OUTPUT_MIB",
        "0",
        "MiB",
        number(0, 1_000_000),
        "Output of a run before it is ended, unless its job says another bound. 0: any.",
        "500",
    ),
    Setting(
        "PROCESS_MEMORY_MIB",
        "0",
        "MiB",
        number(0, 100_000_000),
        "Memory of a run in processes of its own, all together, before it is ended, unless its job "
        "says another bound. 0: any.",
        "2048",
    ),
    Setting(
        "TERMINAL_COLUMNS",
        "120",
        "characters",
        whole_number(20, 1000),
        "Width of the terminal that such a run writes to.",
        "80",
    ),
    Setting(
        "TERMINAL_ROWS",
        "30",
        "lines",
        whole_number(5, 1000),
        "Height of that terminal.",
        "50",
    ),
    Setting(
        "MAX_UPLOAD_MIB",
        "100",
        "MiB",
        number(0.001, 100_000),
        "Largest file that a run can be given; nginx has an UPLOAD_LIMIT of its own.",
        "10",
    ),
    Setting(
        "UPLOADS_PATH",
        "",
        "",
        optional_folder,
        "Folder for such files until their runs have ended; it is created. Several servers over "
        "one Redis share it. Empty: the folder `uploads` in INSTANCE_PATH.",
        "/var/tmp/uploads",
    ),
    Setting(
        "STOP_GRACE_SECONDS",
        "10",
        "seconds",
        number(0, 3600),
        "Time that a job has to end after Stop. Then its processes are ended; of one in a thread "
        "the page offers to force it.",
        "2.5",
    ),
    Setting(
        "SHUTDOWN_SECONDS",
        "5",
        "seconds",
        number(0, 3600),
        "Time that runs have to end when the server is stopped; the rest become `lost`.",
        "60",
    ),
    Setting(
        "DRAIN_SECONDS",
        "0",
        "seconds",
        number(0, 86_400),
        "Before that, time in which runs may end by themselves. What stops the server, such as "
        "Docker, must wait for both.",
        "600",
    ),
    Setting(
        "JOB_BUFFER_KIB",
        "4096",
        "KiB",
        whole_number(16, 1024 * 1024),
        "Output of a run that waits to be stored; when it is full, the job waits.",
        "1024",
    ),
)
