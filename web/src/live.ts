/** Live-edge rules of the player: how far behind to play, and what counts as a stall. Pure. */

/**
 * Seconds behind the playlist's estimated edge. A playlist is up to one fragment old, so what is
 * beyond one fragment is the margin for loading: half a fragment, but never under a second.
 * After a switch between renditions that begin apart, a fragment can look longer than any may be.
 */
export function syncSeconds(fragmentSeconds: readonly number[], targetSeconds: number): number {
  const seen = Math.max(...fragmentSeconds.slice(-4), 0);
  const may = targetSeconds > 0 ? targetSeconds + 0.5 : Infinity; // it is rounded (RFC 8216, 4.3.3.1)
  const longest = Math.min(seen, may) || targetSeconds || 2;
  return Math.max(longest * 1.5, longest + 1);
}

/** Beyond this the player jumps forward: the playlist keeps only a few fragments. */
export function maxLatencySeconds(sync: number): number {
  return sync * 2 + 3;
}

/** How fast to play while `lateSeconds` behind the place: barely to be noticed, more when far off. */
export function catchUpRate(lateSeconds: number): number {
  return lateSeconds > 0.6 ? 1.1 : 1.05;
}

/** The lengths of a media playlist's fragments in seconds, oldest first. */
export function fragmentSeconds(playlist: string): number[] {
  return [...playlist.matchAll(/^#EXTINF:([0-9.]+)/gm)].map((match) => Number(match[1])).filter((seconds) => seconds > 0);
}

export interface Stalls {
  count: number;
  ms: number;
}

export interface StallMeter {
  /** Report where playback is; `expected` says that it ought to be moving. */
  sample(nowMs: number, position: number, expected: boolean): void;
  total(): Stalls;
  /** Milliseconds since playback last moved, 0 while it is not expected to. */
  stuckMs(nowMs: number): number;
}

/** Counts standstills longer than `toleranceMs` after the first movement. */
export function stallMeter(toleranceMs = 300): StallMeter {
  let count = 0;
  let closedMs = 0;
  let moved = false;
  let position = -1;
  let since: number | null = null;
  let openMs = 0;
  const close = (): void => {
    if (openMs > 0) closedMs += openMs;
    openMs = 0;
  };
  return {
    sample(nowMs, at, expected) {
      if (!expected) {
        close();
        since = null;
        position = at;
        return;
      }
      if (since === null) since = nowMs;
      if (at !== position) {
        if (position >= 0) moved = true;
        position = at;
        close();
        since = nowMs;
        return;
      }
      const still = nowMs - since;
      if (moved && still > toleranceMs) {
        if (openMs === 0) count += 1;
        openMs = still;
      }
    },
    total: () => ({ count, ms: Math.round(closedMs + openMs) }),
    stuckMs: (nowMs) => (since === null ? 0 : nowMs - since),
  };
}
