/** The password rule of the station (C11): at least 10 characters, at most 72 bytes of UTF-8. */

import { t } from "./text";

export const MIN_CHARS = 10;
export const MAX_BYTES = 72;

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** Characters as people count them: code points, so one emoji is one and not two. */
export function charLength(text: string): number {
  return [...text].length;
}

/** What is wrong with a new password, as a sentence with its remedy, or "" if nothing is. */
export function passwordProblem(text: string): string {
  const missing = MIN_CHARS - charLength(text);
  if (missing > 0) return t.password.tooShort(missing);
  const over = byteLength(text) - MAX_BYTES;
  return over > 0 ? t.password.tooLong(over) : "";
}
