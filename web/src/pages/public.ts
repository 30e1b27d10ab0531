/** The public page: the stage with what the station says of the channel around it. */

import "../style/base.css";
import "../style/player.css";
import "../style/public.css";

import { byId, h, setAttribute, setText, show } from "../dom";
import { clock, count } from "../format";
import { icon } from "../icons";
import { obsPanel } from "../obs";
import { createStage } from "../stage";
import { t } from "../text";
import type { PublicChannel } from "../types";
import { watchChannel, type Sight } from "../watch";

const asked = new URLSearchParams(location.search).get("channel");
const stage = createStage();
const title = h("h1", { class: "public-title" }, asked ?? t.product);
const badge = h("span", { class: "badge" }, t.status.unknown);
const sentence = h("span", { class: "public-sentence" });
const viewers = h("span", { class: "fact", hidden: true }, icon("people"), h("span"));
const uptime = h("span", { class: "fact", hidden: true });
const channels = h("nav", { class: "channels", "aria-label": t.public.channels, hidden: true });

byId("stage").append(stage.element);
byId("about").append(
  h("div", { class: "public-head" }, title, h("p", { class: "public-status", role: "status" }, badge, sentence)),
  h("p", { class: "public-facts" }, viewers, uptime),
  channels,
);
byId("foot").append(h("a", { href: "/dashboard" }, t.public.dashboard));

let onAirSince: number | null = null; // on the page's own clock
let panelFor = "";

function see(sight: Sight): void {
  if (sight.kind === "channel") seeChannel(sight.channel, sight.all, sight.seenMs);
  else if (sight.kind === "missing") {
    drawBadge("off_air", false);
    setText(sentence, "");
    stage.say(sight.name === null ? t.public.noChannel : t.public.unknownChannel(sight.name));
  } else {
    setText(sentence, t.public.unreachable);
    if (stage.diagnostics.video.readyState === 0) drawBadge("unknown", false);
  }
}

function seeChannel(channel: PublicChannel, all: readonly PublicChannel[], seenMs: number): void {
  setText(title, channel.title || channel.name);
  document.title = t.public.pageTitle(channel.title || channel.name);
  drawBadge(channel.state, channel.on_air);
  const said = channel.on_air || channel.sentence === `${badge.textContent}.`; // by the badge
  setText(sentence, said ? "" : channel.sentence);
  onAirSince = channel.on_air ? seenMs - channel.uptime_seconds * 1000 : null;
  show(viewers, channel.on_air);
  setText(viewers.lastElementChild as HTMLElement, t.public.viewers(count(channel.viewers), channel.viewers === 1));
  tick();
  stage.update(channel);
  drawChannels(all, channel.name);
  void addPanel(channel.name);
}

function drawBadge(state: string, onAir: boolean): void {
  const words: Record<string, string> = { starting: t.status.starting, unknown: t.status.unknown };
  setText(badge, onAir ? t.status.onAir : (words[state] ?? t.status.offAir));
  setAttribute(badge, "data-state", onAir ? "live" : state);
}

function drawChannels(all: readonly PublicChannel[], current: string): void {
  show(channels, all.length > 1);
  if (all.length < 2 || channels.childElementCount === all.length) return;
  channels.replaceChildren(
    ...all.map((c) => h("a", { href: `/?channel=${encodeURIComponent(c.name)}`, "aria-current": c.name === current ? "page" : null }, c.title || c.name)),
  );
}

function tick(): void {
  show(uptime, onAirSince !== null);
  if (onAirSince !== null) setText(uptime, t.public.onAirFor(clock((performance.now() - onAirSince) / 1000)));
}

async function addPanel(name: string): Promise<void> {
  if (panelFor === name) return;
  panelFor = name;
  const panel = await obsPanel(name).catch(() => null); // the page is for viewers; the panel is an extra
  if (panel) byId("obs").replaceChildren(panel);
}

setInterval(tick, 1000);
watchChannel(asked, see);
