/** A playlist loader for hls.js that asks when the playlist is about to have changed. */

import Hls, { type HlsConfig, type Loader, type LoaderCallbacks, type LoaderConfiguration, type PlaylistLoaderContext } from "hls.js/light";

import { fragmentSeconds } from "./live";
import { playlistTiming, STEP_MS, type PlaylistTiming } from "./phase";

type PlaylistLoader = Loader<PlaylistLoaderContext>;

export interface Patience {
  readonly loader: NonNullable<HlsConfig["pLoader"]>;
  /** By how many ms to shift hls.js's schedule for this playlist, after each of its answers. */
  shiftMs(url: string): number;
  /** The lengths of this playlist's fragments as the playlist has them, in seconds. */
  seconds(url: string): readonly number[];
}

/** `placeOf` says where a level is in hls.js's list now, -1 if it is not there. */
export function patience(placeOf: (level: unknown) => number): Patience {
  const texts = new Map<string, string>();
  const timings = new Map<string, PlaylistTiming>();
  const Base = Hls.DefaultConfig.loader as new (config: HlsConfig) => PlaylistLoader;

  function timingOf(url: string): PlaylistTiming {
    const timing = timings.get(url) ?? playlistTiming();
    timings.set(url, timing);
    return timing;
  }

  class PatientLoader implements PlaylistLoader {
    private inner: PlaylistLoader;
    private timer = 0;

    constructor(private readonly hlsConfig: HlsConfig) {
      this.inner = new Base(hlsConfig);
    }

    get context(): PlaylistLoaderContext | null {
      return this.inner.context;
    }

    get stats(): PlaylistLoader["stats"] {
      return this.inner.stats;
    }

    load(context: PlaylistLoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<PlaylistLoaderContext>): void {
      if (context.type !== "level") {
        this.inner.load(context, config, callbacks);
        return;
      }
      const timing = timingOf(context.url);
      let askedMs = 0;
      const ask = (): void => {
        askedMs = performance.now();
        this.inner.load(context, config, { ...callbacks, onSuccess });
      };
      const onSuccess: typeof callbacks.onSuccess = (response, stats, answered, details) => {
        const text = typeof response.data === "string" ? response.data : "";
        const known = text === texts.get(context.url);
        if (known && timing.tooEarly(askedMs)) {
          this.later(STEP_MS, ask);
          return;
        }
        if (!known) timing.news(askedMs, (fragmentSeconds(text).at(-1) ?? 0) * 1000);
        texts.set(context.url, text);
        const at = placeOf(context.levelOrTrack);
        if (at >= 0) context.level = at; // it may have moved since hls.js asked
        callbacks.onSuccess(response, stats, answered, details);
      };
      const hold = timing.holdMs(performance.now());
      if (hold > 0) this.later(hold, ask);
      else ask();
    }

    /** A loader of hls.js works once, so each question gets its own. */
    private later(ms: number, ask: () => void): void {
      this.timer = window.setTimeout(() => {
        this.inner.destroy();
        this.inner = new Base(this.hlsConfig);
        ask();
      }, ms);
    }

    abort(): void {
      clearTimeout(this.timer);
      this.inner.abort();
    }

    destroy(): void {
      clearTimeout(this.timer);
      this.inner.destroy();
    }

    getCacheAge(): number | null {
      return this.inner.getCacheAge?.() ?? null;
    }

    getResponseHeader(name: string): string | null {
      return this.inner.getResponseHeader?.(name) ?? null;
    }
  }

  return { loader: PatientLoader as unknown as Patience["loader"], shiftMs: (url) => timingOf(url).shiftMs(), seconds: (url) => fragmentSeconds(texts.get(url) ?? "") };
}
