/** Server and stream keys: copy, create, rotate, revoke; each change says beforehand what it does. */

import { ApiFailure, type Api } from "../api";
import { copyField, maskedKey, type CopyField } from "../copyfield";
import { confirmed } from "../dialogs";
import { h, keyedList, setAttribute, setText, show, timeElement, type Row } from "../dom";
import { when } from "../format";
import type { Notices } from "../notices";
import { t } from "../text";
import type { Channel, StreamKey } from "../types";
import { askNewKey } from "./newkey";
import { keyState } from "./keystate";

const EVERY_MS = 20_000;

export function keysCard(api: Api, notices: Notices, mayAct: boolean): { element: HTMLElement; update(channel: Channel): void } {
  let channel: Channel | null = null;
  let loadedFor = "";
  let inputKey = "";
  let keys: readonly StreamKey[] = [];
  const server = copyField(t.keys.server, t.copy.serverUrl);
  const none = h("p", { class: "card-note", hidden: true }, t.keys.none);
  const list = h("ul", { class: "rows keys" });
  const oldList = h("ul", { class: "rows keys" });
  const oldWords = h("summary");
  const old = h("details", { class: "old-keys", hidden: true }, oldWords, oldList);
  const create = h("button", { type: "button", class: "button button-small", on: { click: () => void onCreate() } }, t.keys.create);
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "keys-title" },
    h("div", { class: "panel-head" }, h("h2", { id: "keys-title" }, t.keys.title), mayAct && create),
    h("p", { class: "card-note" }, mayAct ? t.keys.intro : t.keys.viewerNote),
    server.element,
    ...(mayAct ? [none, list, old] : []),
  );
  const drawCurrent = keyedList<StreamKey>(list, (k) => k.id, row);
  const drawOld = keyedList<StreamKey>(oldList, (k) => k.id, row);

  function row(first: StreamKey): Row<StreamKey> {
    let key = first;
    const label = h("span", { class: "key-label" });
    const state = h("span", { class: "chip" });
    const used = timeElement();
    const until = timeElement();
    const untilWord = h("span");
    const owner = h("span");
    const never = h("span", {}, t.keys.never);
    const secret: CopyField = copyField(t.obs.streamKey, t.copy.key(first.label), true, maskedKey);
    const rotate = h("button", { type: "button", class: "button button-small", "aria-label": t.keys.rotateThing(first.label), on: { click: () => void onRotate(key) } }, t.keys.rotate);
    const revoke = h("button", { type: "button", class: "button button-small button-danger-quiet", "aria-label": t.keys.revokeThing(first.label), on: { click: () => void onRevoke(key) } }, t.keys.revoke);
    const untilPart = h("span", {}, untilWord, " ", until.element);
    const meta = h("p", { class: "key-meta dim" }, h("span", {}, t.keys.lastUsed, " ", used.element, never), untilPart, owner);
    const body = h("li", { class: "key" }, h("div", { class: "key-head" }, label, state, h("span", { class: "key-buttons" }, rotate, revoke)), secret.element, meta);
    return {
      element: body,
      update(fresh) {
        key = fresh;
        const now = new Date();
        const is = keyState(key, now.getTime());
        const shown = is === "active" && key.id === inputKey ? "live" : is;
        setText(label, key.label || key.id);
        setText(state, t.keys.states[shown]);
        setAttribute(state, "data-state", shown);
        show(used.element, key.last_used_at !== null);
        show(never, key.last_used_at === null);
        if (key.last_used_at) used.set(key.last_used_at, when(key.last_used_at, now));
        const limit = is === "kicked" ? key.blocked_until : key.revoked_at === null ? key.expires_at : key.revoked_at;
        show(untilPart, limit !== null);
        setText(untilWord, is === "kicked" ? t.keys.kickedUntil : is === "revoked" ? t.keys.states.revoked : t.keys.untilExpires);
        if (limit) until.set(limit, when(limit, now));
        setText(owner, key.owner ? t.keys.owner(key.owner) : "");
        show(secret.element, key.stream_key !== null && is !== "expired");
        if (key.stream_key) secret.set(key.stream_key);
        show(rotate, is !== "revoked");
        show(revoke, is !== "revoked");
      },
    };
  }

  function draw(): void {
    const now = Date.now();
    const isOld = (k: StreamKey): boolean => ["revoked", "expired"].includes(keyState(k, now));
    const newestFirst = [...keys].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
    const gone = newestFirst.filter(isOld);
    drawCurrent(newestFirst.filter((k) => !isOld(k)));
    drawOld(gone);
    show(old, gone.length > 0);
    setText(oldWords, t.keys.showRevoked(gone.length));
    show(none, gone.length === keys.length);
  }

  async function load(): Promise<void> {
    const name = channel?.name;
    if (!name || !mayAct) return;
    const answer = await api.get<{ keys: readonly StreamKey[] }>(`/api/keys?channel=${encodeURIComponent(name)}`);
    if (name !== channel?.name) return;
    keys = answer.keys;
    draw();
  }

  function quietly(): void {
    load().catch((error: unknown) => {
      // an outage is told by the connection notice, and this is asked again soon
      if (error instanceof ApiFailure && error.status === 401) notices.failed(error);
    });
  }

  /** Do a change, say what was done or why not, and show the keys as they are now. */
  async function change(act: () => Promise<unknown>, done: string): Promise<void> {
    try {
      await act();
      notices.done(done);
      await load();
    } catch (error) {
      notices.failed(error);
    }
  }

  async function onCreate(): Promise<void> {
    if (!channel) return;
    const wish = await askNewKey();
    const name = channel.name;
    if (wish) await change(() => api.send("POST", "/api/keys", { channel: name, ...wish }), t.keys.created(wish.label));
  }

  async function onRotate(key: StreamKey): Promise<void> {
    const yes = await confirmed({ title: t.keys.rotateTitle(key.label), body: t.keys.rotateBody, action: t.keys.rotate, danger: true });
    if (yes) await change(() => api.send("POST", `/api/keys/${encodeURIComponent(key.id)}/rotate`), t.keys.rotated(key.label));
  }

  async function onRevoke(key: StreamKey): Promise<void> {
    const yes = await confirmed({ title: t.keys.revokeTitle(key.label), body: t.keys.revokeBody, action: t.keys.revoke, danger: true });
    if (yes) await change(() => api.send("DELETE", `/api/keys/${encodeURIComponent(key.id)}`), t.keys.revoked(key.label));
  }

  async function loadServer(): Promise<void> {
    server.set((await api.get<{ rtmp_url: string }>("/api/ingest")).rtmp_url);
  }

  loadServer().catch((error: unknown) => notices.failed(error));
  setInterval(() => {
    if (!document.hidden) quietly();
  }, EVERY_MS);
  return {
    element,
    update(fresh) {
      channel = fresh;
      const nowKey = fresh.input?.key_id ?? "";
      const switched = loadedFor !== fresh.name;
      if (!switched && nowKey === inputKey) return;
      loadedFor = fresh.name;
      inputKey = nowKey;
      if (switched) keys = [];
      draw();
      quietly();
    },
  };
}
