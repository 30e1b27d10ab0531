"""Makes small MPEG-TS segments byte by byte, for tests without ffmpeg."""

from __future__ import annotations

from collections.abc import Sequence

VIDEO_PID, AUDIO_PID, TABLES_PID = 0x100, 0x101, 0x1000


def segment(
    *,
    start: float = 0.0,
    frames: int = 60,
    fps: float = 30.0,
    size: tuple[int, int] = (854, 480),
    keyframe: bool = True,
    audio: bool = True,
    bytes_per_frame: int = 400,
    order: Sequence[int] | None = None,
    profile: bytes = b"\x4d\x40\x1f",
    object_type: int = 2,
    sound_type: int = 0x0F,
) -> bytes:
    """A segment; `order` gives the display order of the frames as they are stored."""
    parts = [_packet(0, _pat(), True), _packet(TABLES_PID, _pmt(audio, sound_type), True)]
    head = _nal(9, b"\xf0") + _nal(7, _sps(*size, profile)) + _nal(8, b"\xee\x3c\x80")
    for index in range(frames):
        kind = 5 if keyframe and index == 0 else 1
        unit = (head if kind == 5 else b"") + _nal(kind, b"\x88" * bytes_per_frame)
        shown = order[index] if order else index
        parts += _pes(VIDEO_PID, 0xE0, start + shown / fps, unit)
    if audio:
        for index in range(round(frames / fps * 5)):
            parts += _pes(AUDIO_PID, 0xC0, start + index / 5, _adts(object_type) + b"\x21" * 60)
    return b"".join(parts)


def ticks(seconds: float) -> int:
    return round(seconds * 90_000) % (1 << 33)


def _packet(pid: int, payload: bytes, begins: bool) -> bytes:
    """One packet of 188 bytes, stuffed by an adaptation field where the payload is short."""
    header = bytes((0x47, (0x40 if begins else 0) | pid >> 8, pid & 0xFF))
    room = 184 - len(payload)
    if room == 0:
        return header + b"\x10" + payload
    field = bytes((room - 1,)) + (b"\0" + b"\xff" * (room - 2) if room > 1 else b"")
    return header + b"\x30" + field + payload


def _pes(pid: int, stream_id: int, seconds: float, unit: bytes) -> list[bytes]:
    pts = ticks(seconds)
    stamp = bytes(
        (
            0x21 | pts >> 29 & 0x0E,
            pts >> 22 & 0xFF,
            0x01 | pts >> 14 & 0xFE,
            pts >> 7 & 0xFF,
            0x01 | pts << 1 & 0xFE,
        )
    )
    whole = b"\0\0\1" + bytes((stream_id, 0, 0, 0x80, 0x80, 5)) + stamp + unit
    pieces = [whole[at : at + 184] for at in range(0, len(whole), 184)]
    return [_packet(pid, piece, index == 0) for index, piece in enumerate(pieces)]


def _section(table: int, body: bytes) -> bytes:
    length = len(body) + 4
    return bytes((0, table, 0xB0 | length >> 8, length & 0xFF)) + body + b"\0\0\0\0"


def _pat() -> bytes:
    return _section(0, b"\0\1\xc1\0\0" + b"\0\1" + bytes((0xE0 | TABLES_PID >> 8, 0)))


def _pmt(audio: bool, sound_type: int) -> bytes:
    streams = bytes((0x1B, 0xE0 | VIDEO_PID >> 8, VIDEO_PID & 0xFF, 0xF0, 0))
    if audio:
        streams += bytes((sound_type, 0xE0 | AUDIO_PID >> 8, AUDIO_PID & 0xFF, 0xF0, 0))
    return _section(2, b"\0\1\xc1\0\0" + b"\xe1\0\xf0\0" + streams)


def _adts(object_type: int) -> bytes:
    return bytes((0xFF, 0xF1, (object_type - 1) << 6 | 0x0C, 0x80, 0x08, 0xFF, 0xFC))


def _nal(kind: int, body: bytes) -> bytes:
    return b"\0\0\0\1" + bytes((0x60 | kind,)) + body


def _sps(width: int, height: int, profile: bytes) -> bytes:
    """Profile, flags and level, then the fields of 7.3.2.1.1 as bits."""
    columns, rows = -(-width // 16), -(-height // 16)
    # High profile: 4:2:0, 8 bits, no scaling lists.
    high = ue(1) + ue(0) + ue(0) + "0" + "0" if profile[0] == 100 else ""
    bits = ue(0) + high + ue(0) + ue(2) + ue(3) + "0" + ue(columns - 1) + ue(rows - 1) + "1" + "1"
    right, bottom = (columns * 16 - width) // 2, (rows * 16 - height) // 2
    if right or bottom:
        bits += "1" + ue(0) + ue(right) + ue(0) + ue(bottom)
    else:
        bits += "0"
    bits += "01"  # no VUI, stop bit
    bits += "0" * (-len(bits) % 8)
    body = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return profile + _escaped(body)


def ue(number: int) -> str:
    """Unsigned Exp-Golomb (9.1)."""
    code = bin(number + 1)[2:]
    return "0" * (len(code) - 1) + code


def _escaped(body: bytes) -> bytes:
    out = bytearray()
    for byte in body:
        if len(out) >= 2 and out[-1] == out[-2] == 0 and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)
