/** Asks the station how a channel is, every few seconds, spread out, and slower in a hidden tab. */

import { backoff, jittered } from "./backoff";
import type { PublicChannel } from "./types";

export type Sight =
  | { readonly kind: "channel"; readonly channel: PublicChannel; readonly all: readonly PublicChannel[]; readonly seenMs: number }
  | { readonly kind: "missing"; readonly name: string | null }
  | { readonly kind: "unreachable" };

const SEEN_MS = 5000;
const HIDDEN_MS = 30_000;
const LIMIT_MS = 8000;

/** Watch `name`, or with null the station's first channel. Returns how to stop. */
export function watchChannel(name: string | null, onSight: (sight: Sight) => void): () => void {
  let timer = 0;
  let ended = false;
  let chosen = name;
  let all: readonly PublicChannel[] = [];
  let failures = 0;
  const wait = backoff(2000, 20_000);

  async function look(): Promise<void> {
    try {
      const sight = await ask();
      failures = 0;
      wait.reset();
      if (!ended) onSight(sight);
      later(jittered(document.hidden ? HIDDEN_MS : SEEN_MS));
    } catch {
      failures += 1;
      if (!ended && failures > 1) onSight({ kind: "unreachable" });
      later(wait.next());
    }
  }

  async function ask(): Promise<Sight> {
    if (chosen === null) {
      const list = (await json("/api/public")) as { channels: readonly PublicChannel[] } | null;
      all = list?.channels ?? [];
      const first = all[0];
      if (!first) return { kind: "missing", name: null };
      chosen = first.name;
      return { kind: "channel", channel: first, all, seenMs: performance.now() };
    }
    const channel = (await json(`/api/public/${encodeURIComponent(chosen)}`)) as PublicChannel | null;
    return channel ? { kind: "channel", channel, all, seenMs: performance.now() } : { kind: "missing", name: chosen };
  }

  function later(ms: number): void {
    clearTimeout(timer);
    if (!ended) timer = window.setTimeout(() => void look(), ms);
  }

  const onVisible = (): void => {
    if (!document.hidden) later(0);
  };
  document.addEventListener("visibilitychange", onVisible);
  void look();
  return () => {
    ended = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisible);
  };
}

/** The body, or null for a channel the station does not have; anything else throws. */
async function json(path: string): Promise<unknown> {
  const answer = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(LIMIT_MS) });
  if (answer.status === 404 || answer.status === 422) return null;
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}
