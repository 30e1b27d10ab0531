/** The dashboard: wires the session, the live feed and the cards together. */

import "../style/base.css";
import "../style/player.css";
import "../style/dashboard.css";

import { createApi } from "../api";
import { eventOf, eventsCard } from "../dash/events";
import { openFeed, type Snapshot } from "../dash/feed";
import { graphCard } from "../dash/graph";
import { componentsOf, healthCard } from "../dash/health";
import { keysCard } from "../dash/keys";
import { previewCard } from "../dash/preview";
import { renditionsCard } from "../dash/renditions";
import { tilesCard } from "../dash/tiles";
import { verdictCard } from "../dash/verdict";
import { byId, h, setAttribute, setText, show, timeElement } from "../dom";
import { ApiFailure } from "../failure";
import { when } from "../format";
import { createNotices } from "../notices";
import { loginUrl } from "../returnpath";
import { t } from "../text";
import type { Channel, SessionInfo, User } from "../types";

const HEALTH_MS = 10_000;

const api = createApi();
const notices = createNotices();
byId("notices").append(notices.element);

function leave(why: "ended" | "change" | ""): void {
  location.replace(loginUrl(location, why));
}

/** Sessions that ended or wait for a new password lead to the login page; the rest is said. */
function failed(error: unknown): void {
  if (error instanceof ApiFailure && error.code === "password_change_required") leave("change");
  else if (error instanceof ApiFailure && error.status === 401) leave("ended");
  else notices.failed(error);
}

async function begin(): Promise<void> {
  let session: SessionInfo | null;
  try {
    session = await api.session();
  } catch (error) {
    failed(error);
    setTimeout(() => location.reload(), 5000);
    return;
  }
  if (!session) leave("");
  else if (session.user.must_change_password) leave("change");
  else build(session.user);
}

