/** The viewer session id: random, kept for this tab only, so that one person counts once. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LENGTH = 22; // 132 bits
const STORED = "putlive-sid";

/** 64 letters divide 256 evenly, so each byte gives an unbiased letter. */
export function newSid(fill: (bytes: Uint8Array<ArrayBuffer>) => void = (b) => crypto.getRandomValues(b)): string {
  const random = new Uint8Array(LENGTH);
  fill(random);
  return Array.from(random, (byte) => ALPHABET[byte & 63]).join("");
}

export function isSid(text: string | null): text is string {
  return text !== null && /^[A-Za-z0-9_-]{22}$/.test(text);
}

/** This tab's id; without usable storage (private modes) a new one per page. */
export function sessionSid(storage: () => Storage = () => sessionStorage): string {
  try {
    const kept = storage().getItem(STORED);
    if (isSid(kept)) return kept;
    const fresh = newSid();
    storage().setItem(STORED, fresh);
    return fresh;
  } catch {
    return newSid();
  }
}

export function withSid(url: string, sid: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}sid=${sid}`;
}
