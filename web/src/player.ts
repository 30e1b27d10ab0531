/** The player without its looks: hls.js (or the browser's own HLS), tuned for live, never left dead. */

import Hls, { type ErrorData, type Level } from "hls.js/light";

import { backoff } from "./backoff";
import { newHls } from "./hls";
import { stallMeter, type Stalls } from "./live";
import { sessionSid, withSid } from "./sid";
import { followVariants } from "./variants";

export type Phase = "idle" | "loading" | "playing" | "retrying" | "full" | "blocked" | "paused" | "unsupported";

export interface Quality {
  readonly index: number;
  readonly height: number;
  readonly bitsPerSecond: number;
}

export interface PlayerState {
  readonly phase: Phase;
  readonly qualities: readonly Quality[];
  readonly chosen: number; // -1: automatic
  readonly current: number;
  readonly behindSeconds: number;
}

export interface Diagnostics {
  readonly hls: Hls | null;
  readonly video: HTMLVideoElement;
  stalls(): Stalls;
  /** Seconds behind the playlist's edge; 0 where the browser plays HLS by itself. */
  latency(): number;
  rebuilds(): number;
}

export interface Player {
  start(url: string): void;
  stop(): void;
  play(): void;
  pause(): void;
  goLive(): void;
  /** While held, standing still is expected: nothing is rebuilt, which would show the end again. */
  hold(on: boolean): void;
  choose(index: number): void;
  state(): PlayerState;
  /** Whether the picture has moved within the last seconds. */
  moving(): boolean;
  destroy(): void;
  readonly diagnostics: Diagnostics;
}

const SAMPLE_MS = 100;
const STUCK_MS = 12_000; // longer than hls.js needs for its own repairs
const CALM_MS = 20_000; // playing this long forgets earlier failures

