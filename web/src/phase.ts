/**
 * When to ask for the playlist: soon after it changes, instead of at the chance moment the viewer
 * came. That moment costs up to one fragment of delay for as long as one watches. Pure.
 *
 * The asking creeps earlier until it comes too soon; the waiting then tells when the change is.
 * It settles a little after the change, differently for each viewer, so that many viewers do not
 * ask all at once.
 */

export interface Phase {
  /**
   * Report an answer that brought news, after `waitedMs` of asking again because it was too early
   * (0: it was there at once). Returns by how many ms to shift the asking; a shift takes effect
   * one answer later than the next.
   */
  answered(waitedMs: number, fragmentMs: number): number;
}

const SEEKING = -0.25; // of a fragment, per answer
const SETTLED = -0.004; // follows clocks that run apart
const SPREAD = 0.2; // of a fragment

export function phase(random: () => number = Math.random): Phase {
  const place = random() * SPREAD;
  let settled = false;
  let pending = 0; // ms, returned last time and not in effect yet
  return {
    answered(waitedMs, fragmentMs) {
      let shift = fragmentMs * (settled ? SETTLED : SEEKING);
      if (waitedMs > 0) {
        settled = true;
        shift = waitedMs + place * fragmentMs - pending;
      }
      pending = shift;
      return shift;
    },
  };
}
