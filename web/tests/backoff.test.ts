/** Waiting times between tries. */

import { expect, test } from "vitest";

import { backoff, jittered } from "../src/backoff";

test("waits double up to the limit and begin again after success", () => {
  const wait = backoff(1000, 8000, () => 0.5);
  expect([1, 2, 3, 4, 5, 6].map(() => wait.next())).toEqual([1000, 2000, 4000, 8000, 8000, 8000]);
  wait.reset();
  expect(wait.next()).toBe(1000);
});

test("a thousand failures overflow nothing", () => {
  const wait = backoff(1000, 15_000, () => 1);
  for (let i = 0; i < 1000; i += 1) expect(wait.next()).toBeLessThanOrEqual(18_750);
});

test("jitter stays within a fifth", () => {
  expect(jittered(5000, () => 0)).toBe(4000);
  expect(jittered(5000, () => 1)).toBe(6000);
});
