"""Quantities as people write them (`30s`, `2G`, `1200k`): to a number and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_WRITTEN = re.compile(r"\s*([0-9]{1,18}(?:\.[0-9]{1,18})?)\s*([a-zA-Z]*)\s*\Z")


@dataclass(frozen=True)
class Quantity:
    """A kind of number with units; `units` maps each to its factor, "" is the bare number's.

    `written` are the units `text` chooses from, largest first, ending with the smallest.
    """

    name: str
    units: Mapping[str, Decimal]
    written: tuple[str, ...]
    example: str
    whole: bool = True

    def number(self, value: object) -> float | int:
        """The number that `value` means.

        Raises `ValueError` with what it has to be, in words that follow `but`.
        """
        match = _WRITTEN.match(_plain(value))
        if match is None or match.group(2) not in self.units:
            units = ", ".join(unit for unit in self.units if unit)
            raise ValueError(
                f"has to be a {self.name}: a number and a unit ({units}), such as {self.example}"
            )
        number = Decimal(match.group(1)) * self.units[match.group(2)]
        return int(number) if self.whole else float(number)

    def text(self, number: float) -> str:
        """The number in the largest unit that makes it whole, such that `number` reads it back."""
        exact = Decimal(repr(number))
        for unit in self.written:
            count = exact / self.units[unit]
            if count and count == count.to_integral_value() and count * self.units[unit] == exact:
                return f"{count.normalize():f}{unit}"
        return f"{exact.normalize():f}{self.written[-1]}"


def _plain(value: object) -> str:
    """The text of a number or of a text; empty, which is no quantity, for all else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    try:
        return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)
    except ValueError:  # an integer of thousands of digits
        return ""


def _factors(**units: str) -> Mapping[str, Decimal]:
    return {"": Decimal(1), **{unit: Decimal(factor) for unit, factor in units.items()}}


TIME = Quantity(
    "time",
    _factors(ms="0.001", s="1", m="60", h="3600", d="86400", w="604800"),
    ("d", "h", "m", "s"),
    "30s or 5m",
    whole=False,
)
SIZE = Quantity(
    "size",
    _factors(k="1000", K=str(1 << 10), M=str(1 << 20), G=str(1 << 30)),
    ("G", "M", "K", ""),
    "500M or 2G",
)
BIT_RATE = Quantity("bit rate", _factors(k="1000", M="1000000"), ("k", ""), "1200k")
