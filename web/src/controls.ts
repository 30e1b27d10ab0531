/** The bar below the picture: play, sound, live, quality, full screen; all by keyboard too. */

import { h, setAttribute, setText, show } from "./dom";
import { levelLabel } from "./format";
import { icon, type IconName } from "./icons";
import type { Player, PlayerState } from "./player";
import { t } from "./text";

export interface Controls {
  readonly element: HTMLElement;
  draw(state: PlayerState): void;
  togglePlay(): void;
  toggleMute(): void;
  toggleFullscreen(): void;
}

export function createControls(player: Player, video: HTMLVideoElement, stage: HTMLElement): Controls {
  const play = button(t.player.play, "play", () => togglePlay());
  const mute = button(t.player.unmute, "muted", () => toggleMute());
  const volume = h("input", { type: "range", class: "stage-volume", min: "0", max: "1", step: "0.05", "aria-label": t.player.volume });
  const live = h("button", { type: "button", class: "stage-live", on: { click: () => player.goLive() } }, h("span", { class: "lamp", "aria-hidden": "true" }), h("span", {}, t.player.live));
  const quality = h("select", { class: "stage-quality", "aria-label": t.player.quality });
  const pip = button(t.player.pip, "pip", () => void togglePip(video));
  pip.classList.add("stage-pip");
  const full = button(t.player.fullscreen, "fullscreen", () => toggleFullscreen());
  const element = h("div", { class: "stage-bar" }, play, mute, volume, live, h("span", { class: "stage-gap" }), quality, pip, full);
  show(pip, document.pictureInPictureEnabled === true);
  show(quality, false);

  function togglePlay(): void {
    if (player.state().phase === "playing" && !video.paused) player.pause();
    else player.play();
  }
  function toggleMute(): void {
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 0.5;
  }
  function toggleFullscreen(): void {
    const own = video as HTMLVideoElement & { webkitEnterFullscreen?: () => void };
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (stage.requestFullscreen) void stage.requestFullscreen().catch(() => undefined);
    else own.webkitEnterFullscreen?.(); // iPhone: only the video itself
  }

  function drawSound(): void {
    relabel(mute, video.muted ? t.player.unmute : t.player.mute, video.muted ? "muted" : "sound");
    volume.value = String(video.muted ? 0 : video.volume);
  }
  volume.addEventListener("input", () => {
    video.volume = Number(volume.value);
    video.muted = video.volume === 0;
  });
  video.addEventListener("volumechange", drawSound);
  quality.addEventListener("change", () => player.choose(Number(quality.value)));
  document.addEventListener("fullscreenchange", () => {
    const on = document.fullscreenElement === stage;
    relabel(full, on ? t.player.exitFullscreen : t.player.fullscreen, on ? "shrink" : "fullscreen");
  });
  drawSound();

  let drawnQualities = "";
  function drawQualities(state: PlayerState): void {
    const sorted = [...state.qualities].sort((a, b) => b.height - a.height || b.bitsPerSecond - a.bitsPerSecond);
    const key = JSON.stringify(sorted);
    if (key !== drawnQualities) {
      drawnQualities = key;
      quality.replaceChildren(h("option", { value: "-1" }, t.player.auto), ...sorted.map((q) => h("option", { value: String(q.index) }, levelLabel(q.height, q.bitsPerSecond))));
    }
    show(quality, sorted.length > 1);
    const auto = quality.options[0];
    const now = state.qualities[state.current];
    if (auto) setText(auto, state.chosen === -1 && now && now.height ? t.player.autoNow(`${now.height}p`) : t.player.auto);
    if (quality.value !== String(state.chosen)) quality.value = String(state.chosen);
  }

  return {
    element,
    togglePlay,
    toggleMute,
    toggleFullscreen,
    draw(state) {
      const playing = state.phase === "playing";
      relabel(play, playing ? t.player.pause : t.player.play, playing ? "pause" : "play");
      const atLive = playing && state.behindSeconds < 3;
      live.classList.toggle("is-live", atLive);
      setAttribute(live, "aria-label", atLive ? t.player.atLive : t.player.goLive);
      drawQualities(state);
    },
  };
}

function button(label: string, name: IconName, onClick: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "stage-button", "aria-label": label, title: label, "data-icon": name, on: { click: onClick } }, icon(name));
}

function relabel(target: HTMLButtonElement, label: string, name: IconName): void {
  setAttribute(target, "aria-label", label);
  setAttribute(target, "title", label);
  if (target.dataset["icon"] === name) return;
  target.dataset["icon"] = name;
  target.replaceChildren(icon(name));
}

async function togglePip(video: HTMLVideoElement): Promise<void> {
  try {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await video.requestPictureInPicture();
  } catch {
    // the browser may refuse, e.g. before the first picture; there is nothing to repair
  }
}
