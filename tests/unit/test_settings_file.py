"""The settings file: what is read, and the exact words for everything that is wrong."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from putlive.errors import SettingsError
from putlive.settings import Hls, Quality, Settings, Streaming
from putlive.settings_file import changed, dump, load, parse, reference

LOOK = "Look at the indentation, the colons and the quotes in this line and the one above it."
SECTIONS = (
    "The file has to consist of sections, such as `server:`, with settings below them."
    " An empty file is right, too: every setting has a default."
)


def problems(text: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        parse(dedent(text), "c.yaml")
    assert error.value.exit_code == 2
    return str(error.value).splitlines()


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "server:\n", "{}", "\ufeff"])
def test_a_file_without_settings_means_the_defaults(text: str) -> None:
    assert parse(text, "c.yaml") == Settings()


def test_settings_are_read() -> None:
    read = parse(
        dedent("""
        server: {domain: tv.example.org, bind: "::", http_port: 80}
        streaming:
          engine: nginx-rtmp
          kick_duration: 5m
          hls: {segment_duration: 1, playlist_window: 6s, tmpfs_max_size: 1G}
          qualities:
            - {name: 360p, resolution: 640x360, bitrate: 800k, enabled: off}
        security:
          cors:
            allowed_origins: [https://example.org, "http://[::1]:8080"]
        monitoring:
          metrics_networks: []
        """),
        "c.yaml",
    )
    assert (read.server.domain, read.server.bind, read.server.http_port) == (
        "tv.example.org",
        "::",
        80,
    )
    assert (read.streaming.engine, read.streaming.kick_duration) == ("nginx-rtmp", 300.0)
    assert read.streaming.hls == Hls(segment_duration=1, playlist_window=6, tmpfs_max_size=1 << 30)
    assert read.streaming.qualities == (
        Quality(name="360p", resolution="640x360", bitrate=800_000, enabled=False),
    )
    assert read.security.cors.allowed_origins == ("https://example.org", "http://[::1]:8080")
    assert read.monitoring.metrics_networks == ()
    assert read.authentication == Settings().authentication


BAD: list[tuple[str, str]] = [
    # names
    ("server: {domian: x}", "c.yaml:1: server.domian: There is no such setting. Did you mean"
    " domain?"),
    ("strming: {}", "c.yaml:1: strming: There is no such setting. Did you mean streaming?"),
    (
        "server:\n  rtmp: 1\nhls: {}\n",
        "c.yaml:2: server.rtmp: There is no such setting. Remove it."
        " The settings here are domain, bind, http_port.\n"
        "c.yaml:3: hls: There is no such setting. Did you mean streaming.hls?",
    ),
    (
        "monitoring: {rtmp_port: 1}",
        "c.yaml:1: monitoring.rtmp_port: There is no such setting. Did you mean"
        " streaming.rtmp_port?",
    ),
    (
        "authentication: {jwt_secret: CHANGE_ME}",
        "c.yaml:1: authentication.jwt_secret: There is no such setting."
        " Secrets are not written here: PutLive makes its own. Remove it.",
    ),
    (
        "server:\n  domain: a\n  bind: '::'\n  domain: b\n",
        "c.yaml:4: server.domain: It is given twice, first in line 2. Keep one of the two.",
    ),
    ("? [a]\n: 1", "c.yaml:1: The name of a setting has to be a word."
     " Put a text that begins with a bracket or a brace in quotes."),
    # kinds
    ("server: 8", 'c.yaml:1: server: It is "8", but has to be a section, with its settings in lines'
     " of their own below it."),
    ("server: []", "c.yaml:1: server: It is a list, but has to be a section, with its settings in"
     " lines of their own below it."),
    (
        "server:\n  http_port: abc",
        'c.yaml:2: server.http_port: It is "abc", but has to be a whole number.'
        " Its meaning: Port of pages, API and HLS.",
    ),
    (
        "server:\n  http_port: yes",
        'c.yaml:2: server.http_port: It is "yes", but has to be a whole number.'
        " Its meaning: Port of pages, API and HLS.",
    ),
    (
        "server:\n  http_port: 80.5",
        'c.yaml:2: server.http_port: It is "80.5", but has to be a whole number.'
        " Its meaning: Port of pages, API and HLS.",
    ),
    (
        "server:\n  http_port: {a: 1}",
        "c.yaml:2: server.http_port: It is a section, but has to be a whole number."
        " Its meaning: Port of pages, API and HLS.",
    ),
    (
        "server:\n  domain: no",
        'c.yaml:2: server.domain: It is "no", but has to be text. Write it in quotes: "no".',
    ),
    (
        "server:\n  domain: [a]",
        "c.yaml:2: server.domain: It is a list, but has to be text."
        " Its meaning: Public host name; empty: the address people used.",
    ),
    (
        "server:\n  bind:",
        "c.yaml:2: server.bind: It has no value."
        " Write one, or remove the line for the default, 127.0.0.1.",
    ),
    (
        "security: {cors: {allowed_origins: }}",
        "c.yaml:1: security.cors.allowed_origins: It has no value."
        " Write one, or remove the line for the default.",
    ),
    (
        "security: {cors: {allowed_origins: 'https://a'}}",
        'c.yaml:1: security.cors.allowed_origins: It is "https://a", but has to be a list, with one'
        " entry per line after a dash. Its meaning: Origins such as `https://example.org`.",
    ),
    (
        "streaming: {qualities: [{name: a, resolution: 20x20, bitrate: 1M, enabled: maybe}]}",
        'c.yaml:1: streaming.qualities[0].enabled: It is "maybe", but has to be true or false.'
        " Its meaning: Made unless switched off on the dashboard.",
    ),
    # values
    (
        "server:\n  http_port: 99999",
        'c.yaml:2: server.http_port: It is "99999", but has to be between 1 and 65535.'
        " Its meaning: Port of pages, API and HLS.",
    ),
    (
        "streaming:\n  hls:\n    segment_duration: 20s",
        'c.yaml:3: streaming.hls.segment_duration: It is "20s", but has to be between 1s and 10s.'
        " Its meaning: Length of one segment.",
    ),
    (
        "streaming: {kick_duration: soon}",
        'c.yaml:1: streaming.kick_duration: It is "soon", but has to be a time: a number and a unit'
        " (ms, s, m, h, d, w), such as 30s or 5m."
        " Its meaning: How long a kicked input stays out.",
    ),
    (
        "streaming: {hls: {tmpfs_max_size: 500MB}}",
        'c.yaml:1: streaming.hls.tmpfs_max_size: It is "500MB", but has to be a size: a number and'
        " a unit (k, K, M, G), such as 500M or 2G. Its meaning: Cap of that folder.",
    ),
    (
        "streaming: {engine: nginx}",
        'c.yaml:1: streaming.engine: It is "nginx", but has to be one of auto, srs, nginx-rtmp.'
        ' Did you mean "nginx-rtmp"?',
    ),
    (
        "monitoring:\n  metrics_networks:\n    - 10.0.0.0/8\n    - 10.0.0.1/8\n",
        'c.yaml:4: monitoring.metrics_networks[1]: It is "10.0.0.1/8", but has to be a'
        ' network, such'
        " as 10.0.0.0/8 or ::1/128."
        " Its meaning: Networks that may read /metrics without a token.",
    ),
    (
        'server: {domain: "\\e[31m\\n' + "x" * 99 + '"}',
        'c.yaml:1: server.domain: It is "�[31m�' + "x" * 33 + '…", but has to be a host name,'
        ' such as'
        " tv.example.org. Its meaning: Public host name; empty: the address people used.",
    ),
    (
        "streaming:\n  qualities:\n    - name: 480\n      bitrate: 1M",
        'c.yaml:3: streaming.qualities[0].name: It is "480", but has to be text.'
        ' Write it in quotes: "480".\n'
        "c.yaml:3: streaming.qualities[0].resolution: It is missing."
        " Its meaning: Width x height in even numbers, such as `854x480`.",
    ),
    (
        "streaming: {qualities: [" + "{name: a, resolution: 20x20, bitrate: 1M}," * 9 + "]}",
        "c.yaml:1: streaming.qualities: It is a list, but may have at most 8 entries."
        " Its meaning: The ladder below the source.",
    ),
    (
        "server:\n  http_port: " + "9" * 5000,
        'c.yaml:2: server.http_port: It is "' + "9" * 39 + '…", but has to be a whole number that'
        " is not as long. Its meaning: Port of pages, API and HLS.",
    ),
    # contradictions
    (
        "streaming:\n  hls:\n    segment_duration: 5s",
        "c.yaml:3: streaming.hls.segment_duration: streaming.hls.playlist_window is 12s, but has to"
        " be at least three times streaming.hls.segment_duration, 15s. Change one of them.",
    ),
    (
        "streaming:\n  rtmp_port: 8000",
        "c.yaml:2: streaming.rtmp_port: server.http_port and streaming.rtmp_port are both 8000, but"
        " each has to have a port of its own. Change one of them.",
    ),
    (
        "authentication:\n  session_expiry: 6h",
        "c.yaml:2: authentication.session_expiry: authentication.session_expiry is 6h, but"
        " has to be"
        " at least authentication.token_expiry, 1d. Change one of them.",
    ),
    (
        "streaming:\n  qualities:\n"
        + "  - {name: a, resolution: 20x20, bitrate: 1M}\n" * 2,
        'c.yaml:2: streaming.qualities: Two qualities are called "a", but each has to have a'
        ' name of'
        " its own. Change one of them.",
    ),
    # YAML
    ("- a\n- b\n", f"c.yaml:1: {SECTIONS}"),
    ("\n\njust text", f"c.yaml:3: {SECTIONS}"),
    (
        "server:\n  domain: a: b",
        "c.yaml:2: This is not YAML: mapping values are not allowed here."
        ' A text with a colon in it belongs in quotes: "like: this".',
    ),
    (
        "server:\n\tdomain: a",
        "c.yaml:2: This is not YAML: found character '\\t' that cannot start any token."
        " Indent with spaces: YAML does not take tabs.",
    ),
    (
        "server: {domain: a",
        "c.yaml:1: This is not YAML: expected ',' or '}', but got '<stream end>'. " + LOOK,
    ),
    (
        "server:\n  domain: 'a\n",
        "c.yaml:3: This is not YAML: found unexpected end of stream. " + LOOK,
    ),
    ('server: {domain: "\\UFFFFFFFF"}', "c.yaml:1: It holds a number no text can have."
     " Look at the backslashes in it."),
    ("server:\n  domain: \a", "c.yaml:2: It holds a character that YAML does not take (number 7)."
     " Remove it, or save the file as UTF-8 text."),
    ("server: &a {}\nstreaming: *a\n", "c.yaml:2: Aliases (*name) are not taken here."
     " Write the value out."),
    ("server: {}\n---\nserver: {}\n", "c.yaml:2: A second document begins here."
     " Remove this line (---)."),
    ("server: !!python/object:os.system {}", "c.yaml:1: Tags (!name) are not taken here."
     " Remove it; a text that looks like something else belongs in quotes."),
    ("[" * 5000, "c.yaml:1: This is nested too deeply. Look for a bracket too many."),
    ("#" * 200_001, "c.yaml:1: It is longer than 200000 characters. Is it a settings file?"),
]  # fmt: skip


@pytest.mark.parametrize("text,words", BAD, ids=[words[8:60] for _, words in BAD])
def test_what_is_wrong_is_said_with_its_line_and_a_remedy(text: str, words: str) -> None:
    assert "\n".join(problems(text)) == words


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    found = problems("""
        server:
          http_port: 0
          http_prt: 1
        streaming:
          qualities:
            - {name: a, resolution: 20x20, bitrate: 1, fps: 99}
            - {name: b, resolution: 21x20, bitrate: 1M}
          engine: [srs]
          hls: {segment_duration: 4s, playlist_window: 6s, tmpfs_path: x, tmpfs_path: /y}
        authentication:
          login_wait:
        """)
    assert [line.split(": ")[0:2] for line in found] == [
        ["c.yaml:3", "server.http_port"],
        ["c.yaml:4", "server.http_prt"],
        ["c.yaml:7", "streaming.qualities[0].bitrate"],
        ["c.yaml:7", "streaming.qualities[0].fps"],
        ["c.yaml:8", "streaming.qualities[1].resolution"],
        ["c.yaml:9", "streaming.engine"],
        ["c.yaml:10", "streaming.hls.tmpfs_path"],
        ["c.yaml:10", "streaming.hls.tmpfs_path"],
        ["c.yaml:10", "streaming.hls.playlist_window"],
        ["c.yaml:12", "authentication.login_wait"],
    ]


def test_a_contradiction_with_a_value_that_is_wrong_itself_is_not_told() -> None:
    found = problems("streaming: {hls: {segment_duration: 8s, playlist_window: never}}")
    assert [line.split(": ")[1] for line in found] == ["streaming.hls.playlist_window"]


def test_a_file_is_loaded_and_no_path_means_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes("\ufeffserver:\r\n  domain: tv.example.org\r\n".encode())
    assert load(file).server.domain == "tv.example.org"
    assert load(None) == Settings()


def test_a_file_that_cannot_be_read_is_an_error_with_its_path(tmp_path: Path) -> None:
    hint = "Give the path of a file that is there and may be read by this user."
    for path, why in (
        (tmp_path / "none.yaml", "No such file or directory"),
        (tmp_path, "Is a dir"),
    ):
        with pytest.raises(SettingsError) as error:
            load(path)
        (problem,) = error.value.problems
        assert problem.where == str(path) and why in problem.what and problem.hint == hint


def test_a_file_that_is_not_utf8_is_an_error_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(b"server:\n  domain: caf\xe9\n")
    with pytest.raises(SettingsError) as error:
        load(file)
    assert str(error.value) == f"{file}:2: This is not text in UTF-8. Save the file as UTF-8."


WORDS = """
    server streaming hls qualities name resolution bitrate http_port domain segment_duration
    playlist_window engine auto 480p 854x480 1200k 2s 8000 yes null ~ .inf .nan 0x1f 1:30 - ? : { }
    2024-01-01 2024-99-99 [ ] , # & * ! | > ' " % @ ` << = !!int !!float !!set !!binary --- ...
    \\ \\u \\ud800 \\UFFFFFFFF &a *a
"""
BITS = st.sampled_from([*WORDS.split(), "\n", "\n", "\n  ", "\n    ", " ", "\t", ": "])
SOUP = st.lists(BITS).map("".join)


@given(st.one_of(st.text(), SOUP))
@settings(max_examples=400, deadline=None)
def test_no_text_raises_anything_but_a_settings_error(text: str) -> None:
    try:
        assert isinstance(parse(text, "c.yaml"), Settings)
    except SettingsError as error:
        assert error.problems
        assert all(p.where.startswith("c.yaml:") and p.what for p in error.problems)
        assert all(line.isprintable() for line in str(error).splitlines())


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(), SCALARS))


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_no_value_of_any_setting_raises_anything_but_a_settings_error(data: st.DataObject) -> None:
    tree = Settings().model_dump(mode="json")
    for _ in range(data.draw(st.integers(1, 3))):
        section = tree
        while True:
            key = data.draw(st.sampled_from(sorted(section)))
            if not isinstance(section[key], dict) or not section[key] or data.draw(st.booleans()):
                break
            section = section[key]
        section[key] = data.draw(VALUES)
    try:
        parse(yaml.safe_dump(tree), "c.yaml")
    except SettingsError as error:
        assert error.problems


RUNGS = st.builds(
    Quality,
    name=st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12).map("r".__add__),
    resolution=st.tuples(st.integers(8, 999), st.integers(8, 999)).map(
        lambda half: f"{half[0] * 2}x{half[1] * 2}"
    ),
    bitrate=st.integers(50_000, 20_000_000),
    fps=st.integers(5, 60),
    enabled=st.booleans(),
)
STREAMINGS = st.builds(
    Streaming,
    kick_duration=st.floats(0, 604800).map(lambda seconds: round(seconds, 3)),
    engine=st.sampled_from(["auto", "srs", "nginx-rtmp"]),
    qualities=st.lists(RUNGS, max_size=4, unique_by=lambda rung: rung.name).map(tuple),
    hls=st.builds(
        Hls,
        segment_duration=st.floats(1, 4).map(lambda seconds: round(seconds, 3)),
        tmpfs_max_size=st.integers(32 << 20, 1 << 40),
        tmpfs_path=st.sampled_from(["", "/dev/shm/putlive", "/run/é"]),
    ),
)


@given(STREAMINGS)
@settings(max_examples=100, deadline=None)
def test_what_is_dumped_is_read_back(streaming: Streaming) -> None:
    made = Settings(streaming=streaming)
    assert parse(dump(made), "c.yaml") == made


def test_the_reference_names_every_setting_and_its_default() -> None:
    page = reference()
    for line in (
        "| `segment_duration` | time | `2s` | 1s to 10s | Length of one segment. |",
        "| `tmpfs_max_size` | size | `500M` | 32M to 1024G | Cap of that folder. |",
        "| `bitrate` | bit rate | required | 50k to 20000k | Video bit rate. |",
        "| `http_port` | whole number | `8000` | 1 to 65535 | Port of pages, API and HLS. |",
        "## `streaming.qualities[]`",
    ):
        assert line in page
    defaults = page.split("```yaml\n")[1].split("```")[0]
    assert parse(defaults, "page") == Settings()


def test_wishes_of_a_command_line_replace_settings_and_none_is_no_wish() -> None:
    wishes = {"server": {"http_port": 9000, "bind": None}, "streaming": {"engine": "srs"}}
    settings = changed(Settings(), wishes)
    assert (settings.server.http_port, settings.server.bind) == (9000, "127.0.0.1")
    assert settings.streaming.engine == "srs"


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"server": {"http_port": 1935}}, "options: server.http_port and streaming.rtmp_port"),
        ({"server": {"bind": "my host"}}, "server.bind: has to be"),
    ],
)
def test_wishes_that_cannot_be_are_told_in_words(
    wishes: dict[str, dict[str, object]], said: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        changed(Settings(), wishes)
    assert str(refusal.value).startswith(said)
