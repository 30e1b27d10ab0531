/** The viewer session id. */

import { expect, test } from "vitest";

import { isSid, newSid, sessionSid, withSid } from "../src/sid";

function memory(start: Record<string, string> = {}): Storage {
  const kept = new Map(Object.entries(start));
  return { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v) } as Storage;
}

test("an id has 22 letters of the URL-safe alphabet and two differ", () => {
  const ids = Array.from({ length: 200 }, () => newSid());
  expect(ids.every(isSid)).toBe(true);
  expect(new Set(ids).size).toBe(200);
});

test("every byte gives a letter", () => {
  let next = 0;
  const id = newSid((bytes) => bytes.forEach((_, i) => (bytes[i] = (next += 37) & 255)));
  expect(isSid(id)).toBe(true);
});

test("a tab keeps its id, and replaces one that cannot be ours", () => {
  const storage = memory();
  const id = sessionSid(() => storage);
  expect(sessionSid(() => storage)).toBe(id);
  const forged = memory({ "putlive-sid": "../../etc" });
  expect(isSid(sessionSid(() => forged))).toBe(true);
});

test("forbidden storage still gives an id", () => {
  expect(
    isSid(
      sessionSid(() => {
        throw new Error("SecurityError");
      }),
    ),
  ).toBe(true);
});

test("the id joins an address with or without a query", () => {
  expect(withSid("/live/a.m3u8", "x")).toBe("/live/a.m3u8?sid=x");
  expect(withSid("/live/a.m3u8?q=1", "x")).toBe("/live/a.m3u8?q=1&sid=x");
});
