/** What went wrong with a call, as a sentence and a remedy; pure. */

import { t } from "./text";

export class ApiFailure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly fields: Readonly<Record<string, string>> = {},
    readonly retryAfterSeconds = 0,
  ) {
    super(message);
  }
}

/** Read the API's one error shape; anything else becomes a sentence about the status. */
export function failureOf(status: number, body: unknown, retryAfter: string | null): ApiFailure {
  const error = record(record(body)["error"]);
  const message = text(error["message"]) || t.failure.odd(status);
  const hint = text(error["hint"]) || (text(error["message"]) ? "" : t.failure.oddHint);
  const fields = Object.entries(record(error["fields"])).filter((e): e is [string, string] => typeof e[1] === "string");
  return new ApiFailure(status, text(error["code"]) || "error", message, hint, Object.fromEntries(fields), seconds(retryAfter));
}

/** A failure to reach the station at all, or in time. */
export function networkFailure(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  const slow = error instanceof DOMException && error.name === "TimeoutError";
  return slow
    ? new ApiFailure(0, "slow", t.failure.slow, t.failure.slowHint)
    : new ApiFailure(0, "unreachable", t.failure.unreachable, t.failure.unreachableHint);
}

function seconds(header: string | null): number {
  const n = header === null ? 0 : Number.parseInt(header, 10);
  return Number.isFinite(n) && n > 0 ? Math.min(n, 3600) : 0;
}

export function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
