/** The one big sentence: is the channel on air, why, what to do, and the buttons for it. */

import { h, setAttribute, setText, show } from "../dom";
import { confirmed } from "../dialogs";
import { t } from "../text";
import type { Channel } from "../types";

export interface Actions {
  start(channel: Channel): Promise<void>;
  stop(channel: Channel): Promise<void>;
  kick(channel: Channel): Promise<void>;
}

const LAMPS: Record<string, string> = {
  live: t.status.onAir,
  starting: t.status.starting,
  stalled: t.status.stalled,
  stopped: t.status.stopped,
  engine_down: t.status.engineDown,
};

export function verdictCard(mayAct: boolean, actions: Actions): { element: HTMLElement; update(channel: Channel): void } {
  let current: Channel | null = null;
  const lamp = h("span", { class: "badge badge-big" });
  const sentence = h("p", { class: "verdict-sentence" });
  const advice = h("p", { class: "verdict-advice" });
  const start = h("button", { type: "button", class: "button button-primary", on: { click: () => void ask("start") } }, t.actions.start);
  const stop = h("button", { type: "button", class: "button", on: { click: () => void ask("stop") } }, t.actions.stop);
  const kick = h("button", { type: "button", class: "button", on: { click: () => void ask("kick") } }, t.actions.kick);
  const buttons = h("div", { class: "verdict-buttons" }, kick, stop, start);

  async function ask(what: "start" | "stop" | "kick"): Promise<void> {
    const channel = current;
    if (!channel) return;
    const questions = {
      start: { title: t.actions.startTitle, body: t.actions.startBody, action: t.actions.start },
      stop: { title: t.actions.stopTitle, body: t.actions.stopBody, action: t.actions.stop, danger: true },
      kick: { title: t.actions.kickTitle, body: t.actions.kickBody(channel.input?.address ?? t.events.someone), action: t.actions.kick, danger: true },
    };
    if (await confirmed(questions[what])) await actions[what](channel);
  }

  // The seconds inside the sentence change all the time; only a change of state is announced.
  const announcement = h("span", { class: "visually-hidden", role: "status" });
  const element = h(
    "section",
    { class: "panel verdict", "aria-label": t.dash.verdict },
    h("div", { class: "verdict-words" }, h("div", {}, lamp), sentence, advice, announcement),
    mayAct && buttons,
  );
  return {
    element,
    update(channel) {
      current = channel;
      setAttribute(element, "data-state", channel.state);
      setAttribute(lamp, "data-state", channel.state);
      const word = LAMPS[channel.state] ?? t.status.offAir;
      setText(lamp, word);
      setText(sentence, channel.sentence);
      setText(advice, channel.advice);
      show(advice, channel.advice !== "");
      setText(announcement, `${channel.title || channel.name}: ${word}`);
      show(kick, channel.input !== null);
      show(stop, channel.enabled);
      show(start, !channel.enabled);
    },
  };
}
