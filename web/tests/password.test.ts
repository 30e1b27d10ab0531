/** The password rule and its byte counter (C11). */

import { expect, test } from "vitest";

import { byteLength, charLength, passwordProblem } from "../src/password";

test("bytes are those of UTF-8 and characters are those people see", () => {
  expect(byteLength("abc")).toBe(3);
  expect(byteLength("é")).toBe(2);
  expect(byteLength("🙂")).toBe(4);
  expect(charLength("🙂é")).toBe(2);
});

test("nine characters are too few and the sentence says how many are missing", () => {
  expect(passwordProblem("123456789")).toContain("1 more character needed");
  expect(passwordProblem("")).toContain("10 more characters needed");
});

test("ten characters are enough, and 72 bytes are the most", () => {
  expect(passwordProblem("1234567890")).toBe("");
  expect(passwordProblem("x".repeat(72))).toBe("");
  expect(passwordProblem("x".repeat(73))).toContain("1 byte over");
});

test("bytes count, not characters: 40 accented letters are too long", () => {
  expect(passwordProblem("é".repeat(36))).toBe("");
  expect(passwordProblem("é".repeat(40))).toContain("8 bytes over");
});
