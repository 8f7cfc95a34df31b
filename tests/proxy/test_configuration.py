from __future__ import annotations

import sys
from pathlib import Path

import pytest
from flask import Flask

from flask_realtime import ConfigurationError
from flask_realtime.proxy import ReverseProxy, Supervisor, load_apps, mounted_apps, stop_apps


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "apps.toml"


def test_a_file_names_the_apps(file: Path) -> None:
    file.write_text(f"""
        [apps.bokeh]
        command = ["{sys.executable}", "-m", "bokeh", "--prefix", "{{prefix}}", "{{socket}}"]
        idle_stop = 600
        read_timeout = 5

        [apps.paint]
        prefix = "/tools/paint"
        upstream = "http://127.0.0.1:8081"
        strip_prefix = true
        rewrite = {{ "/flexx/" = "{{prefix}}/flexx/" }}
    """)
    bokeh, paint = load_apps(file)
    assert (bokeh.name, bokeh.prefix, bokeh.limits.read_timeout) == ("bokeh", "/bokeh", 5)
    assert bokeh.supervisor is not None
    assert bokeh.supervisor.status.state == "stopped"
    assert str(bokeh.pool.address).startswith("unix:/")
    assert (paint.prefix, paint.supervisor) == ("/tools/paint", None)
    app = Flask("parent")
    for each in (bokeh, paint):
        each.init_app(app)
    assert {each.name for each in mounted_apps(app)} == {"bokeh", "paint"}
    stop_apps(app)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[apps.a\n", "cannot be read"),
        ("[apps.a]\n", "neither an upstream nor a command"),
        ("[apps.a]\nupstreem = 1\n", "upstreem not known"),
        ('[apps.a]\nupstream = "https://x"\n', "is no upstream"),
        ('[apps.a]\nupstream = "http://x:99999"\n', "malformed"),
        ('[apps.a]\nupstream = "http://x/base"\n', "strip_prefix"),
        ('[apps.a]\ncommand = "bokeh serve"\n', "is no command"),
        ('[apps.a]\ncommand = ["bokeh"]\n', "where does bokeh listen"),
        ('[apps.a]\ncommand = ["x", "{port}"]\ninherit = "HOME"\n', "no list of names"),
        ('[apps.a]\ncommand = ["x", "{port}"]\nenviron = {A = 1}\n', "A is 1, which is no text"),
        ('[apps.a]\nupstream = "http://x"\nprefix = "a"\n', "is no prefix"),
        ('[apps.a]\nupstream = "http://x"\nhost = "a:80"\n', "is no host name"),
    ],
)
def test_a_fault_is_named_with_its_app(file: Path, text: str, fault: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        load_apps(file)
    assert fault in str(raised.value)
    assert str(file) in str(raised.value)


def test_a_missing_file(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_apps(file)


def test_two_apps_at_one_place(file: Path) -> None:
    app = Flask("parent")
    ReverseProxy("/a", "http://127.0.0.1:1").init_app(app)
    with pytest.raises(ConfigurationError, match="another app at /a"):
        ReverseProxy("/a/", "http://127.0.0.1:2").init_app(app)


def test_a_command_or_a_supervisor() -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        ReverseProxy("/a", command=["x"], supervisor=Supervisor(["x"]))
