/** What state a stream key is in, from its times; pure. */

export type KeyState = "active" | "revoked" | "expired" | "kicked";

export interface KeyTimes {
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly blocked_until: string | null;
}

export function keyState(key: KeyTimes, nowMs: number): KeyState {
  if (key.revoked_at !== null) return "revoked";
  if (key.expires_at !== null && Date.parse(key.expires_at) <= nowMs) return "expired";
  return key.blocked_until !== null && Date.parse(key.blocked_until) > nowMs ? "kicked" : "active";
}
