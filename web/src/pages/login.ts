/** Signing in, and the change of password that follows the first time. */

import "../style/base.css";
import "../style/login.css";

import { createApi } from "../api";
import { byId, h, setAttribute, setText, show } from "../dom";
import { networkFailure } from "../failure";
import { clock } from "../format";
import { byteLength, charLength, passwordProblem } from "../password";
import { returnPath } from "../returnpath";
import { t } from "../text";

const query = new URLSearchParams(location.search);
const next = returnPath(query.get("next"), location.origin);
const api = createApi();
const place = byId("form");

interface Field {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  fault(text: string): void;
}

function field(label: string, id: string, type: string, autocomplete: string, ...extra: HTMLElement[]): Field {
  const fault = h("p", { class: "field-fault", id: `${id}-fault` });
  const describedby = [...extra.map((e) => e.id).filter(Boolean), fault.id].join(" ");
  const input = h("input", { id, name: id, type, autocomplete, required: true, autocapitalize: "none", spellcheck: "false", "aria-describedby": describedby });
  return {
    element: h("div", { class: "field" }, h("label", { for: id }, label), input, ...extra, fault),
    input,
    fault(text) {
      setText(fault, text);
      setAttribute(input, "aria-invalid", text ? "true" : null);
    },
  };
}

/** A message with a remedy above the button; `wait` counts down while the station throttles. */
function outcome(button: HTMLButtonElement, label: string): { element: HTMLElement; say(error: unknown): void; clear(): void } {
  const message = h("p");
  const hint = h("p", { class: "dim" });
  const countdown = h("p", { class: "dim", "aria-hidden": "true" });
  const element = h("div", { class: "outcome", role: "alert" }, message, hint);
  const box = h("div", { class: "outcome-box", hidden: true }, element, countdown);
  let timer = 0;

  function waitFor(seconds: number): void {
    const until = performance.now() + seconds * 1000;
    clearInterval(timer);
    const tick = (): void => {
      const left = Math.ceil((until - performance.now()) / 1000);
      button.disabled = left > 0;
      setText(countdown, left > 0 ? t.login.wait(clock(left)) : t.login.again);
      if (left <= 0) clearInterval(timer);
    };
    timer = window.setInterval(tick, 250);
    tick();
  }
  return {
    element: box,
    say(error) {
      const failure = networkFailure(error);
      show(box, true);
      setText(message, failure.message);
      setText(hint, [...Object.values(failure.fields), failure.hint].filter(Boolean).join(" "));
      setText(button, label);
      button.disabled = false;
      setText(countdown, "");
      if (failure.status === 429) waitFor(failure.retryAfterSeconds || 30);
    },
    clear() {
      clearInterval(timer);
      show(box, false);
      setText(message, "");
      setText(hint, "");
    },
  };
}

function drawSignIn(): void {
  const user = field(t.login.user, "username", "text", "username");
  const password = field(t.login.password, "password", "password", "current-password");
  const button = h("button", { type: "submit", class: "button button-primary button-wide" }, t.login.submit);
  const result = outcome(button, t.login.submit);
  const form = h("form", { novalidate: true, method: "post", "aria-labelledby": "title" }, user.element, password.element, result.element, button);
  const heading = h("h1", { id: "title" }, t.login.title);
  place.replaceChildren(heading, ...(query.has("ended") ? [h("p", { class: "dim" }, t.login.expired)] : []), form, h("p", { class: "dim small" }, t.login.forgotten));
  user.input.focus();

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    result.clear();
    const empty = user.input.value === "" ? user : password.input.value === "" ? password : null;
    user.fault(empty === user ? t.login.missing : "");
    password.fault(empty === password ? t.login.missing : "");
    if (empty) {
      empty.input.focus();
      return;
    }
    button.disabled = true;
    setText(button, t.login.busy);
    try {
      const session = await api.signIn(user.input.value, password.input.value);
      if (session.user.must_change_password) drawChange(session.user.username, password.input.value, true);
      else location.replace(next);
    } catch (error) {
      result.say(error);
      password.input.select();
    }
  });
}

function drawChange(username: string, known: string, forced: boolean): void {
  const rule = h("p", { class: "dim small", id: "rule" }, t.password.rule);
  const meter = h("p", { class: "small meter", id: "meter" });
  const current = field(t.password.current, "current", "password", "current-password");
  const fresh = field(t.password.fresh, "fresh", "password", "new-password", rule, meter);
  const repeat = field(t.password.repeat, "repeat", "password", "new-password");
  const button = h("button", { type: "submit", class: "button button-primary button-wide" }, t.password.submit);
  const result = outcome(button, t.password.submit);
  const keeper = h("input", { type: "text", name: "username", autocomplete: "username", value: username, readonly: true, class: "visually-hidden", tabindex: "-1", "aria-hidden": "true" });
  const form = h("form", { novalidate: true, method: "post", "aria-labelledby": "title" }, keeper, known === "" && current.element, fresh.element, repeat.element, result.element, button);
  const back = forced ? [] : [h("p", {}, h("a", { href: next }, t.password.cancel))];
  place.replaceChildren(h("h1", { id: "title" }, t.password.title), h("p", { class: "dim" }, forced ? t.password.forced : t.password.wanted), form, ...back);
  (known === "" ? current : fresh).input.focus();

  const count = (): void => {
    const text = fresh.input.value;
    setText(meter, t.password.count(charLength(text), byteLength(text)));
    meter.classList.toggle("is-good", passwordProblem(text) === "");
    meter.classList.toggle("is-bad", byteLength(text) > 72);
  };
  fresh.input.addEventListener("input", () => {
    count();
    if (passwordProblem(fresh.input.value) === "") fresh.fault("");
  });
  count();

  function firstFault(): Field | null {
    const old = known || current.input.value;
    current.fault(old === "" ? t.password.currentMissing : "");
    const problem = passwordProblem(fresh.input.value) || (fresh.input.value === old ? t.password.same : "");
    fresh.fault(problem);
    const differs = problem === "" && repeat.input.value !== fresh.input.value;
    repeat.fault(differs ? t.password.differs : "");
    return old === "" ? current : problem ? fresh : differs ? repeat : null;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    result.clear();
    const fault = firstFault();
    if (fault) {
      fault.input.focus();
      return;
    }
    button.disabled = true;
    setText(button, t.password.busy);
    try {
      await api.changePassword(known || current.input.value, fresh.input.value);
      location.replace(next);
    } catch (error) {
      result.say(error);
    }
  });
}

/** Somebody who is signed in already goes on, or changes the password if that was asked for. */
async function begin(): Promise<void> {
  if (!query.has("change")) {
    drawSignIn();
    return;
  }
  const session = await api.session().catch(() => null);
  if (session) drawChange(session.user.username, "", session.user.must_change_password);
  else drawSignIn();
}

void begin();
