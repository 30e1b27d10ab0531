/** Numbers, sizes and times as people read them; pure, and in the reader's own time zone. */

import { t } from "./text";

const whole = new Intl.NumberFormat("en");
const oneDigit = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const upToOne = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export function count(n: number): string {
  return whole.format(Math.max(0, Math.round(n)));
}

/** kbit/s below one Mbit/s, Mbit/s above; nothing measured gives a dash. */
export function bitrate(kbps: number | null | undefined): string {
  if (!kbps || kbps <= 0) return t.none;
  return kbps < 1000 ? `${whole.format(Math.round(kbps))} kbit/s` : `${oneDigit.format(kbps / 1000)} Mbit/s`;
}

export function fps(n: number | null | undefined): string {
  return n && n > 0 ? upToOne.format(n) : t.none;
}

export function resolution(width: number | null | undefined, height: number | null | undefined): string {
  return width && height ? `${width} × ${height}` : t.none;
}

/** Decimal units, as disks and providers count: 1 kB is 1000 bytes. */
export function bytes(n: number | null | undefined): string {
  if (!n || n < 0) return "0 B";
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const power = Math.min(Math.floor(Math.log10(n) / 3), units.length - 1);
  const value = n / 1000 ** power;
  return `${power === 0 || value >= 100 ? whole.format(Math.round(value)) : oneDigit.format(value)} ${units[power]}`;
}

/** A running clock: `m:ss`, `h:mm:ss`, and days before it when there are any. */
export function clock(seconds: number): string {
  const all = Math.max(0, Math.floor(seconds));
  const days = Math.floor(all / 86400);
  const hours = Math.floor((all % 86400) / 3600);
  const minutes = Math.floor((all % 3600) / 60);
  const rest = String(all % 60).padStart(2, "0");
  if (days) return `${days} d ${hours}:${String(minutes).padStart(2, "0")}:${rest}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** A length of time in its two largest units: `45 s`, `12 min`, `2 h 5 min`, `3 d 4 h`. */
export function span(seconds: number): string {
  const all = Math.max(0, Math.floor(seconds));
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min`;
  if (all < 86400) return `${Math.floor(all / 3600)} h ${Math.floor((all % 3600) / 60)} min`;
  return `${whole.format(Math.floor(all / 86400))} d ${Math.floor((all % 86400) / 3600)} h`;
}

/** The time of day for today, date and time for other days. */
export function when(iso: string, now: Date): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const time = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  if (date.toDateString() === now.toDateString()) return time;
  return `${date.toLocaleDateString(undefined, { day: "numeric", month: "short", year: date.getFullYear() === now.getFullYear() ? undefined : "numeric" } as Intl.DateTimeFormatOptions)}, ${time.slice(0, 5)}`;
}

/** `unknown_new_kind` as `Unknown new kind`: words for what this version does not know. */
export function humanise(word: string): string {
  const text = word.replace(/[_-]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a level is called in the quality menu, e.g. `480p · 1.2 Mbit/s`. */
export function levelLabel(height: number, bitsPerSecond: number): string {
  const rate = bitrate(bitsPerSecond / 1000);
  return height > 0 ? `${height}p · ${rate}` : rate;
}
