/** Errors as sentences with a remedy. */

import { expect, test } from "vitest";

import { ApiFailure, failureOf, networkFailure } from "../src/failure";

test("the station's own words are shown", () => {
  const body = { error: { code: "invalid", message: "That label is taken.", hint: "Choose another.", fields: { label: "Taken." } } };
  const failure = failureOf(422, body, null);
  expect(failure).toMatchObject({ status: 422, code: "invalid", message: "That label is taken.", hint: "Choose another.", fields: { label: "Taken." } });
});

test.each([[null], ["<html>"], [[]], [{ error: null }], [{ error: { message: 7 } }]])("any other body becomes a sentence: %j", (body) => {
  const failure = failureOf(502, body, null);
  expect(failure.message).toContain("502");
  expect(failure.hint).not.toBe("");
});

test("a throttled answer says for how long, within reason", () => {
  expect(failureOf(429, null, "12").retryAfterSeconds).toBe(12);
  expect(failureOf(429, null, "999999").retryAfterSeconds).toBe(3600);
  expect(failureOf(429, null, "soon").retryAfterSeconds).toBe(0);
});

test("no answer and a late answer are told apart", () => {
  expect(networkFailure(new TypeError("Failed to fetch")).code).toBe("unreachable");
  expect(networkFailure(new DOMException("", "TimeoutError")).code).toBe("slow");
  const own = new ApiFailure(409, "conflict", "a", "b");
  expect(networkFailure(own)).toBe(own);
});
