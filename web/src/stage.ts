/** The stage: picture, controls and slate of one channel, following what the station says of it. */

import { createControls } from "./controls";
import { h, setText, show } from "./dom";
import { icon } from "./icons";
import { createPlayer, type Diagnostics, type Phase, type PlayerState } from "./player";
import { t } from "./text";

export interface OnAirNews {
  readonly on_air: boolean;
  readonly sentence: string;
  readonly hls_url: string;
  readonly started_at: string | null;
}

export interface Stage {
  readonly element: HTMLElement;
  readonly diagnostics: Diagnostics;
  /** What the station says now. */
  update(news: OnAirNews): void;
  /** A sentence to show when there is no channel to play. */
  say(sentence: string, note?: string): void;
  destroy(): void;
}

declare global {
  interface Window {
    putlivePlayer?: Diagnostics; // for tests and for people who help from afar
  }
}

const LINGER_MS = 15_000; // off the air for less than this, the player keeps its place
const IDLE_MS = 3000;
const SOUND_HINT_MS = 15_000;

export function createStage(): Stage {
  const video = h("video", { class: "stage-video", playsinline: true, muted: true, "aria-label": t.public.mainLabel, disableremoteplayback: true });
  video.muted = true;
  const sentence = h("p", { class: "slate-sentence" });
  const note = h("p", { class: "slate-note" });
  const slate = h("div", { class: "slate" }, h("span", { class: "slate-mark", "aria-hidden": "true" }), sentence, note);
  const busyText = h("span");
  const busy = h("div", { class: "stage-busy", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), busyText);
  const bigText = h("span");
  const big = h("button", { type: "button", class: "stage-big" }, icon("muted"), bigText);
  const element = h("section", { class: "stage", "aria-label": t.player.label }, video, slate, busy, big);

  const player = createPlayer(video, draw);
  const controls = createControls(player, video, element);
  element.append(controls.element);

  let running: OnAirNews | null = null;
  let gone = false;
  let goneTimer = 0;
  let touched = false; // the viewer has decided about the sound, or had time to
  let hintTimer = 0;

  const quiet: Record<string, string> = { loading: t.player.loading, retrying: t.player.retrying, full: t.player.full };

  function draw(state: PlayerState): void {
    controls.draw(state);
    const unsupported = state.phase === "unsupported";
    if (unsupported) slateText(t.player.unsupported, "");
    const dark = state.phase === "idle" || unsupported || (gone && !player.moving());
    show(slate, dark);
    show(controls.element, !dark);
    show(busy, !dark && state.phase in quiet);
    setText(busyText, quiet[state.phase] ?? "");
    drawBig(state.phase, dark);
    element.classList.toggle("is-playing", state.phase === "playing" && !dark);
  }

  function drawBig(phase: Phase, dark: boolean): void {
    const toPlay = phase === "blocked" || phase === "paused";
    const toHear = phase === "playing" && video.muted && !touched;
    if (toHear) hintTimer ||= window.setTimeout(() => (touched = true), SOUND_HINT_MS);
    show(big, !dark && (toPlay || toHear));
    big.classList.toggle("is-corner", toHear);
    setText(bigText, toPlay ? t.player.tapToPlay : t.player.tapForSound);
    big.firstElementChild?.replaceWith(icon(toPlay ? "play" : "muted"));
  }

  big.addEventListener("click", () => {
    if (player.state().phase === "playing") {
      touched = true;
      video.muted = false;
    } else player.play();
    draw(player.state());
    controls.element.querySelector("button")?.focus();
  });
  video.addEventListener("volumechange", () => {
    if (!video.muted) touched = true;
    drawBig(player.state().phase, !slate.hidden);
  });
  video.addEventListener("click", () => controls.togglePlay());
  video.addEventListener("dblclick", () => controls.toggleFullscreen());
  element.addEventListener("keydown", onKey);

  function onKey(event: KeyboardEvent): void {
    const onControl = event.target instanceof HTMLElement && event.target.closest("select, input, button") !== null;
    if (event.ctrlKey || event.metaKey || event.altKey || (onControl && event.key === " ")) return;
    if (event.target instanceof HTMLSelectElement) return;
    const act = { " ": controls.togglePlay, k: controls.togglePlay, m: controls.toggleMute, f: controls.toggleFullscreen }[event.key];
    if (!act || slate.hidden === false) return;
    event.preventDefault();
    act();
  }

  let idle = 0;
  const wake = (): void => {
    element.classList.remove("is-idle");
    clearTimeout(idle);
    idle = window.setTimeout(() => element.classList.add("is-idle"), IDLE_MS);
  };
  for (const kind of ["pointermove", "pointerdown", "keydown", "focusin"] as const) element.addEventListener(kind, wake);
  const ticker = setInterval(() => {
    if (running) draw(player.state());
  }, 1000);

  function slateText(main: string, small: string): void {
    setText(sentence, main);
    setText(note, small);
    show(note, small !== "");
  }

  function leave(): void {
    running = null;
    gone = false;
    clearTimeout(goneTimer);
    player.stop();
  }

  function comeOn(news: OnAirNews): void {
    const anew = running === null || (gone && news.started_at !== running.started_at && !player.moving());
    gone = false;
    player.hold(false);
    clearTimeout(goneTimer);
    goneTimer = 0;
    running = news;
    if (anew) {
      wake(); // the controls show themselves, then leave the picture free
      player.start(news.hls_url);
    }
    draw(player.state());
  }

  function goOff(news: OnAirNews): void {
    slateText(news.sentence, t.public.comesOn);
    if (!running) return;
    if (!gone) goneTimer = window.setTimeout(leave, LINGER_MS);
    gone = true;
    player.hold(true);
    draw(player.state());
  }

  window.putlivePlayer = player.diagnostics;
  slateText(t.public.connecting, "");
  draw(player.state());
  return {
    element,
    diagnostics: player.diagnostics,
    update: (news) => (news.on_air ? comeOn(news) : goOff(news)),
    say(main, small = "") {
      leave();
      slateText(main, small);
    },
    destroy() {
      clearInterval(ticker);
      clearTimeout(idle);
      clearTimeout(goneTimer);
      clearTimeout(hintTimer);
      player.destroy();
      element.remove();
    },
  };
}
