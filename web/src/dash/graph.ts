/** Bitrate and viewers over the last hour, drawn by uPlot in the colours of the scheme. */

import "uplot/dist/uPlot.min.css";

import uPlot from "uplot";

import type { Api } from "../api";
import { h, setAttribute, setText } from "../dom";
import { bitrate, count } from "../format";
import { t } from "../text";
import type { Channel, HistoryPoint } from "../types";
import { most, series } from "./series";

const HEIGHT = 220;
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });

export function graphCard(api: Api): { element: HTMLElement; update(channel: Channel, atMs: number): void } {
  const data = series();
  const canvas = h("div", { class: "graph-canvas", role: "img" });
  const reading = h("p", { class: "graph-reading", "aria-hidden": "true" });
  const legend = h(
    "p",
    { class: "graph-legend", "aria-hidden": "true" },
    h("span", { class: "graph-key graph-key-rate" }, t.graph.bitrate),
    h("span", { class: "graph-key graph-key-viewers" }, t.graph.viewers),
  );
  const element = h(
    "section",
    { class: "panel graph", "aria-labelledby": "graph-title" },
    h("div", { class: "panel-head" }, h("h2", { id: "graph-title" }, t.graph.title), legend, reading),
    canvas,
  );
  let plot: uPlot | null = null;
  let name = "";
  let loaded = false;

  function build(): void {
    plot?.destroy();
    const css = getComputedStyle(document.documentElement);
    const colour = (variable: string): string => css.getPropertyValue(variable).trim();
    const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    plot = new uPlot(
      {
        width: Math.max(200, canvas.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { kbps: { range: (_, __, max) => [0, Math.max(500, max * 1.15)] }, viewers: { range: (_, __, max) => [0, Math.max(4, Math.ceil(max * 1.25))] } },
        axes: [
          { ...axis, size: 30, values: (_, splits) => splits.map((s) => TIME.format(s * 1000)), space: 70 },
          { ...axis, scale: "kbps", size: 72, values: (_, splits) => splits.map((v) => (v === 0 ? "0" : bitrate(v))) },
          { ...axis, scale: "viewers", side: 1, size: 40, grid: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
        ],
        series: [
          {},
          { scale: "kbps", stroke: colour("--graph-rate"), width: 2, fill: colour("--graph-rate-fill"), points: { show: false } },
          { scale: "viewers", stroke: colour("--graph-viewers"), width: 2, dash: [5, 3], points: { show: false }, ...(uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}) },
        ],
        hooks: { setCursor: [read] },
      },
      data.columns(),
      canvas,
    );
  }

  function read(from: uPlot): void {
    const at = from.cursor.idx;
    const [times, rates, viewers] = data.columns();
    const index = at ?? times.length - 1;
    const time = times[index];
    if (time === undefined) return setText(reading, "");
    setText(reading, `${TIME.format(time * 1000)}  ${bitrate(rates[index])}  ${t.public.viewers(count(viewers[index] ?? 0), viewers[index] === 1)}`);
  }

  function draw(): void {
    if (!plot) return;
    const columns = data.columns();
    const end = columns[0].at(-1) ?? Date.now() / 1000;
    plot.batch(() => {
      plot?.setData(columns, false);
      plot?.setScale("x", { min: end - 3600, max: end });
    });
    read(plot);
    setAttribute(canvas, "aria-label", t.graph.summary(bitrate(columns[1].at(-1)), bitrate(most(columns[1])), count(most(columns[2]))));
  }

  async function load(): Promise<void> {
    const asked = name;
    loaded = false;
    data.replace([]);
    try {
      const answer = await api.get<{ points: readonly HistoryPoint[] }>(`/api/history?channel=${encodeURIComponent(asked)}&minutes=60`);
      if (asked === name) data.replace(answer.points);
    } finally {
      loaded = asked === name;
      draw();
    }
  }

  new ResizeObserver(() => {
    if (!plot) build();
    plot?.setSize({ width: Math.max(200, canvas.clientWidth), height: HEIGHT });
    draw();
  }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    build();
    draw();
  });
  return {
    element,
    update(channel, atMs) {
      if (channel.name !== name) {
        name = channel.name;
        load().catch(() => undefined); // the graph then begins with what the feed brings
      }
      if (!loaded) return;
      data.add(atMs / 1000, channel.state === "live" ? (channel.input?.bitrate_kbps ?? 0) : 0, channel.viewers.now);
      if (!document.hidden) draw();
    },
  };
}
