/** Live-edge rules and the stall meter. */

import { expect, test } from "vitest";

import { catchUpRate, fragmentSeconds, maxLatencySeconds, stallMeter, syncSeconds } from "../src/live";

test("two-second fragments play three seconds behind, one-second fragments two", () => {
  expect(syncSeconds([2, 2, 2], 2)).toBe(3);
  expect(syncSeconds([1, 1, 1], 1)).toBe(2);
});

test("real fragments count, not a rounded target duration", () => {
  expect(syncSeconds([2, 2, 2.02], 3)).toBeCloseTo(3.03);
  expect(syncSeconds([8.3, 8.3], 9)).toBeCloseTo(12.45);
});

test("no fragment counts as longer than the playlist says that any may be", () => {
  expect(syncSeconds([2, 2, 4.1], 2)).toBeCloseTo(3.75);
});

test("a playlist without fragments goes by its target duration, and nothing at all by two seconds", () => {
  expect(syncSeconds([], 4)).toBe(6);
  expect(syncSeconds([], 0)).toBe(3);
});

test("the player jumps only when it is well beyond its place", () => expect(maxLatencySeconds(3)).toBe(9));

test("catching up is barely to be noticed unless it is far off", () => {
  expect(catchUpRate(0.2)).toBe(1.05);
  expect(catchUpRate(2)).toBe(1.1);
});

test("the fragments' lengths are read from the playlist", () => {
  expect(fragmentSeconds("#EXTM3U\n#EXTINF:2.000,\na.ts\n#EXTINF:1.96, x\nb.ts\n")).toEqual([2, 1.96]);
  expect(fragmentSeconds("#EXTM3U\n")).toEqual([]);
  expect(fragmentSeconds("#EXTINF:x,\n#EXTINF:0,\n")).toEqual([]);
});

function run(meter: ReturnType<typeof stallMeter>, from: number, to: number, at: (ms: number) => number, expected = true): void {
  for (let ms = from; ms <= to; ms += 100) meter.sample(ms, at(ms), expected);
}

test("steady playback has no stall", () => {
  const meter = stallMeter();
  run(meter, 0, 5000, (ms) => ms / 1000);
  expect(meter.total()).toEqual({ count: 0, ms: 0 });
});

test("waiting for the first picture is no stall", () => {
  const meter = stallMeter();
  run(meter, 0, 3000, () => 0);
  expect(meter.total().count).toBe(0);
  expect(meter.stuckMs(3000)).toBe(3000);
});

test("one standstill of a second counts once with its length", () => {
  const meter = stallMeter();
  run(meter, 0, 1000, (ms) => ms / 1000);
  run(meter, 1100, 2000, () => 1);
  run(meter, 2100, 3000, (ms) => (ms - 1000) / 1000);
  expect(meter.total()).toEqual({ count: 1, ms: 1000 });
});

test("a stall still going on is counted already", () => {
  const meter = stallMeter();
  run(meter, 0, 1000, (ms) => ms / 1000);
  run(meter, 1100, 1800, () => 1);
  expect(meter.total()).toEqual({ count: 1, ms: 800 });
});

test("a pause is no stall, neither during nor after it", () => {
  const meter = stallMeter();
  run(meter, 0, 1000, (ms) => ms / 1000);
  run(meter, 1100, 9000, () => 1, false);
  run(meter, 9100, 10_000, (ms) => (ms - 8000) / 1000);
  expect(meter.total()).toEqual({ count: 0, ms: 0 });
  expect(meter.stuckMs(10_000)).toBe(0);
});
