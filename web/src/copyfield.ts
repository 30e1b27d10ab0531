/** A value to copy into an encoder: shown or hidden, with a copy button that confirms. */

import { h, setAttribute, setText } from "./dom";
import { icon } from "./icons";
import { t } from "./text";

export interface CopyField {
  readonly element: HTMLElement;
  set(value: string): void;
}

/** `secret`: hidden until asked for; `mask` then says what to show instead. */
export function copyField(label: string, thing: string, secret = false, mask: (value: string) => string = () => t.obs.hiddenKey): CopyField {
  let value = "";
  let shown = !secret;
  const text = h("code", { class: "copy-value", tabindex: "0", role: "textbox", "aria-readonly": "true", "aria-label": label });
  const copyWord = h("span", {}, t.copy.copy);
  const copy = h("button", { type: "button", class: "button button-small", "aria-label": t.copy.copyThing(thing) }, icon("copy"), copyWord);
  const revealWord = h("span", {}, t.copy.show);
  const reveal = h("button", { type: "button", class: "button button-small" }, icon("eye"), revealWord);
  const said = h("span", { class: "visually-hidden", role: "status" });
  const element = h("div", { class: "copy-field" }, h("span", { class: "copy-label", "aria-hidden": "true" }, label), h("div", { class: "copy-row" }, text, secret && reveal, copy), said);

  function draw(): void {
    setText(text, shown ? value : mask(value));
    setText(revealWord, shown ? t.copy.hide : t.copy.show);
    setAttribute(reveal, "aria-label", shown ? t.copy.hideThing(thing) : t.copy.showThing(thing));
    setAttribute(reveal, "aria-pressed", String(shown));
  }
  reveal.addEventListener("click", () => {
    shown = !shown;
    draw();
  });
  let back = 0;
  copy.addEventListener("click", async () => {
    const worked = await toClipboard(value);
    if (!worked) {
      shown = true;
      draw();
      getSelection()?.selectAllChildren(text);
    }
    const word = worked ? t.copy.copied : t.copy.failed;
    setText(copyWord, word);
    setText(said, word);
    copy.classList.toggle("is-done", worked);
    clearTimeout(back);
    back = window.setTimeout(() => {
      setText(copyWord, t.copy.copy);
      setText(said, "");
      copy.classList.remove("is-done");
    }, 3000);
  });
  return {
    element,
    set(fresh) {
      if (fresh === value) return;
      value = fresh;
      draw();
    },
  };
}

/** A key `demo?key=…` with all of its secret hidden but not where it begins. */
export function maskedKey(value: string): string {
  const at = value.indexOf("?key=");
  return at < 0 ? t.obs.hiddenKey : `${value.slice(0, at)}?key=${t.obs.hiddenKey}`;
}

/** Browsers offer the clipboard to secure origins only; a station without TLS needs the old way. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return oldCopy(text);
  }
}

function oldCopy(text: string): boolean {
  const before = document.activeElement;
  const area = h("textarea", { class: "visually-hidden", "aria-hidden": "true" });
  area.value = text;
  (before?.closest("dialog") ?? document.body).append(area);
  area.select();
  const worked = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return worked;
}
