/** Numbers, sizes and times as people read them. */

import { expect, test } from "vitest";

import { bitrate, bytes, clock, count, fps, humanise, levelLabel, resolution, span, when } from "../src/format";

test.each([
  [0, "–"],
  [null, "–"],
  [-5, "–"],
  [850, "850 kbit/s"],
  [999.4, "999 kbit/s"],
  [1000, "1.0 Mbit/s"],
  [12345, "12.3 Mbit/s"],
])("a bitrate of %s kbit/s reads %s", (kbps, text) => expect(bitrate(kbps)).toBe(text));

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1500, "1.5 kB"],
  [250_000_000, "250 MB"],
  [3.2e12, "3.2 TB"],
])("%s bytes read %s", (n, text) => expect(bytes(n)).toBe(text));

test.each([
  [-3, "0:00"],
  [59.9, "0:59"],
  [61, "1:01"],
  [3600, "1:00:00"],
  [90_061, "1 d 1:01:01"],
])("a clock at %s s shows %s", (s, text) => expect(clock(s)).toBe(text));

test.each([
  [12, "12 s"],
  [725, "12 min"],
  [7500, "2 h 5 min"],
  [273_600, "3 d 4 h"],
])("a span of %s s reads %s", (s, text) => expect(span(s)).toBe(text));

test("counts are whole, grouped and never negative", () => {
  expect(count(12345.4)).toBe("12,345");
  expect(count(-1)).toBe("0");
});

test("what was not measured is a dash", () => {
  expect(fps(0)).toBe("–");
  expect(resolution(0, 480)).toBe("–");
  expect(fps(29.97)).toBe("30");
  expect(resolution(854, 480)).toBe("854 × 480");
});

test("an event of today shows the time alone, of another day the date too", () => {
  const now = new Date(2026, 4, 10, 12, 0, 0);
  expect(when(new Date(2026, 4, 10, 9, 5, 7).toISOString(), now)).toBe("09:05:07");
  expect(when(new Date(2026, 4, 9, 9, 5, 7).toISOString(), now)).toMatch(/9.*09:05$/);
  expect(when("nonsense", now)).toBe("nonsense");
});

test("words this version does not know are made readable", () => expect(humanise("disk_almost_full")).toBe("Disk almost full"));

test("a level is named by height and rate, or by rate alone", () => {
  expect(levelLabel(480, 1_200_000)).toBe("480p · 1.2 Mbit/s");
  expect(levelLabel(0, 300_000)).toBe("300 kbit/s");
});
