/** Asking for the playlist soon after it changes, on a simulated schedule like hls.js's. */

import { expect, test } from "vitest";

import { phase } from "../src/phase";

const FRAGMENT = 2000;
const STEP = 120;

/** Delay from each change of the playlist to the answer that shows it, and the requests made. */
function simulate(offset: number, place: number, drift = 1): { delays: number[]; requests: number } {
  const asking = phase(() => place);
  const delays: number[] = [];
  let requests = 0;
  let scheduled = offset + FRAGMENT; // the first answer came at `offset` after a change
  let next = scheduled + FRAGMENT;
  let shown = 0; // the index of the newest change seen
  for (let i = 0; i < 200; i += 1) {
    const began = scheduled;
    let now = began;
    requests += 1;
    while (Math.floor(now / (FRAGMENT * drift)) === shown && now - began + STEP < FRAGMENT / 2) {
      now += STEP;
      requests += 1;
    }
    const newest = Math.floor(now / (FRAGMENT * drift));
    delays.push(now - newest * FRAGMENT * drift);
    const shift = newest === shown ? 0 : asking.answered(now - began, FRAGMENT);
    shown = newest;
    scheduled = next;
    next = Math.max(next + shift + FRAGMENT, now + 50);
  }
  return { delays, requests };
}

test.each([0, 150, 500, 900, 1300, 1700, 1990])("a viewer who comes %i ms after a change soon asks just after it", (offset) => {
  for (const place of [0, 0.5, 0.99]) {
    const { delays, requests } = simulate(offset, place);
    expect(Math.max(...delays.slice(12))).toBeLessThan(FRAGMENT * 0.3);
    expect(requests / 200).toBeLessThan(1.4);
  }
});

test("clocks that run apart by a thousandth are followed", () => {
  for (const drift of [0.999, 1.001]) expect(Math.max(...simulate(700, 0.5, drift).delays.slice(12))).toBeLessThan(FRAGMENT * 0.35);
});

test("viewers settle at different places", () => {
  const ends = [0.1, 0.5, 0.9].map((place) => simulate(1000, place).delays.at(-1) ?? 0);
  expect(new Set(ends.map((ms) => Math.round(ms / 60))).size).toBeGreaterThan(1);
});
