"""Builds the command lines of every ffmpeg (and rtmpdump) PutLive runs; starts nothing itself.

Options are those of ffmpeg 4.4 to 7.1; `-vsync` is the spelling all of these know.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from putlive.domain.alignment import RungLaunch
from putlive.domain.ladder import Rung, RungPlan
from putlive.domain.process import ProcessSpec, RestartPolicy
from putlive.errors import MissingProgram
from putlive.settings import Quality

# nginx-rtmp adds 63000 ticks of 90 kHz to every time stamp of its segments (measured: 0.700 s;
# NGX_RTMP_HLS_DELAY in its source), SRS nothing when its `play` section says `time_jitter off`.
TIMESTAMP_OFFSET = {"srs": 0.0, "nginx-rtmp": 0.7}
RUNG_STALL_SECONDS = 15.0  # probing may take eight
PREVIEW_STALL_SECONDS = 30.0  # a picture comes once per keyframe, which encoders space up to 10 s
# An ffmpeg that waits for data does not hear SIGTERM (seen); so a rung whose input is gone ends
# by itself, and completes its last segment. Microseconds; ffmpeg gives up after twice that.
_RUNG_SILENCE, _PREVIEW_SILENCE = 1_500_000, 10_000_000
_QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error")
_PROGRESS = ("-progress", "pipe:1", "-stats_period", "1")
_FOREVER = RestartPolicy(max_retries=None, max_delay=10.0)


@dataclass(frozen=True)
class Programs:
    """Paths of the programs; `rtmpdump` is empty where there is none."""

    ffmpeg: str
    rtmpdump: str = ""


def find_programs() -> Programs:
    """Look on the PATH; raises `MissingProgram` without ffmpeg."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise MissingProgram("ffmpeg was not found.", hint="Install it: apt-get install ffmpeg")
    return Programs(ffmpeg, shutil.which("rtmpdump") or "")


def as_rung(quality: Quality) -> Rung:
    """A rung of the configuration as the rules see it."""
    return Rung(
        name=quality.name,
        width=quality.width,
        height=quality.height,
        bits_per_second=quality.bitrate,
        fps=quality.fps,
        audio_bits_per_second=quality.audio_bitrate,
        enabled=quality.enabled,
    )


@dataclass(frozen=True)
class RungOutput:
    """Where and how rungs write: the same cut and window as the source's."""

    hls: Path
    cut_seconds: float
    window_segments: int
    timestamp_offset: float  # `TIMESTAMP_OFFSET` of the engine


def rung_name(channel: str, rung: str) -> str:
    """The name of a rung's process."""
    return f"rung:{channel}:{rung}"


def rung_spec(programs: Programs, url: str, output: RungOutput, launch: RungLaunch) -> ProcessSpec:
    """A rung's encoder. It is never restarted as it is: a new start needs a new number (ST3)."""
    return ProcessSpec(
        name=rung_name(launch.channel, launch.plan.rung.name),
        argv=rung_argv(programs.ffmpeg, url, output, launch),
        policy=RestartPolicy(restart=False),
        stall_seconds=RUNG_STALL_SECONDS,
        stop_seconds=3.0,
        nice=5,
    )


def rung_argv(ffmpeg: str, url: str, output: RungOutput, launch: RungLaunch) -> tuple[str, ...]:
    """Decode the program stream, encode one rung, write its playlist and segments.

    Time stamps are the input's own (`-copyts`, encoder time base of the demuxer, no muxer
    delay), and keyframes are the source's keyframes, so both cut at the same places.
    """
    return (
        *(ffmpeg, *_QUIET, *_PROGRESS, *_pull(_RUNG_SILENCE)),
        *("-copyts", "-threads", "1", "-i", url),
        *("-map", "0:v:0", "-map", "0:a:0?", "-sn", "-dn"),
        *("-vf", _picture_filter(launch.plan), "-vsync", "passthrough"),
        *_video_encoder(launch.plan),
        *("-c:a", "aac", "-b:a", str(launch.plan.rung.audio_bits_per_second), "-ac", "2"),
        *("-af", "aresample=async=1", "-max_muxing_queue_size", "1024"),
        *_hls(output, launch),
    )


def _pull(silence: int) -> tuple[str, ...]:
    """Options for reading a live stream of ours: no waiting for ever, and little probing.

    Probing ends as soon as picture and sound are there. nginx-rtmp sends sound alone until the
    next keyframe, so the limit has to be longer than most keyframe intervals; with less than
    that ffmpeg takes the stream for one without a picture (seen with 0.7 s and a 2 s interval).
    """
    return (
        *("-protocol_whitelist", "rtmp,tcp", "-rw_timeout", str(silence)),
        *("-analyzeduration", "8000000", "-probesize", "2000000", "-fpsprobesize", "0"),
        *("-f", "flv"),
    )


