/** Where to go after signing in: only a path of this very station, never an address from outside. */

const HOME = "/dashboard";

/** `raw` if it is a safe same-origin path other than the login page, else the dashboard. */
export function returnPath(raw: string | null, origin: string): string {
  if (!raw || !/^\/(?![/\\])[^\u0000-\u001f\\]*$/.test(raw)) return HOME;
  try {
    const url = new URL(raw, origin);
    if (url.origin !== origin || /^\/login(\.html)?\/?$/.test(url.pathname) || url.pathname.startsWith("//")) return HOME;
    return url.pathname + url.search + url.hash;
  } catch {
    return HOME;
  }
}

export function loginUrl(here: { pathname: string; search: string; hash: string }, why: "ended" | "change" | "" = ""): string {
  const query = new URLSearchParams({ next: here.pathname + here.search + here.hash });
  if (why) query.set(why, "1");
  return `/login?${query}`;
}
