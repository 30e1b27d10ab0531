/** The renditions of the channel with their switches, state and reason. */

import { h, keyedList, setAttribute, setText, show } from "../dom";
import { bitrate, fps, humanise, resolution } from "../format";
import { t } from "../text";
import type { Channel, Rendition } from "../types";

export function renditionsCard(
  mayAct: boolean,
  turn: (channel: Channel, rendition: string, on: boolean) => Promise<void>,
): { element: HTMLElement; update(channel: Channel): void } {
  let channel: Channel | null = null;
  const list = h("ul", { class: "rows" });
  const draw = keyedList<Rendition>(list, (r) => r.name, (first) => {
    const lamp = h("span", { class: "lamp", "aria-hidden": "true" });
    const state = h("span", { class: "row-state" });
    const detail = h("span", { class: "row-detail dim" });
    const source = first.name === "source";
    const title = source ? t.renditions.source : first.name;
    const knob = h("button", { type: "button", role: "switch", class: "switch", "aria-label": t.renditions.switch(title) }, h("span", { class: "switch-knob", "aria-hidden": "true" }));
    let on = first.enabled;
    knob.addEventListener("click", async () => {
      if (!channel) return;
      knob.disabled = true;
      await turn(channel, first.name, !on);
      knob.disabled = false;
      knob.focus();
    });
    show(knob, mayAct && !source);
    return {
      element: h("li", { class: "row row-switch" }, lamp, h("div", { class: "row-words" }, h("span", { class: "row-name" }, title), state, detail), knob),
      update(r) {
        on = r.enabled;
        setAttribute(knob, "aria-checked", String(on));
        setAttribute(lamp, "data-status", lampOf(r.state));
        setText(state, t.renditions.states[r.state] ?? humanise(r.state));
        setText(detail, detailOf(r));
      },
    };
  });
  return {
    element: h("section", { class: "panel", "aria-labelledby": "renditions-title" }, h("h2", { id: "renditions-title" }, t.renditions.title), list),
    update(fresh) {
      channel = fresh;
      draw(fresh.renditions);
    },
  };
}

function lampOf(state: string): string {
  return { live: "ok", starting: "degraded", failed: "down" }[state] ?? "unknown";
}

function detailOf(r: Rendition): string {
  const measured = r.state === "live" && r.width > 0;
  const facts = measured ? [resolution(r.width, r.height), t.player.fps(fps(r.fps)), bitrate(r.bitrate_kbps)] : [];
  return [...facts, r.reason].filter(Boolean).join(" · ");
}
