"""A job's own process, by itself: what it runs, prints and tells, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flask_realtime.isolation.box import Exit
from flask_realtime.isolation.control import Mask as MaskTold
from flask_realtime.isolation.control import (
    Progress,
    Ready,
    Threads,
    masked_order,
    report_order,
    stop_order,
)
from tests.support.child import Child, write_job

SUCCEEDED = Exit("succeeded", 0, "finished")
STOPPED = Exit("stopped", 0, "stopped")


def run(folder: Path, text: str, **params: object) -> tuple[Exit, str]:
    with Child(write_job(folder, text), params) as child:
        end = child.end()
        return end, child.rest()


def test_a_job_gets_its_parameters_as_their_types_and_its_output_is_that_of_a_program(
    tmp_path: Path,
) -> None:
    end, output = run(
        tmp_path,
        """
        import datetime, os, sys, pathlib

        def tidy(running, count: int, since: datetime.date, place: pathlib.Path, word: str = "é"):
            assert running()
            print(count, repr(since), repr(place), word)
            sys.stderr.write("to stderr\\n")
            os.write(1, b"written\\n")
            os.system("echo from a shell")
        """,
        count=3,
        since="2026-01-31",
        place="/tmp/x",
    )
    assert end == SUCCEEDED
    assert output == (
        "3 datetime.date(2026, 1, 31) PosixPath('/tmp/x') é\nto stderr\nwritten\nfrom a shell\n"
    )


def test_it_imports_neither_flask_nor_eventlet_nor_redis_and_little_else(tmp_path: Path) -> None:
    end, output = run(
        tmp_path,
        """
        import sys

        def tidy(running):
            print([name for name in ("flask", "eventlet", "redis", "asyncio", "logging",
                                     "flask_realtime.host") if name in sys.modules])
        """,
    )
    assert (end, output) == (SUCCEEDED, "[]\n")


def test_it_stands_where_the_server_stands(tmp_path: Path) -> None:
    text = """
        import os, sys

        def tidy(running):
            print(os.getcwd(), sys.argv, os.environ["FLASK_REALTIME_RUN"])
        """
    end, output = run(tmp_path, text)
    assert end == SUCCEEDED
    assert output == f"{tmp_path} ['{tmp_path}/tidy.py'] r1\n"


def test_no_descriptor_reaches_what_the_job_starts(tmp_path: Path) -> None:
    end, output = run(
        tmp_path,
        """
        import subprocess, sys

        def tidy(running):
            code = "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])"
            subprocess.run([sys.executable, "-c", code], close_fds=False, check=True)
        """,
    )
    assert (end, output) == (SUCCEEDED, "[0, 1, 2]\n")


def test_an_async_job_runs_in_a_loop(tmp_path: Path) -> None:
    end, output = run(
        tmp_path,
        """
        import asyncio

        async def tidy(running):
            for _ in range(2):
                await asyncio.to_thread(print, "line", 1)
            raise LookupError("in the loop")
        """,
    )
    assert end == Exit("failed", 1, "LookupError: in the loop")
    assert output.startswith("line 1\nline 1\nTraceback (most recent call last):\n")
    assert output.splitlines()[3].endswith('tidy.py", line 7, in tidy')


def test_an_exception_is_shown_from_the_job_on(tmp_path: Path) -> None:
    end, output = run(tmp_path, "def tidy(running):\n    raise ValueError('not today')\n")
    assert end == Exit("failed", 1, "ValueError: not today")
    lines = output.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{tmp_path}/tidy.py", line 2, in tidy'
    assert lines[-1] == "ValueError: not today"


@pytest.mark.parametrize(
    ("code", "end", "status", "shown"),
    [
        ("", SUCCEEDED, 0, ""),
        ("0", SUCCEEDED, 0, ""),
        ("3", Exit("failed", 3, "exited with code 3"), 3, ""),
        ("'no such file'", Exit("failed", 1, "no such file"), 1, "no such file\n"),
    ],
)
def test_sys_exit_ends_it_as_a_program(
    tmp_path: Path, code: str, end: Exit, status: int, shown: str
) -> None:
    reference = write_job(tmp_path, f"import sys\ndef tidy(running):\n    sys.exit({code})\n")
    with Child(reference) as child:
        assert child.end() == end
        assert child.rest() == shown
        assert child.process.returncode == status


WAITS = """
    import time

    def tidy(running):
        print("begun")
        while running():
            time.sleep(0.005)
        {after}
    """


@pytest.mark.parametrize(
    ("after", "end"),
    [
        ("print('tidied up')", STOPPED),
        ("raise KeyboardInterrupt", STOPPED),
        ("raise SystemExit(4)", Exit("failed", 4, "exited with code 4")),
        ("raise OSError('while tidying up')", Exit("failed", 1, "OSError: while tidying up")),
    ],
)
def test_a_stop_is_what_running_tells(tmp_path: Path, after: str, end: Exit) -> None:
    with Child(write_job(tmp_path, WAITS.format(after=after))) as child:
        child.output_until("begun")
        child.send(stop_order())
        assert child.end() == end


def test_a_stop_that_comes_with_the_start_is_heard(tmp_path: Path) -> None:
    with Child(write_job(tmp_path, WAITS.format(after="")), {}, stop_order()) as child:
        assert child.end() == STOPPED


def test_without_a_server_it_shall_end(tmp_path: Path) -> None:
    with Child(write_job(tmp_path, WAITS.format(after="print('alone')"))) as child:
        child.output_until("begun")
        child.leave()
        assert child.rest() == "begun\nalone\n"


def test_it_waits_for_the_threads_that_the_job_left_and_they_hear_of_a_stop(
    tmp_path: Path,
) -> None:
    text = """
        import atexit, threading, time

        def lingers(running):
            while running():
                time.sleep(0.005)
            print("the thread has ended")

        def tidy(running):
            atexit.register(print, "at exit")
            threading.Thread(target=lingers, args=(running,)).start()
            print("returns")
        """
    with Child(write_job(tmp_path, text)) as child:
        child.output_until("returns")
        child.send(stop_order())
        assert child.end() == STOPPED
        assert child.rest() == "returns\nthe thread has ended\nat exit\n"


def test_a_pool_of_threads_that_nobody_closed_does_not_keep_it(tmp_path: Path) -> None:
    end, output = run(
        tmp_path,
        """
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor()

        def tidy(running):
            pool.submit(print, "in the pool")
        """,
    )
    assert (end, output) == (SUCCEEDED, "in the pool\n")


def test_current_run_holds_in_all_threads(tmp_path: Path) -> None:
    end, output = run(
        tmp_path,
        """
        import threading
        from flask_realtime import current_run

        def show():
            run = current_run()
            print(run.id, run.job, run.user)

        def tidy(running):
            thread = threading.Thread(target=show)
            thread.start()
            thread.join()
            show()
        """,
    )
    assert (end, output) == (SUCCEEDED, "r1 tidy ann\n" * 2)


def test_a_mask_is_known_to_the_server_before_the_job_goes_on(tmp_path: Path) -> None:
    text = """
        from flask_realtime import mask

        def tidy(running):
            print("before")
            mask("correct horse")
            print("correct horse")
        """
    with Child(write_job(tmp_path, text)) as child:
        told = child.told(MaskTold)
        assert told.secret == "correct horse"
        assert child.output_until("before") == "before\n"
        child.send(masked_order(told.number))
        assert child.end() == SUCCEEDED
        assert child.rest() == "before\ncorrect horse\n"


def test_a_mask_does_not_wait_for_a_server_that_is_gone(tmp_path: Path) -> None:
    text = """
        from flask_realtime import mask

        def tidy(running):
            mask("correct horse")
            while running():
                pass
            mask("battery staple")
            print("on its own")
        """
    with Child(write_job(tmp_path, text)) as child:
        child.told(MaskTold)
        child.leave()
        assert child.rest() == "on its own\n"


def test_what_cannot_be_masked_is_refused_there(tmp_path: Path) -> None:
    text = "from flask_realtime import mask\ndef tidy(running):\n    mask({!r} * {})\n"
    end, _ = run(tmp_path, text.format("x", 7))
    assert end.reason.startswith("ValueError: a secret of less than 8 characters")
    end, _ = run(tmp_path, text.format("x", 70_000))
    assert end.reason.startswith("ValueError: a secret of more than 65536 characters")


def test_progress_comes_a_few_times_a_second_and_the_last_always(tmp_path: Path) -> None:
    text = """
        from flask_realtime import progress

        def tidy(running):
            progress(0, 100_000, "begins")
            for number in range(100_001):
                progress(number, 100_000, "copying")
        """
    with Child(write_job(tmp_path, text)) as child:
        told = child.all_told()
    said = [each for each in told if isinstance(each, Progress)]
    assert said[-1] == Progress(100_000, 100_000, "copying")
    assert len(said) < 50
    assert [each.done for each in said] == sorted(each.done for each in said)
    assert told[-1] == SUCCEEDED


def test_progress_before_a_long_silence_is_told(tmp_path: Path) -> None:
    text = """
        import time
        from flask_realtime import progress

        def tidy(running):
            progress(1)
            progress(2)
            progress(3, 3, "waits")
            while running():
                time.sleep(0.01)
        """
    with Child(write_job(tmp_path, text)) as child:
        while child.told(Progress) != Progress(3, 3, "waits"):
            pass
        child.send(stop_order())
        assert child.end() == STOPPED


def test_a_copy_that_the_job_forks_is_not_taken_for_it(tmp_path: Path) -> None:
    text = """
        import os
        from flask_realtime import mask, progress

        def tidy(running):
            copy = os.fork()
            if not copy:
                progress(99)
                try:
                    mask("correct horse")
                except RuntimeError as error:
                    print(error)
                descriptors = [os.open("/dev/null", os.O_RDWR) for _ in range(10)]
                progress(98)
                return
            os.waitpid(copy, 0)
            progress(1)
            print("the job")
        """
    with Child(write_job(tmp_path, text)) as child:
        told = child.all_told()
        assert told[1:] == [Progress(1, None, ""), SUCCEEDED]
        assert child.rest() == (
            "mask() cannot tell the server of a secret: it is called in a process that the job "
            "has forked; call it before that\nthe job\n"
        )


def test_a_job_that_closes_all_descriptors_goes_on_without_a_server(tmp_path: Path) -> None:
    text = """
        import os
        from flask_realtime import mask, progress

        def tidy(running):
            progress(1)
            os.closerange(3, 100)
            progress(2)
            try:
                mask("correct horse")
            except RuntimeError as error:
                print(error)
            print(running())
        """
    with Child(write_job(tmp_path, text)) as child:
        assert child.rest() == (
            "mask() cannot tell the server of a secret: the job has closed the descriptor that "
            "leads there\nTrue\n"
        )
        assert child.process.returncode == 0


def test_a_job_sees_no_threads_but_its_own(tmp_path: Path) -> None:
    text = """
        import threading, time

        def tidy(running):
            print("begins")
            while running():
                time.sleep(0.01)
            print(threading.enumerate() == [threading.current_thread()])
        """
    with Child(write_job(tmp_path, text)) as child:
        child.output_until("begins")
        child.send(report_order(1))
        assert len(child.told(Threads).threads) == 1
        child.send(stop_order())
        assert child.end() == STOPPED
        assert child.rest() == "begins\nTrue\n"


def test_copies_hear_of_a_stop(tmp_path: Path) -> None:
    text = """
        import multiprocessing, time

        def waits(running):
            print("begun")
            while running():
                time.sleep(0.005)
            print("heard")

        def tidy(running):
            process = multiprocessing.get_context("fork").Process(target=waits, args=(running,))
            process.start()
            process.join()
        """
    with Child(write_job(tmp_path, text)) as child:
        child.output_until("begun")
        child.send(stop_order())
        assert child.end() == STOPPED
        assert child.rest() == "begun\nheard\n"


def test_processes_of_multiprocessing_find_the_functions_of_a_jobs_folder(tmp_path: Path) -> None:
    (tmp_path / "_shared.py").write_text("def double(number):\n    return 2 * number\n")
    text = """
        import multiprocessing
        from . import _shared
        from flask_realtime import mask

        def work(number):
            try:
                mask("correct horse")
            except RuntimeError:
                return _shared.double(number)

        def tidy(running):
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                print(pool.map(work, [1, 2, 3]))
        """
    assert run(tmp_path, text) == (SUCCEEDED, "[2, 4, 6]\n")


def test_the_main_script_is_loaded_without_what_it_does_as_a_program(tmp_path: Path) -> None:
    text = """
        import multiprocessing

        def work(number):
            return __name__, number

        def tidy(running):
            print(__name__)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(work, [1]))

        if __name__ == "__main__":
            print("served")
        """
    reference = {**write_job(tmp_path, text), "module": "__mp_main__", "folder": ""}
    with Child(reference) as child:
        assert child.end() == SUCCEEDED
        assert child.rest() == "__mp_main__\n[('__mp_main__', 1)]\n"


def test_a_main_script_that_serves_when_it_is_loaded_is_told_how_not_to(tmp_path: Path) -> None:
    text = """
        from flask import Flask
        from flask_realtime import run

        def tidy(running): pass

        run(Flask(__name__), port=0)
        """
    reference = {**write_job(tmp_path, text), "module": "__mp_main__", "folder": ""}
    with Child(reference) as child:
        end = child.end()
        assert end.reason.startswith(f"{tmp_path}/tidy.py:7: {tmp_path}/tidy.py runs the server")
        assert 'below if __name__ == "__main__":' in child.rest()


def test_an_installed_module_is_imported_by_its_name(tmp_path: Path) -> None:
    text = "class Group:\n    def work(running):\n        print(__name__)\n"
    reference = {
        **write_job(tmp_path, text),
        "module": "tidy",
        "name": "Group.work",
        "folder": "",
        "path": [str(tmp_path), *sys.path],
    }
    with Child(reference) as child:
        assert child.end() == SUCCEEDED
        assert child.rest() == "tidy\n"


def test_parameters_that_are_other_than_the_server_read_are_named(tmp_path: Path) -> None:
    text = "def tidy(running, count: int): pass\n"
    end, _ = run(tmp_path, text, count="three")
    again = "; start the server again, which has read another signature"
    assert end.reason.endswith(
        f"does not take what it took: count: Expected `int`, got `str`{again}"
    )
    end, _ = run(tmp_path, text, count=3, surplus=1)
    assert end.reason.endswith(f"took: got an unexpected keyword argument 'surplus'{again}")


@pytest.mark.parametrize(
    ("text", "reason", "shown"),
    [
        ("import nothing_of_that_name\n", ":1: ModuleNotFoundError: No module named ", "line 1"),
        ("x = 1\n1 / 0\n", ":2: ZeroDivisionError: division by zero", "line 2, in <module>"),
        ("def tidy(running:\n", ":1: SyntaxError: ", "line 1"),
        ("import sys\nsys.exit(5)\n", ":2: it ended by sys.exit(5) while it was loaded", "line 2"),
        ("def other(running): pass\n", ": there is no 'tidy' in it any more", ""),
        ("tidy = 5\n", ": there is no 'tidy' in it any more", ""),
        (
            "def tidy(running, count: int): pass\n",
            ": 'tidy' does not take what it took: ",
            "missing a required argument: 'count'",
        ),
        ("def tidy(): pass\n", ": 'tidy' does not take what it took: ", "must be 'running'"),
    ],
)
def test_a_job_that_cannot_be_loaded_says_why_and_where(
    tmp_path: Path, text: str, reason: str, shown: str
) -> None:
    end, output = run(tmp_path, text)
    assert (end.state, end.code) == ("failed", 1)
    assert end.reason.startswith(f"{tmp_path}/tidy.py{reason}")
    assert f"{tmp_path}/tidy.py" in output
    assert shown in output
    assert "isolation" not in output


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    reference = write_job(tmp_path, "def tidy(running): pass\n")
    (tmp_path / "tidy.py").unlink()
    with Child(reference) as child:
        end = child.end()
        assert end == Exit("failed", 1, f"{tmp_path}/tidy.py: it is not there any more")
        assert child.rest() == f"{end.reason}\n"


def test_output_stays_unbuffered_when_the_job_puts_in_a_stream_of_its_own(tmp_path: Path) -> None:
    text = """
        import io, os, sys, time

        def tidy(running):
            streams = [
                io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8"),
                open(1, "w", closefd=False),
            ]
            for number, stream in enumerate(streams):
                sys.stdout = stream
                print("stream", number)
            sys.stdout = io.TextIOWrapper(sys.__stdout__.detach(), encoding="utf-8")
            sys.stdout.write("of a detached one")
            while running():
                time.sleep(0.005)
        """
    with Child(write_job(tmp_path, text)) as child:
        child.output_until("stream 0\nstream 1\nof a detached one")
        child.send(stop_order())
        assert child.end() == STOPPED


def test_a_job_may_capture_its_output_and_pickle_the_module_sys(tmp_path: Path) -> None:
    end, output = run(
        tmp_path,
        """
        import contextlib, io, pickle, sys

        def tidy(running):
            with contextlib.redirect_stdout(io.StringIO()) as captured:
                print("captured")
            print(captured.getvalue().upper(), pickle.loads(pickle.dumps(sys)) is sys, sys)
        """,
    )
    assert (end, output) == (SUCCEEDED, "CAPTURED\n True <module 'sys' (built-in)>\n")


def test_a_job_without_stdout_ends_as_usual(tmp_path: Path) -> None:
    end, output = run(
        tmp_path,
        """
        import sys

        def tidy(running):
            print("before")
            sys.stdout = sys.stderr = None
            raise ValueError("unheard")
        """,
    )
    assert end == Exit("failed", 1, "ValueError: unheard")
    assert output.startswith("before\nTraceback")


def test_names_of_files_that_are_no_text_pass_as_they_are(tmp_path: Path) -> None:
    reference = write_job(
        tmp_path, "def tidy(running):\n    print(b'caf\\xe9'.decode('utf-8', 'surrogateescape'))\n"
    )
    with Child(reference, LC_ALL="C") as child:
        assert child.end() == SUCCEEDED
        assert child.rest() == "caf\ufffd\n"


def test_it_tells_who_it_is_before_the_job_runs(tmp_path: Path) -> None:
    with Child(write_job(tmp_path, "def tidy(running): pass\n")) as child:
        ready = child.told(Ready)
        assert ready.pid == child.process.pid
        assert child.end() == SUCCEEDED


def test_a_server_that_is_gone_at_once_is_no_fault_of_the_job(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()
        process = subprocess.run(
            [sys.executable, "-m", "flask_realtime.isolation.child", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            capture_output=True,
            timeout=20,
        )
    assert (process.returncode, process.stdout, process.stderr) == (70, b"", b"")


def test_a_signal_that_the_job_does_not_handle_ends_it(tmp_path: Path) -> None:
    with Child(write_job(tmp_path, WAITS.format(after=""))) as child:
        child.output_until("begun")
        child.process.send_signal(signal.SIGTERM)
        child.rest()
        assert child.process.returncode == -signal.SIGTERM
        assert not [each for each in child.all_told() if isinstance(each, Exit)]
