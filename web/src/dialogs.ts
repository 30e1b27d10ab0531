/** Modal dialogs: a question that says what will happen, and a frame for anything else. */

import { h, type Child } from "./dom";
import { icon } from "./icons";
import { t } from "./text";

export interface Question {
  readonly title: string;
  readonly body: string;
  readonly action: string;
  readonly danger?: boolean;
}

/** Ask before something that cannot be taken back; false when dismissed in any way. */
export function confirmed(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const yes = h("button", { type: "submit", value: "yes", class: question.danger ? "button button-danger" : "button button-primary" }, question.action);
    const no = h("button", { type: "submit", value: "no", class: "button" }, t.actions.cancel);
    const form = h("form", { method: "dialog" }, h("p", { class: "dialog-body" }, question.body), h("div", { class: "dialog-buttons" }, no, yes));
    const dialog = frame(question.title, "dialog", form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
    (question.danger ? no : yes).focus();
  });
}

/** A dialog with a close button; it is in the page but not shown yet. */
export function frame(title: string, className: string, ...children: Child[]): HTMLDialogElement {
  const heading = h("h2", { class: "dialog-title", id: `dialog-${dialogId()}` }, title);
  const close = h("button", { type: "button", class: "icon-button", "aria-label": t.preview.close, on: { click: () => dialog.close("") } }, icon("close"));
  const dialog = h("dialog", { class: className, "aria-labelledby": heading.id }, h("div", { class: "dialog-head" }, heading, close), ...children);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(""); // the backdrop
  });
  document.body.append(dialog);
  return dialog;
}

function dialogId(): number {
  return document.querySelectorAll("dialog").length;
}
