/**
 * When to ask for a playlist: soon after it changes, instead of at the chance moment the viewer
 * came. That moment costs up to one fragment of delay for as long as one watches. Pure.
 *
 * hls.js calls on a grid of its own. As long as nothing is known, the grid creeps earlier until an
 * answer comes too soon; asking again then tells when the change is. From there on each call is
 * held until shortly after the next change, a little differently for each viewer, so that many
 * viewers do not ask all at once.
 */

export interface PlaylistTiming {
  /** For a call at `nowMs`: how long to hold it before asking. */
  holdMs(nowMs: number): number;
  /** A question asked at `askedMs` brought nothing new yet. Whether to ask again shortly. */
  tooEarly(askedMs: number): boolean;
  /** A question asked at `askedMs` brought a new fragment of that length. */
  news(askedMs: number, fragmentMs: number): void;
  /** The call was answered. Returns by how many ms to shift hls.js's grid, one call after the next. */
  shiftMs(): number;
}

export const STEP_MS = 120; // between two questions of one call

// All in parts of a fragment.
const SPREAD = 0.15; // of the viewers after the change
const MARGIN = 0.03;
const LEAD = 0.15; // of the grid before the question
const CREEP = 0.25;
const DRIFT = 0.004; // per fragment: the change is expected ever so slightly earlier, and found again
const NEAR = 0.1; // a grid this close to its place is left alone
const LONGEST_HOLD = 0.8;
const PATIENCE = 0.5; // as long as hls.js would wait after an answer without news

export function playlistTiming(random: () => number = Math.random): PlaylistTiming {
  const place = MARGIN + random() * SPREAD;
  let fragment = 0;
  let change: number | null = null; // when the newest fragment appeared, once that is known
  let called = 0;
  let early: number | null = null; // the last question of this call that came too early
  let fruitless = false; // the last call ended without news
  let pending = 0; // shift returned but not in effect yet

  const due = (): number | null => (change === null ? null : change + fragment * (1 - DRIFT + place));
  return {
    holdMs(now) {
      called = now;
      early = null;
      const hold = (due() ?? now) - now;
      return hold > 0 && hold <= fragment * LONGEST_HOLD ? hold : 0;
    },
    tooEarly(asked) {
      early = asked;
      const again = fragment > 0 && !fruitless && asked - called + STEP_MS < fragment * PATIENCE;
      if (!again) {
        fruitless = true;
        change = null;
      }
      return again;
    },
    news(asked, length) {
      if (early !== null && !fruitless) change = (early + asked) / 2;
      else if (change !== null) change += fragment * (1 - DRIFT);
      if (change !== null && asked - change > length) change = null; // more than one went by: look anew
      fruitless = false;
      fragment = length;
    },
    shiftMs() {
      if (fruitless || fragment === 0) return (pending = 0);
      if (change === null) return (pending = -CREEP * fragment);
      const lead = change + fragment * place - called - pending; // of the call after the next
      const off = lead - LEAD * fragment;
      return (pending = Math.abs(off) < NEAR * fragment ? 0 : Math.max(off, -fragment / 2));
    },
  };
}
