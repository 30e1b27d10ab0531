/** The channel's numbers as tiles. */

import { h, setText } from "../dom";
import { bitrate, bytes, clock, count, fps, resolution, span } from "../format";
import { t } from "../text";
import type { Channel } from "../types";

interface Tile {
  readonly label: string;
  value(channel: Channel): string;
}

const TILES: readonly Tile[] = [
  { label: t.tiles.viewers, value: (c) => count(c.viewers.now) },
  { label: t.tiles.peak, value: (c) => count(c.viewers.peak) },
  { label: t.tiles.unique, value: (c) => count(c.viewers.unique) },
  { label: t.tiles.watch, value: (c) => span(c.viewers.watch_seconds) },
  { label: t.tiles.bitrate, value: (c) => bitrate(c.input?.bitrate_kbps) },
  { label: t.tiles.fps, value: (c) => fps(c.input?.fps) },
  { label: t.tiles.resolution, value: (c) => resolution(c.input?.width, c.input?.height) },
  { label: t.tiles.uptime, value: (c) => (c.state === "live" ? clock(c.uptime_seconds) : t.none) },
  { label: t.tiles.bytes, value: (c) => bytes(c.viewers.bytes_out) },
];

export function tilesCard(): { element: HTMLElement; update(channel: Channel): void } {
  const values = TILES.map((tile) => ({ tile, cell: h("dd", {}, t.none) }));
  const list = h("dl", { class: "tiles" }, ...values.map(({ tile, cell }) => h("div", { class: "tile" }, h("dt", {}, tile.label), cell)));
  return {
    element: h("section", { class: "panel tiles-panel", "aria-label": t.tiles.title }, list),
    update(channel) {
      for (const { tile, cell } of values) setText(cell, tile.value(channel));
    },
  };
}