def _picture_filter(plan: RungPlan) -> str:
    # Never a frame that is not later than the one before: then another input took over and
    # counts from zero, and the service is about to replace this encoder.
    later = "gt(t\\,prev_selected_t)"
    if plan.every > 1:
        # Half a frame less than the distance wanted: RTMP's time stamps are whole milliseconds.
        apart = (plan.every - 0.5) / (plan.every * plan.fps)
        later += f"*(key+gt(t-prev_selected_t\\,{apart:.4f}))"
    select = f"select=isnan(prev_selected_t)+{later}"
    return f"{select},scale={plan.width}:{plan.height}:flags=bilinear,format=yuv420p"


def _video_encoder(plan: RungPlan) -> tuple[str, ...]:
    # No B-frames: at the start of a publish their negative decoding times make the muxer shift
    # everything (0.11 s seen), and the rung would leave the source's timeline.
    rate = plan.rung.bits_per_second
    return (
        *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-threads", "1"),
        *("-b:v", str(rate), "-maxrate", str(rate * 11 // 10), "-bufsize", str(rate * 2)),
        *("-enc_time_base", "-1", "-x264-params", f"fps={plan.fps:g}:rc-lookahead=10"),
        *("-bf", "0", "-g", "9999", "-sc_threshold", "0"),
        *("-force_key_frames", "source", "-forced-idr", "1"),
    )


def _hls(output: RungOutput, launch: RungLaunch) -> tuple[str, ...]:
    folder = output.hls / launch.plan.rung.name
    flags = ["temp_file", "delete_segments", "omit_endlist", "independent_segments"]
    start = launch.first_number
    if launch.append:
        # The number comes from the playlist that is there; a higher one would renumber it.
        flags.append("append_list")
        start = 0
    elif launch.discontinuity:
        flags.append("discont_start")
    return (
        *("-muxdelay", "0", "-muxpreload", "0", "-avoid_negative_ts", "disabled"),
        *("-output_ts_offset", f"{output.timestamp_offset:g}", "-f", "hls"),
        *("-hls_time", f"{output.cut_seconds:g}", "-hls_list_size", str(output.window_segments)),
        *("-hls_delete_threshold", "3", "-hls_flags", "+".join(flags)),
        *("-hls_segment_type", "mpegts", "-start_number", str(start)),
        *("-hls_segment_filename", str(folder / f"{launch.channel}-{launch.token}%06d.ts")),
        str(folder / f"{launch.channel}.m3u8"),
    )


def preview_name(channel: str) -> str:
    """The name of a preview's process."""
    return f"preview:{channel}"


def preview_spec(programs: Programs, url: str, picture: Path, channel: str) -> ProcessSpec:
    """The preview of a channel, for as long as somebody looks."""
    return ProcessSpec(
        name=preview_name(channel),
        argv=preview_argv(programs.ffmpeg, url, picture),
        policy=_FOREVER,
        stall_seconds=PREVIEW_STALL_SECONDS,
        stop_seconds=2.0,
        nice=10,
    )


def preview_argv(ffmpeg: str, url: str, picture: Path) -> tuple[str, ...]:
    """One JPEG of at most 256x144 per keyframe, replaced in one go (ST5)."""
    box = "scale=256:144:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bilinear"
    return (
        *(ffmpeg, "-y", *_QUIET, *_PROGRESS, *_pull(_PREVIEW_SILENCE)),
        *("-skip_frame", "nokey", "-threads", "1", "-i", url),
        *("-map", "0:v:0", "-vf", f"{box},format=yuvj420p", "-vsync", "passthrough"),
        *("-c:v", "mjpeg", "-q:v", "5", "-threads", "1"),
        *("-f", "image2", "-update", "1", "-atomic_writing", "1", str(picture)),
    )


def keeper_spec(programs: Programs, url: str, channel: str) -> ProcessSpec:
    """The player that keeps a channel's source in the engine (C13)."""
    return ProcessSpec(
        name=f"keeper:{channel}",
        argv=keeper_argv(programs, url),
        policy=_FOREVER,
        stop_seconds=2.0,
    )


def keeper_argv(programs: Programs, url: str) -> tuple[str, ...]:
    """rtmpdump where there is one (5 MB), else ffmpeg; both write what arrives to /dev/null."""
    if programs.rtmpdump:
        return (programs.rtmpdump, "-q", "-v", "-r", url, "-o", "/dev/null")
    return (
        *(programs.ffmpeg, "-y", *_QUIET, "-protocol_whitelist", "rtmp,tcp,file", "-f", "flv"),
        *("-i", url, "-map", "0", "-c", "copy", "-f", "flv", "/dev/null"),
    )
