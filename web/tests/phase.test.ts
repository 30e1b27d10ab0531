/** Asking for the playlist soon after it changes, on hls.js's way of scheduling (1.7, playlistLoaded). */

import { expect, test } from "vitest";

import { playlistTiming, STEP_MS } from "../src/phase";

const FRAGMENT = 2000;
const TRIP = 10;

interface Run {
  readonly delays: readonly number[]; // from a change to the answer that shows it
  readonly requests: number;
  readonly changes: number;
}

/** `changes` are the moments at which the playlist gets a fragment; the viewer comes at `start`. */
function simulate(changes: readonly number[], start: number, place: number, fragment = FRAGMENT): Run {
  const timing = playlistTiming(() => place);
  const newest = (at: number): number => changes.reduce((n, change, i) => (change <= at ? i : n), -1);
  const delays: number[] = [];
  let requests = 0;
  let seen = -1;
  let scheduled = start;
  let fires = start;
  const last = (changes.at(-1) ?? 0) - fragment;
  while (fires < last) {
    let now = fires + timing.holdMs(fires);
    let answered = false;
    for (;;) {
      requests += 1;
      const index = newest(now);
      if (index > seen) {
        timing.news(now, fragment);
        if (seen >= 0) delays.push(now - (changes[index] ?? 0));
        seen = index;
        answered = true;
        break;
      }
      if (!timing.tooEarly(now)) break;
      now += STEP_MS + TRIP;
    }
    now += TRIP;
    const interval = answered ? fragment : fragment / 2;
    if (scheduled + interval < now) scheduled = now;
    else if (scheduled <= now) scheduled += interval;
    fires = Math.max(scheduled, now);
    scheduled += timing.shiftMs();
  }
  return { delays, requests, changes: newest(last) };
}

function regular(count: number, every: number, wobble: (i: number) => number = () => 0): number[] {
  return Array.from({ length: count }, (_, i) => 1000 + i * every + wobble(i));
}

test.each([0, 150, 500, 900, 1300, 1700, 1990])("a viewer who comes %i ms after a change soon asks just after each", (offset) => {
  for (const place of [0, 0.5, 0.99]) {
    const run = simulate(regular(200, FRAGMENT), 11_000 + offset, place);
    expect(Math.max(...run.delays.slice(12))).toBeLessThan(FRAGMENT * 0.25);
    expect(run.requests).toBeLessThan(195 * 1.3);
  }
});

test("no change is missed, and one-second fragments that wobble by a tenth are followed", () => {
  const wobble = (i: number): number => ((i * 7919) % 200) - 100;
  const run = simulate(regular(300, 1000, wobble), 11_370, 0.5, 1000);
  expect(run.delays.length).toBeGreaterThan(280);
  expect(Math.max(...run.delays.slice(12))).toBeLessThan(450);
  expect(run.requests).toBeLessThan(290 * 1.8);
});

test("clocks that run apart by a thousandth are followed", () => {
  for (const every of [1998, 2002]) {
    expect(Math.max(...simulate(regular(300, every), 11_700, 0.5).delays.slice(12))).toBeLessThan(FRAGMENT * 0.25);
  }
});

test("viewers settle at different places", () => {
  const ends = [0, 0.5, 0.99].map((place) => simulate(regular(100, FRAGMENT), 11_500, place).delays.at(-1) ?? 0);
  expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(100);
});

test("a stream that has stopped is not asked again and again", () => {
  const timing = playlistTiming(() => 0.5);
  timing.holdMs(0);
  timing.news(0, FRAGMENT);
  timing.holdMs(2000);
  let questions = 0;
  for (let at = 2000; timing.tooEarly(at); at += STEP_MS) questions += 1;
  expect(questions).toBeLessThan(9);
  timing.holdMs(4000);
  expect(timing.tooEarly(4000)).toBe(false);
  expect(timing.shiftMs()).toBe(0);
});
