/** A playlist loader for hls.js that asks again shortly when it came just too early for a change. */

import Hls, { type HlsConfig, type Loader, type LoaderCallbacks, type LoaderConfiguration, type PlaylistLoaderContext } from "hls.js/light";

import { lastFragmentSeconds } from "./live";

type PlaylistLoader = Loader<PlaylistLoaderContext>;

const STEP_MS = 120;

export interface Patience {
  readonly loader: NonNullable<HlsConfig["pLoader"]>;
  /** How long the last answer for this playlist had to be waited for; null when it brought nothing new. */
  waitedMs(url: string): number | null;
}

/** Asks again only once per change: a stream that has stopped is not asked any oftener than usual. */
export function patience(): Patience {
  const texts = new Map<string, string>();
  const waited = new Map<string, number | null>();
  const Base = Hls.DefaultConfig.loader as new (config: HlsConfig) => PlaylistLoader;

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
      const began = performance.now();
      const known = texts.get(context.url);
      const mayWait = known !== undefined && waited.get(context.url) !== null;
      let again = false;
      const ask = (): void => this.inner.load(context, config, { ...callbacks, onSuccess });
      const onSuccess: typeof callbacks.onSuccess = (response, stats, answered, details) => {
        const text = typeof response.data === "string" ? response.data : "";
        const past = performance.now() - began;
        if (text === known && mayWait && past + STEP_MS < lastFragmentSeconds(text) * 500) {
          again = true;
          this.timer = window.setTimeout(() => {
            this.inner.destroy();
            this.inner = new Base(this.hlsConfig);
            ask();
          }, STEP_MS);
          return;
        }
        texts.set(context.url, text);
        waited.set(context.url, text === known ? null : again ? past : 0);
        callbacks.onSuccess(response, stats, answered, details);
      };
      ask();
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

  return { loader: PatientLoader as unknown as Patience["loader"], waitedMs: (url) => waited.get(url) ?? null };
}
