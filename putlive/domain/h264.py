"""Reads what a player must know from H.264 bytes: picture size, codec string, key pictures.

Sources: ISO/IEC 14496-10 (ITU-T H.264) 7.3.1, 7.3.2.1.1, 7.4.2.1.1 and Annex B; RFC 6381 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_SLICE, _IDR, _SPS = 1, 5, 7
# Profiles whose SPS carries the chroma and scaling fields (7.3.2.1.1).
_HIGH = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
_MAX_SIDE = 16384  # beyond every level of Annex A: such a size is garbage


@dataclass(frozen=True)
class Picture:
    """What an SPS says: size in pixels after cropping, and the RFC 6381 codec string."""

    width: int
    height: int
    codec: str  # "avc1." profile, constraint flags and level, two hex digits each


def nal_units(stream: bytes) -> Iterator[bytes]:
    """The NAL units of an Annex B byte stream, without their start codes."""
    at = stream.find(b"\0\0\1")
    while at >= 0:
        end = stream.find(b"\0\0\1", at + 3)
        unit = stream[at + 3 : end if end >= 0 else len(stream)]
        if unit:
            yield unit
        at = end


def starts_with_keyframe(stream: bytes) -> bool:
    """Whether the first picture slice of an access unit belongs to an IDR picture."""
    kinds = (unit[0] & 31 for unit in nal_units(stream))
    return next((kind for kind in kinds if kind in (_SLICE, _IDR)), None) == _IDR


def find_picture(stream: bytes) -> Picture | None:
    """Read the first SPS of an access unit; None when there is none that makes sense."""
    for unit in nal_units(stream):
        if unit[0] & 31 == _SPS:
            try:
                return read_sps(unit)
            except ValueError:
                return None
    return None


def read_sps(unit: bytes) -> Picture:
    """Read a sequence parameter set (its NAL header included); `ValueError` if it is broken."""
    if len(unit) < 5:
        raise ValueError("SPS too short")
    bits = _Bits(unit[4:].replace(b"\0\0\3", b"\0\0"))
    bits.golomb()  # seq_parameter_set_id
    chroma = _chroma_format(bits) if unit[1] in _HIGH else 1
    _skip_order(bits)
    columns, rows = bits.golomb() + 1, bits.golomb() + 1
    frame_only = bits.take(1)
    bits.take(1 if frame_only else 2)  # mb_adaptive_frame_field_flag, direct_8x8_inference_flag
    width, height = columns * 16, rows * 16 * (2 - frame_only)
    if bits.take(1):
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        unit_x = 1 if chroma in (0, 3) else 2
        unit_y = (2 if chroma == 1 else 1) * (2 - frame_only)
        width, height = width - unit_x * (left + right), height - unit_y * (top + bottom)
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise ValueError(f"impossible picture size {width}x{height}")
    return Picture(width, height, f"avc1.{unit[1]:02x}{unit[2]:02x}{unit[3]:02x}")


def _chroma_format(bits: _Bits) -> int:
    chroma = bits.golomb()
    if chroma == 3:
        bits.take(1)  # separate_colour_plane_flag
    bits.golomb()  # bit depths
    bits.golomb()
    bits.take(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.take(1):
        for index in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_golomb()) % 256
        last = following or last


def _skip_order(bits: _Bits) -> None:
    """Frame numbers, picture order count and reference frames: nothing a player asks for."""
    bits.golomb()
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    elif kind == 1:
        bits.take(1)
        bits.golomb()
        bits.golomb()
        cycle = bits.golomb()
        if cycle > 255:
            raise ValueError("impossible picture order cycle")
        for _ in range(cycle):
            bits.golomb()
    bits.golomb()
    bits.take(1)


class _Bits:
    """A reader of single bits and Exp-Golomb numbers (9.1); `ValueError` past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("SPS ends early")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def golomb(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("impossible Exp-Golomb number")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed_golomb(self) -> int:
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)
