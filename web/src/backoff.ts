/** Waiting times between tries: doubling up to a limit, spread so that viewers do not knock in step. */

export interface Backoff {
  /** The next wait in milliseconds. */
  next(): number;
  reset(): void;
}

export function backoff(baseMs: number, maxMs: number, random: () => number = Math.random): Backoff {
  let tries = 0;
  return {
    next() {
      const full = Math.min(baseMs * 2 ** Math.min(tries, 16), maxMs);
      tries += 1;
      return Math.round(full * (0.75 + random() * 0.5));
    },
    reset() {
      tries = 0;
    },
  };
}

/** `ms` plus or minus a fifth. */
export function jittered(ms: number, random: () => number = Math.random): number {
  return Math.round(ms * (0.8 + random() * 0.4));
}
