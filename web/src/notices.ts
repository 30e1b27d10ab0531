/** The place for short messages: what was done, and what failed with its remedy. */

import { networkFailure } from "./failure";
import { h } from "./dom";
import { icon } from "./icons";
import { t } from "./text";

export interface Notices {
  readonly element: HTMLElement;
  done(text: string): void;
  failed(error: unknown): void;
}

export function createNotices(): Notices {
  const element = h("div", { class: "notices", role: "status", "aria-live": "polite" });

  function add(kind: "done" | "failed", message: string, hint: string): HTMLElement {
    const close = h("button", { type: "button", class: "icon-button", "aria-label": t.failure.dismiss, on: { click: () => box.remove() } }, icon("close"));
    const words = h("div", {}, h("p", { class: "notice-message" }, message), hint && h("p", { class: "notice-hint" }, hint));
    const box = h("div", { class: `notice notice-${kind}` }, words, close);
    element.append(box);
    while (element.children.length > 3) element.firstElementChild?.remove();
    return box;
  }

  return {
    element,
    done(text) {
      const box = add("done", text, "");
      setTimeout(() => box.remove(), 8000);
    },
    failed(error) {
      const failure = networkFailure(error);
      const fields = Object.values(failure.fields).join(" ");
      add("failed", failure.message, [fields, failure.hint].filter(Boolean).join(" "));
    },
  };
}
