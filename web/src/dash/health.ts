/** The station's parts in plain language, from whatever parts the station reports. */

import { h, keyedList, setAttribute, setText } from "../dom";
import { record, text } from "../failure";
import { humanise } from "../format";
import { t } from "../text";

export interface Component {
  readonly name: string;
  readonly status: "ok" | "degraded" | "down" | "unknown";
  readonly detail: string;
}

const OK = new Set(["ok", "healthy", "up", "running", "live", "ready", "pass"]);
const DOWN = new Set(["down", "unhealthy", "failed", "fatal", "error", "critical", "stopped"]);

/** Read the `components` of a report: a map by name, or a list with names. */
export function componentsOf(report: unknown): readonly Component[] {
  const components = record(report)["components"];
  const entries: [string, unknown][] = Array.isArray(components)
    ? components.map((c: unknown) => [text(record(c)["name"]), c])
    : Object.entries(record(components));
  return entries.filter(([name]) => name !== "").map(([name, body]) => component(name, body));
}

function component(name: string, body: unknown): Component {
  const fields = record(body);
  const word = typeof body === "string" ? body : text(fields["status"]);
  const status = OK.has(word) ? "ok" : DOWN.has(word) ? "down" : word === "" || word === "unknown" ? "unknown" : "degraded";
  return { name, status, detail: text(fields["detail"]) || text(fields["message"]) };
}

export function componentName(name: string): string {
  return t.health.components[name] ?? humanise(name);
}

/** One sentence over all parts. */
export function healthSentence(components: readonly Component[]): string {
  if (components.length === 0) return t.health.unknown;
  const bad = components.filter((c) => c.status === "down" || c.status === "degraded").map((c) => componentName(c.name));
  return bad.length === 0 ? t.health.ok : t.health.bad(bad.join(", "));
}

export function healthCard(): { element: HTMLElement; update(components: readonly Component[]): void } {
  const sentence = h("p", { class: "card-note" }, t.health.unknown);
  const list = h("ul", { class: "rows" });
  const draw = keyedList<Component>(list, (c) => c.name, () => {
    const lamp = h("span", { class: "lamp", "aria-hidden": "true" });
    const name = h("span", { class: "row-name" });
    const status = h("span", { class: "row-state" });
    const detail = h("span", { class: "row-detail dim" });
    return {
      element: h("li", { class: "row" }, lamp, h("div", { class: "row-words" }, name, status, detail)),
      update(c) {
        setAttribute(lamp, "data-status", c.status);
        setText(name, componentName(c.name));
        setText(status, t.health.statuses[c.status] ?? c.status);
        setText(detail, c.detail);
      },
    };
  });
  return {
    element: h("section", { class: "panel", "aria-labelledby": "health-title" }, h("h2", { id: "health-title" }, t.health.title), sentence, list),
    update(components) {
      setText(sentence, healthSentence(components));
      draw(components);
    },
  };
}
