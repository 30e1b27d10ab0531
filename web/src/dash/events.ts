/** What happened lately, when, and in words. */

import { h, keyedList, setAttribute, setText, timeElement } from "../dom";
import { record, text } from "../failure";
import { humanise, span, when } from "../format";
import { t } from "../text";
import type { LoggedEvent } from "../types";

const MOST = 50;

/** Read an event from the log (`body` apart) or from the stream (fields beside `kind` and `at`). */
export function eventOf(raw: unknown): LoggedEvent {
  const fields = record(raw);
  const { kind, at, body, id, ...rest } = fields;
  const event = { kind: text(kind), at: text(at), body: body === undefined ? rest : record(body) };
  return typeof id === "number" || typeof id === "string" ? { ...event, id } : event;
}

/** An event as a sentence; kinds this version does not know are shown by their name and facts. */
export function eventSentence(event: LoggedEvent): string {
  const get = (name: string): string => text(event.body[name]);
  const address = get("address") || t.events.someone;
  switch (event.kind) {
    case "stream_started":
      return t.events.started(get("channel"), address);
    case "stream_ended":
      return t.events.ended(get("channel"), span(Number(event.body["seconds"]) || 0), reason(get("reason")));
    case "publish_denied":
      return t.events.denied(get("channel") || t.none, address, reason(get("reason")));
    case "process_exited":
      return t.events.exited(get("process"), t.events.nextStates[get("next_state")] ?? humanise(get("next_state")).toLowerCase(), get("reason"));
    case "engine_changed":
      return event.body["up"] === true ? t.events.engineUp(get("engine")) : t.events.engineDown(get("engine"), get("detail"));
    case "login_failed":
      return t.events.loginFailed(get("user"), address);
    default:
      return unknownSentence(event);
  }
}

function reason(code: string): string {
  return t.events.reasons[code] ?? code.replace(/_/g, " ");
}

function unknownSentence(event: LoggedEvent): string {
  const facts = Object.entries(event.body)
    .filter(([name, value]) => name !== "at" && (typeof value === "string" || typeof value === "number") && value !== "")
    .map(([name, value]) => `${name.replace(/_/g, " ")} ${String(value)}`);
  return humanise(event.kind) + (facts.length ? `: ${facts.join(", ")}.` : ".");
}

/** How loud an event is: what people have to look at, and what is good news. */
export function eventTone(event: LoggedEvent): "live" | "bad" | "warn" | "plain" {
  if (event.kind === "stream_started") return "live";
  const failed = event.kind === "process_exited" && event.body["next_state"] === "fatal";
  const down = event.kind === "engine_changed" && event.body["up"] !== true;
  if (failed || down) return "bad";
  return event.kind === "publish_denied" || event.kind === "login_failed" ? "warn" : "plain";
}

export function eventsCard(): { element: HTMLElement; replace(events: readonly LoggedEvent[]): void; add(event: LoggedEvent): void } {
  const none = h("p", { class: "card-note" }, t.events.none);
  const list = h("ol", { class: "rows events", tabindex: "0", "aria-label": t.events.title });
  let shown: readonly LoggedEvent[] = [];
  const draw = keyedList<LoggedEvent>(list, keyOf, () => {
    const time = timeElement();
    const lamp = h("span", { class: "lamp", "aria-hidden": "true" });
    const words = h("span", { class: "event-words" });
    return {
      element: h("li", { class: "row" }, lamp, time.element, words),
      update(event) {
        setAttribute(lamp, "data-tone", eventTone(event));
        time.set(event.at, when(event.at, new Date()));
        setText(words, eventSentence(event));
      },
    };
  });

  function put(events: readonly LoggedEvent[]): void {
    const byKey = new Map(events.map((e) => [keyOf(e), e]));
    shown = [...byKey.values()].sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, MOST);
    none.hidden = shown.length > 0;
    list.hidden = shown.length === 0;
    draw(shown);
  }
  return {
    element: h("section", { class: "panel", "aria-labelledby": "events-title" }, h("h2", { id: "events-title" }, t.events.title), none, list),
    replace: put,
    add: (event) => put([event, ...shown]),
  };
}

/** The log and the stream tell the same event with and without an id: time and sentence are its name. */
function keyOf(event: LoggedEvent): string {
  return `${Date.parse(event.at)} ${eventSentence(event)}`;
}
