"""The kinds of values a setting can have, and what each has to look like.

What is wrong with a value is said in words that follow "but": "has to be ...".
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from putlive.settings.quantities import BIT_RATE, SIZE, TIME

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?")
_PATH = re.compile(r"""(?:/[^/\x00-\x20\x7f"'\\$;,{}#]+)+/?""")  # what nginx can write, too


def _not_a_switch(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("has to be a whole number")
    return value


def _host(value: str) -> str:
    if value and not _HOST.fullmatch(value):
        raise ValueError("has to be a host name, such as tv.example.org")
    return value


def _address(value: str) -> str:
    try:
        ipaddress.ip_address(value.strip("[]"))
    except ValueError:
        if not _HOST.fullmatch(value):
            raise ValueError("has to be an address, such as 127.0.0.1, 0.0.0.0 or ::") from None
    return value


def _path(value: str) -> str:
    if value and (not _PATH.fullmatch(value) or ".." in value.split("/")):
        raise ValueError(
            "has to be a path from the root, such as /run/putlive, without spaces and quotes"
        )
    return value


def _origin(value: str) -> str:
    if not _ORIGIN.fullmatch(value):
        raise ValueError("has to be an origin, such as https://example.org, without a path")
    return value


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("has to be a network, such as 10.0.0.0/8 or ::1/128") from None
    return value


Seconds = Annotated[float, TIME, BeforeValidator(TIME.number), PlainSerializer(TIME.text)]
Bytes = Annotated[int, SIZE, BeforeValidator(SIZE.number), PlainSerializer(SIZE.text)]
BitsPerSecond = Annotated[
    int, BIT_RATE, BeforeValidator(BIT_RATE.number), PlainSerializer(BIT_RATE.text)
]
Whole = Annotated[int, BeforeValidator(_not_a_switch)]
Port = Annotated[Whole, Field(ge=1, le=65535)]
HostName = Annotated[str, AfterValidator(_host)]
Address = Annotated[str, AfterValidator(_address)]
FilePath = Annotated[str, AfterValidator(_path)]
Origin = Annotated[str, AfterValidator(_origin)]
Network = Annotated[str, AfterValidator(_network)]


class Section(BaseModel):
    """A part of the file. Unknown keys are errors; values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
