/** The dialog for a new stream key: a label, and an expiry if wanted. */

import { frame } from "../dialogs";
import { h, setAttribute, setText } from "../dom";
import { t } from "../text";

export interface NewKey {
  readonly label: string;
  readonly expires_at?: string;
}

export function askNewKey(): Promise<NewKey | null> {
  return new Promise((resolve) => {
    let wish: NewKey | null = null;
    const label = h("input", { id: "key-label", type: "text", maxlength: "60", value: t.keys.labelDefault, required: true, "aria-describedby": "key-fault" });
    const expires = h("input", { id: "key-expires", type: "datetime-local", "aria-describedby": "key-fault" });
    const fault = h("p", { class: "field-fault", id: "key-fault", role: "alert" });
    const form = h(
      "form",
      { novalidate: true },
      h("p", { class: "dialog-body" }, t.keys.createBody),
      h("div", { class: "field" }, h("label", { for: "key-label" }, t.keys.label), label),
      h("div", { class: "field" }, h("label", { for: "key-expires" }, t.keys.expires), expires),
      fault,
      h(
        "div",
        { class: "dialog-buttons" },
        h("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, t.actions.cancel),
        h("button", { type: "submit", class: "button button-primary" }, t.keys.createSubmit),
      ),
    );
    const dialog = frame(t.keys.createTitle, "dialog", form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const until = expires.value ? new Date(expires.value) : null; // the reader's own time zone
      const past = until !== null && !(until.getTime() > Date.now());
      const problem = label.value.trim() === "" ? t.keys.labelMissing : past ? t.keys.expiresPast : "";
      setText(fault, problem);
      setAttribute(label, "aria-invalid", problem === t.keys.labelMissing ? "true" : null);
      setAttribute(expires, "aria-invalid", past ? "true" : null);
      if (problem) return (past ? expires : label).focus();
      wish = until ? { label: label.value.trim(), expires_at: until.toISOString() } : { label: label.value.trim() };
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(wish);
    });
    dialog.showModal();
    label.focus();
    label.select();
  });
}
