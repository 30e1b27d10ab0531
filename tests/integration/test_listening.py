"""Ports, sockets and folders of this machine, and what is said when they are not to be had."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import socket
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from putlive import log
from putlive.adapters.host import state_folder
from putlive.adapters.host.notify_socket import NotifySocket
from putlive.adapters.host.port_check import free_loopback_ports, holder, require_free
from putlive.adapters.host.systemd import SystemdNotifier
from putlive.adapters.host.tasks import run_until
from putlive.adapters.web.front_probe import FrontProbe
from putlive.adapters.web.uvicorn_server import loopback_listener, serve, unix_listener
from putlive.cli.main import main
from putlive.errors import Conflict, PortTaken, PutLiveError
from putlive.settings import Layout, Ports, Settings
from putlive.station import Station, load


async def hello(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


async def test_a_server_answers_on_its_unix_socket_until_it_is_cancelled(tmp_path) -> None:
    path = tmp_path / "s"
    path.write_text("left over")
    task = asyncio.create_task(serve(hello, unix_listener(path)))
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path))) as client:
        assert (await client.get("http://x/abc")).text == "/abc"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_front_is_asked_over_its_own_port() -> None:
    [port] = free_loopback_ports(1)
    assert "is not there" in await FrontProbe("0.0.0.0", port).error()
    task = asyncio.create_task(serve(hello, loopback_listener(port)))
    await asyncio.sleep(0.2)
    assert await FrontProbe("127.0.0.1", port).error() is None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_front_that_is_ill_or_silent_is_said_to_be(monkeypatch) -> None:
    async def ill(reader, writer) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        writer.close()

    async def silent(reader, writer) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr("putlive.adapters.web.front_probe.LIMIT_SECONDS", 0.3)
    for behaviour, word in ((ill, "status 502"), (silent, "does not answer")):
        server = await asyncio.start_server(behaviour, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            assert word in await FrontProbe("127.0.0.1", port).error()


def test_a_taken_port_is_refused_with_the_name_of_the_process() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as error:
            require_free("127.0.0.1", port, "--http-port")
        assert f"(process {os.getpid()})" in str(error.value)
        assert "--http-port" in error.value.hint
    require_free("127.0.0.1", port, "--http-port")
    assert "another process" in holder(port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortTaken) as error:
        require_free("192.0.2.1", 18000, "--http-port")
    assert "192.0.2.1" in str(error.value) and "--bind" in error.value.hint


def test_a_state_folder_has_one_user_at_a_time(tmp_path) -> None:
    handle = state_folder.lock(tmp_path / "s")
    with pytest.raises(Conflict) as error:
        state_folder.lock(tmp_path / "s")
    assert "--state-dir" in error.value.hint
    os.close(handle)
    os.close(state_folder.lock(tmp_path / "s"))


def test_folders_are_private_and_segments_start_from_nothing(tmp_path) -> None:
    layout = Layout(tmp_path / "state", tmp_path / "hls")
    state_folder.make(layout)
    (layout.hls / "source" / "old.ts").write_bytes(b"x")
    state_folder.make(layout)
    assert list((layout.hls / "source").iterdir()) == []
    assert layout.run.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_said_with_a_remedy(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PutLiveError) as error:
        state_folder.make(Layout(tmp_path / "file" / "state", tmp_path / "hls"))
    assert "--state-dir" in error.value.hint


def test_segments_go_where_the_settings_say(tmp_path) -> None:
    named = Settings.model_validate({"streaming": {"hls": {"tmpfs_path": str(tmp_path)}}})
    assert state_folder.layout_of(tmp_path / "s", named).hls.parent == tmp_path


def test_a_station_is_handed_to_the_daemon_whole(tmp_path) -> None:
    layout = Layout(tmp_path, tmp_path / "hls")
    layout.run.mkdir()
    station = Station("abc", Settings(), layout, Ports(1, 2), "srs")
    station.save()
    assert load(tmp_path) == station
    (layout.run / "station.json").write_text("{")
    with pytest.raises(PutLiveError) as error:
        load(tmp_path)
    assert "putlive up" in error.value.hint


# sdnotify leaves its socket open for as long as the process lives.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_systemd_hears_ready_alive_and_stopping(tmp_path, monkeypatch) -> None:
    clock = asyncio.get_running_loop().time
    heard = NotifySocket(tmp_path / "n", clock)
    await heard.open()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
    notifier = SystemdNotifier()
    assert not heard.is_ready
    notifier.ready("fine")
    notifier.alive()
    notifier.status("busy")
    notifier.stopping()
    await asyncio.sleep(0.1)
    assert heard.is_ready and heard.quiet_seconds() < 1
    heard.forget()
    assert not heard.is_ready
    heard.close()


async def test_tasks_end_together_and_the_first_failure_is_raised() -> None:
    ended = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def fails() -> None:
        raise ValueError("bad")

    async def ends() -> None: ...

    with pytest.raises(ValueError, match="bad"):
        await run_until(asyncio.Event(), [waits(), fails()])
    with pytest.raises(RuntimeError, match="ended by itself"):
        await run_until(asyncio.Event(), [waits(), ends()])
    stop = asyncio.Event()
    stop.set()
    await run_until(stop, [waits()])
    assert len(ended) >= 2


def test_logs_are_one_line_of_json_each_whatever_is_in_them() -> None:
    stream, root = io.StringIO(), logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        log.set_up(stream=stream)
        token = log.correlation.set("abc")
        logging.getLogger("putlive.x").warning("a\n%s", '{"b"}', extra={"channel": "main"})
        try:
            raise ValueError("inside")
        except ValueError:
            logging.getLogger("putlive.x").exception("failed")
        log.correlation.reset(token)
    finally:
        root.handlers[:], root.level = before, level
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["message"], first["channel"], first["correlation_id"]) == (
        'a\n{"b"}',
        "main",
        "abc",
    )
    assert "ValueError: inside" in second["traceback"] and second["level"] == "error"


@pytest.mark.parametrize(
    "arguments,code,word",
    [
        (["--version"], 0, "putlive, version"),
        (["config", "show"], 0, "rtmp_port: 1935"),
        (["config", "check", "bad.yaml"], 2, "Did you mean"),
        (["config", "check", "good.yaml"], 0, "is fine"),
        (["up", "--http-port", "0"], 2, "not in the range"),
        (["daemon", "--state-dir", "nowhere"], 1, "putlive up"),
    ],
)
def test_commands(arguments, code, word, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text("streming: {}\n")
    Path("good.yaml").write_text("server: {http_port: 8080}\n")
    before = list(logging.getLogger().handlers)
    told = CliRunner().invoke(main, arguments)
    logging.getLogger().handlers[:] = before
    assert told.exit_code == code and word in told.output