function build(user: User): void {
  const mayAct = user.role !== "viewer";
  let chosen = new URLSearchParams(location.search).get("channel") ?? "";
  let last: Snapshot | null = null;
  let lastAt = 0;

  const verdict = verdictCard(mayAct, {
    start: (c) => act(() => api.send("POST", "/api/stream/start", { channel: c.name }), t.actions.started),
    stop: (c) => act(() => api.send("POST", "/api/stream/stop", { channel: c.name }), t.actions.stopped),
    kick: (c) => act(() => api.send("DELETE", `/api/stream/clients/${encodeURIComponent(c.input?.client_id ?? "")}`), t.actions.kicked),
  });
  const preview = previewCard(api);
  const tiles = tilesCard();
  const graph = graphCard(api);
  const keys = keysCard(api, { ...notices, failed }, mayAct);
  const renditions = renditionsCard(mayAct, async (c, name, on) => {
    await act(() => api.send("PUT", `/api/channels/${encodeURIComponent(c.name)}/renditions/${encodeURIComponent(name)}`, { enabled: on }), "");
  });
  const health = healthCard();
  const events = eventsCard();
  const empty = h("section", { class: "panel", hidden: true }, h("p", { class: "verdict-sentence" }, t.dash.noChannels), h("p", { class: "dim" }, t.dash.noChannelsHint));
  const cards = [verdict.element, preview.element, tiles.element, graph.element, keys.element, renditions.element];

  const picker = h("select", { id: "channel", class: "channel-picker" });
  const pickerBox = h("label", { class: "channel-box", hidden: true }, h("span", { class: "visually-hidden" }, t.dash.channel), picker);
  const publicPage = h("a", { href: "/" }, t.dash.publicPage);
  byId("bar").append(pickerBox, publicPage, userMenu(user));
  byId("main").replaceChildren(
    empty,
    verdict.element,
    h("div", { class: "grid grid-top" }, preview.element, tiles.element),
    graph.element,
    h("div", { class: "grid" }, h("div", { class: "stack" }, keys.element, events.element), h("div", { class: "stack" }, renditions.element, health.element)),
  );

  function draw(): void {
    const channels = last?.channels ?? [];
    const channel = channels.find((c) => c.name === chosen) ?? channels[0];
    show(empty, last !== null && !channel);
    for (const card of cards) show(card, channel !== undefined);
    drawPicker(channels, channel);
    if (!channel) return;
    chosen = channel.name;
    setAttribute(publicPage, "href", `/?channel=${encodeURIComponent(channel.name)}`);
    document.title = `${channel.state === "live" ? "● " : ""}${channel.title || channel.name} · ${t.dash.title} · ${t.product}`;
    for (const card of [verdict, preview, tiles, keys, renditions]) card.update(channel);
    graph.update(channel, lastAt);
  }

  let drawnNames = "";
  function drawPicker(channels: readonly Channel[], current: Channel | undefined): void {
    show(pickerBox, channels.length > 1);
    const names = JSON.stringify(channels.map((c) => [c.name, c.title]));
    if (names !== drawnNames) {
      drawnNames = names;
      picker.replaceChildren(...channels.map((c) => h("option", { value: c.name }, c.title || c.name)));
    }
    if (current) picker.value = current.name;
  }
  picker.addEventListener("change", () => {
    chosen = picker.value;
    history.replaceState(null, "", `?channel=${encodeURIComponent(chosen)}`);
    draw();
  });

  function take(snapshot: Snapshot): void {
    last = snapshot;
    lastAt = Date.now();
    const parts = componentsOf(snapshot.station);
    if (parts.length) health.update(parts);
    draw();
  }

  /** Do something the person asked for; the feed then shows what became of it. */
  async function act(call: () => Promise<unknown>, done: string): Promise<void> {
    try {
      await call();
      if (done) notices.done(done);
      const fresh = await api.get<{ channels: readonly Channel[] }>("/api/channels");
      take({ channels: fresh.channels, station: null });
    } catch (error) {
      failed(error);
    }
  }

  async function askHealth(): Promise<void> {
    if (document.hidden || componentsOf(last?.station).length) return;
    const answer = await api.raw("/api/health/detailed"); // 503 carries the report too
    const parts = componentsOf(await answer.json());
    if (parts.length) health.update(parts);
  }

  const connection = connectionNotice();
  openFeed(api, {
    status(snapshot) {
      connection.heard();
      take(snapshot);
    },
    event: events.add,
    connected: connection.set,
    signedOut: () => leave("ended"),
  });
  api.get<{ events: readonly unknown[] }>("/api/log?count=50").then((log) => events.replace(log.events.map(eventOf)), failed);
  void askHealth().catch(() => undefined);
  setInterval(() => void askHealth().catch(() => undefined), HEALTH_MS);
}

function userMenu(user: User): HTMLElement {
  const out = h("button", { type: "button", class: "button button-small" }, t.dash.signOut);
  out.addEventListener("click", () => {
    api.signOut().then(() => location.replace("/login"), failed);
  });
  return h(
    "div",
    { class: "user" },
    h("span", { class: "user-name" }, user.username, h("span", { class: "dim" }, ` ${t.dash.roles[user.role] ?? user.role}`)),
    h("a", { href: "/login?change=1" }, t.dash.changePassword),
    out,
  );
}

/** The strip that says that the live feed is gone, and since when. */
function connectionNotice(): { set(connected: boolean): void; heard(): void } {
  const since = timeElement();
  const words = h("span");
  const stale = h("span", { class: "lost-since" }, since.element);
  const strip = h("div", { class: "lost", hidden: true }, words, stale);
  byId("lost").append(strip);
  let heardAt = new Date();
  return {
    heard() {
      heardAt = new Date();
    },
    set(connected) {
      show(strip, !connected);
      setText(words, connected ? "" : t.dash.lost);
      if (!connected) since.set(heardAt.toISOString(), t.dash.lostSince(when(heardAt.toISOString(), new Date())));
    },
  };
}

void begin();
