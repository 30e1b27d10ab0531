/** Where signing in may lead. */

import { expect, test } from "vitest";

import { loginUrl, returnPath } from "../src/returnpath";

const HERE = "https://tv.example.org";

test.each([["/dashboard?channel=a#keys"], ["/?channel=b"], ["/x%20y"]])("a path of this station is kept: %s", (path) => {
  expect(returnPath(path, HERE)).toBe(path);
});

test.each([
  [null],
  [""],
  ["dashboard"],
  ["//evil.example"],
  ["/\\evil.example"],
  ["\\\\evil.example"],
  ["https://evil.example/"],
  ["https://tv.example.org/dashboard"],
  ["javascript:alert(1)"],
  ["/\t/evil.example"],
  ["/\n/evil.example"],
  ["/..//evil.example"],
  ["/a/..//evil.example"],
  ["/login"],
  ["/login?next=/login"],
  ["/login.html"],
])("anything else leads to the dashboard: %j", (path) => {
  expect(returnPath(path, HERE)).toBe("/dashboard");
});

test("the login address carries where one was and why one left", () => {
  const url = loginUrl({ pathname: "/dashboard", search: "?channel=a&b=1", hash: "#k" }, "ended");
  const query = new URL(url, HERE).searchParams;
  expect(returnPath(query.get("next"), HERE)).toBe("/dashboard?channel=a&b=1#k");
  expect(query.get("ended")).toBe("1");
});
