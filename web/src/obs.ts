/** OBS settings for whoever is signed in: server and stream key, to be copied. */

import { createApi, signedIn } from "./api";
import { copyField, maskedKey } from "./copyfield";
import { keyState } from "./dash/keystate";
import { h } from "./dom";
import { t } from "./text";
import type { StreamKey } from "./types";

/** The panel, or null for everybody who may not publish. */
export async function obsPanel(channel: string): Promise<HTMLElement | null> {
  if (!signedIn()) return null;
  const api = createApi();
  const session = await api.session();
  if (!session || session.user.role === "viewer" || session.user.must_change_password) return null;
  const [ingest, list] = await Promise.all([
    api.get<{ rtmp_url: string }>("/api/ingest"),
    api.get<{ keys: readonly StreamKey[] }>(`/api/keys?channel=${encodeURIComponent(channel)}`),
  ]);
  const key = list.keys.find((k) => k.stream_key !== null && keyState(k, Date.now()) === "active");
  const server = copyField(t.obs.server, t.copy.serverUrl);
  server.set(ingest.rtmp_url);
  const secret = copyField(t.obs.streamKey, t.copy.key(key?.label ?? ""), true, maskedKey);
  if (key?.stream_key) secret.set(key.stream_key);
  return h(
    "section",
    { class: "panel obs", "aria-labelledby": "obs-title" },
    h("h2", { id: "obs-title" }, t.obs.title),
    h("p", { class: "dim" }, t.obs.intro),
    server.element,
    key ? secret.element : h("p", {}, t.obs.noKey),
  );
}
