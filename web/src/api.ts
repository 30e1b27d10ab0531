/** Calls to PutLive's API with time limit, CSRF token and one silent renewal of an ended session. */

import { ApiFailure, failureOf, networkFailure } from "./failure";
import type { SessionInfo } from "./types";

const LIMIT_MS = 15_000;
const HINT = "putlive-signed-in"; // no secret: only spares anonymous visitors a request that fails

export interface Api {
  get<T>(path: string): Promise<T>;
  send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T>;
  /** The raw answer of a GET that may also carry a body when it is an error. */
  raw(path: string): Promise<Response>;
  /** Who is signed in, or null. */
  session(): Promise<SessionInfo | null>;
  signIn(username: string, password: string): Promise<SessionInfo>;
  changePassword(current: string, fresh: string): Promise<SessionInfo>;
  signOut(): Promise<void>;
}

export function createApi(): Api {
  let csrf = "";
  let renewing: Promise<boolean> | null = null;

  async function ask(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
    const options: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(LIMIT_MS) };
    if (body !== undefined) options.body = JSON.stringify(body);
    try {
      return await fetch(path, options);
    } catch (error) {
      throw networkFailure(error);
    }
  }

  /** Ask, and when the session has ended renew it once and ask again. */
  async function patiently(method: string, path: string, body?: unknown): Promise<Response> {
    const answer = await ask(method, path, body);
    if (answer.status !== 401 || !(await renew())) return answer;
    return ask(method, path, body);
  }

  function renew(): Promise<boolean> {
    renewing ??= ask("POST", "/api/auth/refresh", {})
      .then(async (answer) => answer.ok && keep(await parse<SessionInfo>(answer)) !== null)
      .catch(() => false)
      .finally(() => {
        renewing = null;
      });
    return renewing;
  }

  function keep(session: SessionInfo): SessionInfo {
    csrf = session.csrf_token;
    setSignedIn(true);
    return session;
  }

  async function parse<T>(answer: Response): Promise<T> {
    const body: unknown = answer.status === 204 ? null : await answer.json().catch(() => null);
    if (!answer.ok) throw failureOf(answer.status, body, answer.headers.get("Retry-After"));
    return body as T;
  }

  return {
    get: async <T>(path: string) => parse<T>(await patiently("GET", path)),
    send: async <T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown) =>
      parse<T>(await patiently(method, path, body)),
    raw: (path) => patiently("GET", path),
    async session() {
      const answer = signedIn() ? await patiently("GET", "/api/auth/session") : await ask("GET", "/api/auth/session");
      if (answer.status === 401) {
        setSignedIn(false);
        return null;
      }
      return keep(await parse<SessionInfo>(answer));
    },
    async signIn(username, password) {
      return keep(await parse<SessionInfo>(await ask("POST", "/api/auth/login", { username, password })));
    },
    async changePassword(current, fresh) {
      const body = { current_password: current, new_password: fresh };
      return keep(await parse<SessionInfo>(await ask("POST", "/api/auth/password", body)));
    },
    async signOut() {
      setSignedIn(false);
      const answer = await ask("POST", "/api/auth/logout", {});
      if (!answer.ok && answer.status !== 401) throw failureOf(answer.status, null, null);
    },
  };
}

/** Whether this tab has signed in; storage may be forbidden, which counts as no. */
export function signedIn(): boolean {
  try {
    return sessionStorage.getItem(HINT) === "1";
  } catch {
    return false;
  }
}

function setSignedIn(yes: boolean): void {
  try {
    if (yes) sessionStorage.setItem(HINT, "1");
    else sessionStorage.removeItem(HINT);
  } catch {
    // without storage the owner only misses the OBS panel on the public page
  }
}

export { ApiFailure };
