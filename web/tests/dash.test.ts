/** The dashboard's pure parts: key states, health, events, the hour of measurements. */

import { expect, test } from "vitest";

import { eventOf, eventSentence, eventTone } from "../src/dash/events";
import { componentsOf, healthSentence } from "../src/dash/health";
import { keyState } from "../src/dash/keystate";
import { most, series } from "../src/dash/series";

const NOW = Date.parse("2026-05-10T12:00:00Z");
const PLAIN = { expires_at: null, revoked_at: null, blocked_until: null };
const PAST = "2026-05-10T11:00:00+00:00";
const FUTURE = "2026-05-10T13:00:00+00:00";

test("revoked outweighs expired, expired outweighs kicked", () => {
  expect(keyState(PLAIN, NOW)).toBe("active");
  expect(keyState({ ...PLAIN, blocked_until: FUTURE }, NOW)).toBe("kicked");
  expect(keyState({ ...PLAIN, blocked_until: PAST }, NOW)).toBe("active");
  expect(keyState({ ...PLAIN, expires_at: FUTURE }, NOW)).toBe("active");
  expect(keyState({ ...PLAIN, expires_at: PAST, blocked_until: FUTURE }, NOW)).toBe("expired");
  expect(keyState({ expires_at: PAST, revoked_at: PAST, blocked_until: FUTURE }, NOW)).toBe("revoked");
});

test("parts are read from a map or a list, whatever words they use", () => {
  expect(componentsOf({ components: { engine: { status: "ok", detail: "SRS 6" }, disk: { status: "low" }, nginx: "down" } })).toEqual([
    { name: "engine", status: "ok", detail: "SRS 6" },
    { name: "disk", status: "degraded", detail: "" },
    { name: "nginx", status: "down", detail: "" },
  ]);
  expect(componentsOf({ components: [{ name: "api", status: "healthy" }] })[0]).toMatchObject({ name: "api", status: "ok" });
  expect(componentsOf(null)).toEqual([]);
  expect(componentsOf({ components: 7 })).toEqual([]);
});

test("the health sentence names what needs a look in plain words", () => {
  expect(healthSentence(componentsOf({ components: { engine: "ok" } }))).toBe("Everything works.");
  expect(healthSentence(componentsOf({ components: { engine: "down", tmpfs: "degraded", disk: "ok" } }))).toBe(
    "Needs a look: Media engine, Memory disk for the stream.",
  );
});

test("an event reads the same from the log and from the stream", () => {
  const logged = eventOf({ id: 4, kind: "publish_denied", at: PAST, body: { channel: "main", address: "203.0.113.7", reason: "revoked" } });
  const streamed = eventOf({ kind: "publish_denied", at: PAST, channel: "main", address: "203.0.113.7", reason: "revoked" });
  expect(eventSentence(streamed)).toBe("An input for main from 203.0.113.7 was refused: the key is revoked.");
  expect(eventSentence(logged)).toBe(eventSentence(streamed));
  expect(eventTone(logged)).toBe("warn");
});

test.each([
  [{ kind: "stream_started", channel: "main", address: "10.0.0.2" }, "main went live from 10.0.0.2."],
  [{ kind: "stream_ended", channel: "main", seconds: 125, reason: "kicked" }, "main ended after 2 min: it was kicked."],
  [{ kind: "engine_changed", engine: "srs", up: true, detail: "" }, "The media engine srs answers."],
  [{ kind: "engine_changed", engine: "srs", up: false, detail: "refused" }, "The media engine srs does not answer: refused."],
  [{ kind: "login_failed", user: "eve", address: "10.0.0.9" }, "A sign-in as “eve” from 10.0.0.9 failed."],
  [{ kind: "process_exited", process: "480p", next_state: "backoff", reason: "killed" }, "The process 480p ended (killed); it is being started again."],
  [{ kind: "disk_low", percent: 93 }, "Disk low: percent 93."],
])("%j is told in words", (raw, sentence) => {
  expect(eventSentence(eventOf({ at: PAST, ...raw }))).toBe(sentence);
});

test("the hour forgets what is older, ignores what is not newer, and shows gaps", () => {
  const data = series();
  data.add(1000, 500, 1);
  data.add(1000, 900, 9);
  data.add(1002, 600, 2);
  data.add(1100, 700, 3);
  expect(data.columns()).toEqual([
    [1000, 1002, 1003, 1100],
    [500, 600, null, 700],
    [1, 2, null, 3],
  ]);
  expect(most(data.columns()[1])).toBe(700);
  data.add(1002 + 3600, 100, 0);
  expect(data.columns()[0][0]).toBe(1002);
});

test("history with a broken time is left out", () => {
  const data = series();
  data.replace([
    { at: "x", viewers: 1, bitrate_kbps: 1 },
    { at: PAST, viewers: 2, bitrate_kbps: 3 },
  ]);
  expect(data.columns()).toEqual([[Date.parse(PAST) / 1000], [3], [2]]);
});
