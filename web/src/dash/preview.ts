/** The live 144p picture: asked for every 2 s while somebody can see it, and a door to the player. */

import type { Api } from "../api";
import { frame } from "../dialogs";
import { h, setText, show } from "../dom";
import { bitrate, fps } from "../format";
import { icon } from "../icons";
import { t } from "../text";
import type { Channel } from "../types";

const EVERY_MS = 2000;

export function previewCard(api: Api): { element: HTMLElement; update(channel: Channel): void } {
  let channel: Channel | null = null;
  let shown = "";
  let asking = false;
  const picture = h("img", { class: "preview-picture", alt: t.preview.alt, width: "256", height: "144", hidden: true });
  const slate = h("span", { class: "preview-slate" }, t.preview.off);
  const facts = h("span", { class: "preview-facts", hidden: true });
  const open = h("button", { type: "button", class: "preview-open", on: { click: () => void openPlayer() } }, picture, slate, facts, h("span", { class: "preview-hint" }, icon("expand"), t.preview.open));

  /** Pictures come as blobs, so that an empty answer (none yet) leaves the last one standing. */
  async function ask(): Promise<void> {
    const name = channel?.name;
    if (!name || !channel?.input || document.hidden || asking) return;
    asking = true;
    try {
      const answer = await api.raw(`/api/channels/${encodeURIComponent(name)}/preview.jpg`);
      if (answer.status === 200 && channel?.name === name) put(await answer.blob());
    } catch {
      // the next round is 2 s away, and the connection notice says it already
    } finally {
      asking = false;
    }
  }

  function put(blob: Blob): void {
    const old = shown;
    shown = URL.createObjectURL(blob);
    picture.src = shown;
    if (old) URL.revokeObjectURL(old);
    draw();
  }

  function clear(): void {
    if (shown) URL.revokeObjectURL(shown);
    shown = "";
    picture.removeAttribute("src");
  }

  function draw(): void {
    const has = shown !== "";
    show(picture, has);
    show(slate, !has);
    setText(slate, channel?.input ? t.preview.waiting : t.preview.off);
    const input = channel?.input;
    show(facts, Boolean(input));
    if (input) setText(facts, `${bitrate(input.bitrate_kbps)} · ${t.player.fps(fps(input.fps))}`);
  }

  async function openPlayer(): Promise<void> {
    const opened = channel;
    if (!opened) return;
    const { createStage } = await import("../stage");
    const stage = createStage();
    const dialog = frame(t.preview.player(opened.title || opened.name), "dialog dialog-player", stage.element);
    const follow = (): void => {
      if (channel) stage.update({ on_air: channel.state === "live", sentence: channel.sentence, hls_url: channel.hls_url, started_at: channel.input?.since ?? null });
    };
    const timer = setInterval(follow, 1000);
    dialog.addEventListener("close", () => {
      clearInterval(timer);
      stage.destroy();
      dialog.remove();
    });
    dialog.showModal();
    follow();
  }

  setInterval(() => void ask(), EVERY_MS);
  document.addEventListener("visibilitychange", () => void ask());
  return {
    element: h("section", { class: "panel preview", "aria-label": t.preview.title }, open),
    update(fresh) {
      const other = fresh.name !== channel?.name;
      channel = fresh;
      if (other || !fresh.input) clear();
      if (other) void ask();
      draw();
    },
  };
}