export function createPlayer(video: HTMLVideoElement, onChange: (state: PlayerState) => void): Player {
  let hls: Hls | null = null;
  let stretched = (): number => 0;
  let url = "";
  let phase: Phase = "idle";
  let wanted = false; // the viewer wants it to play
  let held = false;
  let again = 0;
  let rebuilds = 0;
  let lastMediaRepair = -Infinity;
  let lastNetworkRepair = -Infinity;
  let playingSince = 0;
  let meter = stallMeter();
  let kept: Stalls = { count: 0, ms: 0 };
  let unfollow = (): void => undefined;
  const wait = backoff(1000, 15_000);

  const set = (next: Phase): void => {
    phase = next;
    onChange(state());
  };

  function state(): PlayerState {
    const levels = hls?.levels ?? [];
    return {
      phase,
      qualities: levels.map((level: Level, index: number) => ({ index, height: level.height, bitsPerSecond: level.averageBitrate || level.bitrate })),
      chosen: hls && !hls.autoLevelEnabled ? hls.loadLevel : -1,
      current: hls?.currentLevel ?? -1,
      behindSeconds: behind(),
    };
  }

  function behind(): number {
    if (!hls) return 0;
    const target = hls.targetLatency;
    return target === null || hls.latency <= 0 ? 0 : Math.max(0, hls.latency - target);
  }

  function start(fresh: string): void {
    stop();
    url = fresh;
    wanted = true;
    held = false;
    wait.reset();
    build();
  }

  function build(): void {
    tearDown();
    set("loading");
    const address = withSid(url, sessionSid());
    if (Hls.isSupported()) buildHls(address);
    else if (video.canPlayType("application/vnd.apple.mpegurl")) buildNative(address);
    else set("unsupported");
  }

  function buildHls(address: string): void {
    const live = newHls();
    const fresh = live.hls;
    stretched = live.stretched;
    fresh.on(Hls.Events.ERROR, (_, data) => {
      if (hls === fresh && data.fatal) repair(data);
    });
    fresh.on(Hls.Events.MANIFEST_PARSED, () => {
      onChange(state());
      tryToPlay();
    });
    for (const event of [Hls.Events.LEVEL_SWITCHED, Hls.Events.LEVELS_UPDATED] as const) {
      fresh.on(event, () => onChange(state()));
    }
    hls = fresh;
    fresh.attachMedia(video);
    fresh.loadSource(address);
    unfollow = followVariants(fresh, address, () => phase === "playing" || phase === "loading");
  }

  function buildNative(address: string): void {
    video.src = address;
    tryToPlay();
  }

  /** hls.js gave up on something: repair gently once, rebuild if that was not enough. */
  function repair(data: ErrorData): void {
    const now = performance.now();
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && now - lastMediaRepair > 5000) {
      lastMediaRepair = now;
      hls?.recoverMediaError();
      tryToPlay();
      return;
    }
    const loaded = (hls?.levels.length ?? 0) > 0;
    if (data.type === Hls.ErrorTypes.NETWORK_ERROR && loaded && now - lastNetworkRepair > 10_000) {
      lastNetworkRepair = now;
      rebuildLater("retrying", () => hls?.startLoad(-1));
      return;
    }
    rebuildLater(data.response?.code === 503 ? "full" : "retrying", build);
  }

  function rebuildLater(why: Phase, how: () => void): void {
    set(why);
    clearTimeout(again);
    again = window.setTimeout(() => {
      rebuilds += 1;
      how();
      if (phase === why) set("loading"); // from here on standing still counts as stuck
    }, wait.next());
  }

  function tryToPlay(): void {
    if (!wanted) return;
    video.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") {
        wanted = false;
        set("blocked");
      }
    });
  }

  function tearDown(): void {
    clearTimeout(again);
    unfollow();
    const old = hls;
    hls = null;
    old?.destroy();
    if (video.hasAttribute("src")) {
      video.removeAttribute("src");
      video.load();
    }
    const total = meter.total();
    kept = { count: kept.count + total.count, ms: kept.ms + total.ms };
    meter = stallMeter();
    playingSince = 0;
  }

  function stop(): void {
    wanted = false;
    url = "";
    tearDown();
    set("idle");
  }

  function goLive(): void {
    const at = hls ? hls.liveSyncPosition : video.seekable.length ? video.seekable.end(video.seekable.length - 1) - 2 : null;
    if (at !== null && Number.isFinite(at) && Math.abs(at - video.currentTime) > 0.5) video.currentTime = Math.max(0, at);
  }

  function watch(): void {
    const now = performance.now();
    const active = url !== "" && wanted && !video.paused && !video.seeking;
    meter.sample(now, video.currentTime, active);
    const turning = phase === "loading" || phase === "retrying";
    if (turning && active && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && meter.stuckMs(now) === 0) set("playing");
    const calm = phase === "playing" && playingSince > 0 && now - playingSince > CALM_MS;
    if (calm) wait.reset();
    const stuck = !held && meter.stuckMs(now) > STUCK_MS && (phase === "playing" || phase === "loading");
    if (stuck) rebuildLater("retrying", build);
  }
  const timer = setInterval(watch, SAMPLE_MS);

  video.addEventListener("playing", () => {
    if (!url) return;
    wanted = true;
    if (playingSince === 0) playingSince = performance.now();
    set("playing");
  });
  video.addEventListener("pause", () => {
    if (!url || !wanted || video.ended || video.readyState === 0) return;
    if (phase === "playing") pause(); // by media key, or by the system
  });
  video.addEventListener("error", () => {
    if (url && !hls && phase !== "unsupported") rebuildLater("retrying", build);
  });
  video.addEventListener("ended", () => {
    if (url && !hls) rebuildLater("retrying", build);
  });

  /** A live stream has nothing to come back to, so a pause also stops the loading. */
  function pause(): void {
    wanted = false;
    video.pause();
    hls?.stopLoad();
    set("paused");
  }

  function play(): void {
    if (!url) return;
    wanted = true;
    if (hls && phase === "paused") {
      hls.startLoad(-1);
      hls.once(Hls.Events.LEVEL_UPDATED, goLive);
    } else if (!hls) goLive();
    if (phase === "paused" || phase === "blocked") set("loading");
    tryToPlay();
  }

  return {
    start,
    stop,
    play,
    pause,
    goLive,
    choose(index) {
      if (!hls) return;
      hls.loadLevel = index; // with the next fragment: nothing in the small buffer is thrown away
      onChange(state());
    },
    hold(on) {
      held = on;
    },
    state,
    moving: () => phase === "playing" && meter.stuckMs(performance.now()) < 1500,
    destroy() {
      clearInterval(timer);
      stop();
    },
    diagnostics: {
      get hls() {
        return hls;
      },
      video,
      stalls() {
        const total = meter.total();
        return { count: kept.count + total.count, ms: kept.ms + total.ms };
      },
      latency: () => (hls && hls.latency > 0 ? hls.latency - stretched() : 0),
      rebuilds: () => rebuilds,
    },
  };
}
