"""How long an encoder waits for yes or no while twenty knock at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from bench.api import Api
from bench.effort import Task
from bench.knocks import Answer, Knock, body_bytes, knock_at_once, request_bytes
from bench.rows import Row, Sheet, percentile
from bench.station import Station, running
from putlive.adapters.store.sqlite import SqliteStore
from putlive.adapters.vault.secrets import Secrets
from putlive.daemon.parts import Parts
from putlive.domain.streams import Allow, PublishRequest
from putlive.log import set_up
from putlive.station import load

PUBLISHERS = 20
CHANNELS = 10
PAUSE_SECONDS = 0.05
SETTINGS = {
    "streaming": {"max_concurrent_streams": PUBLISHERS, "qualities": []},
    "security": {"rate_limit": {"requests_per_minute": 100_000, "burst": 1000}},
}


def measure(task: Task) -> list[Row]:
    """Round trips on the real hook server, then the decision alone with the same parts."""
    state = task.folder / "state"
    with running(state, task.engine, settings=SETTINGS) as station:
        knocks = _knocks(Api(station))
        time.sleep(4.0)  # the new channels' keepers
        door = _Door(station)
        crowd, wrong = door.rounds(knocks, task.effort.publish_rounds)
        single, _ = door.rounds(knocks[:1], task.effort.publish_rounds)
    with (task.folder / "decisions.log").open("w") as log:
        set_up(stream=log)  # writing its line is part of a refusal
        decisions = asyncio.run(_decisions(state, knocks, task.effort.publish_rounds))
    sheet = Sheet("publish", task.engine)
    return [
        *(
            sheet.row(f"p{p}_ms", percentile(crowd, p), "ms", note)
            for p, note in ((50, f"round trip, {PUBLISHERS} at once"), (95, ""), (99, ""))
        ),
        sheet.row("max_ms", max(crowd), "ms", f"of {len(crowd)}"),
        sheet.row("single_p50_ms", percentile(single, 50), "ms", "round trip, one at a time"),
        sheet.row("decision_p50_ms", percentile(decisions, 50), "ms", "the decision alone"),
        sheet.row("decision_p99_ms", percentile(decisions, 99), "ms"),
        sheet.row("wrong_answers", wrong, "", "let in or refused by mistake"),
    ]


def _knocks(api: Api) -> list[Knock]:
    """Ten that have to be let in, and ten that must not: unknown, foreign and missing keys."""
    keys = []
    for index in range(CHANNELS):
        name = f"bench{index}"
        api.call("POST", "/api/channels", {"name": name, "title": name})
        key = api.call("POST", "/api/keys", {"channel": name, "label": "bench"})
        keys.append((name, str(key["stream_key"]).partition("?key=")[2]))
    bad = ("abcd1234-" + "a2" * 16, keys[0][1], "")
    knocks = []
    for index, (name, secret) in enumerate(keys):
        wrong = bad[index % 3] if index else bad[0]
        knocks += [Knock(name, secret, True), Knock(name, wrong, False)]
    return knocks


class _Door:
    """The hook server of a station; every client id is a new one, or it would be a replay."""

    def __init__(self, station: Station) -> None:
        self._engine, self._port = str(station.facts["engine"]), int(station.facts["hooks"])
        self._secret = Secrets.load(station.state / "secrets").hook
        self._count = 1_000_000

    def rounds(self, knocks: Sequence[Knock], count: int) -> tuple[list[float], int]:
        """Milliseconds of each knock, and how many answers were wrong."""
        times: list[float] = []
        wrong = 0
        for _ in range(count):
            clients = [self._client() for _ in knocks]
            answers = knock_at_once(self._port, self._requests(knocks, clients, done=False))
            times += [answer.ms for answer in answers]
            wrong += sum(_let_in(a) != k.good for a, k in zip(answers, knocks, strict=True))
            inside = [(k, c) for k, c in zip(knocks, clients, strict=True) if k.good]
            # They end, or the next round would find the channels busy.
            for request in self._requests(
                [k for k, _ in inside], [c for _, c in inside], done=True
            ):
                knock_at_once(self._port, [request])
            time.sleep(PAUSE_SECONDS)
        return times, wrong

    def _client(self) -> str:
        self._count += 1
        return str(self._count)

    def _requests(self, knocks: Sequence[Knock], clients: Sequence[str], done: bool) -> list[bytes]:
        bodies = (
            body_bytes(self._engine, done, k, c) for k, c in zip(knocks, clients, strict=True)
        )
        return [request_bytes(self._engine, self._port, self._secret, body) for body in bodies]


def _let_in(answer: Answer) -> bool:
    return 200 <= answer.status < 300


async def _decisions(state: Path, knocks: Sequence[Knock], rounds: int) -> list[float]:
    """Milliseconds inside `on_publish`, with the station's own database, twenty at a time."""
    station = load(state)
    async with SqliteStore.open(station.layout.database) as store:
        parts = Parts(station, store, Secrets.load(station.layout.secrets))
        for part in (parts.channels, parts.keys, parts.accounts):
            await part.load()
        times: list[float] = []

        async def one(knock: Knock, client: str) -> None:
            request = PublishRequest(
                station.engine, "live", knock.channel, client, "127.0.0.1", knock.secret
            )
            began = time.perf_counter()
            answer = await parts.publishing.on_publish(request)
            times.append((time.perf_counter() - began) * 1000)
            assert isinstance(answer, Allow) == knock.good

        for turn in range(rounds):
            clients = [f"{turn}-{index}" for index in range(len(knocks))]
            await asyncio.gather(*(one(k, c) for k, c in zip(knocks, clients, strict=True)))
            for knock, client in zip(knocks, clients, strict=True):
                await parts.publishing.on_unpublish(knock.channel, client)
            await parts.publishing.flush()
        return times
