/** The last hour of measurements as columns for the graph; pure. */

import type { HistoryPoint } from "../types";

export type Columns = [number[], (number | null)[], (number | null)[]];

const HOUR = 3600;
const GAP = 30; // seconds without a measurement: draw a hole, not a line

export interface Series {
  replace(points: readonly HistoryPoint[]): void;
  add(atSeconds: number, bitrateKbps: number, viewers: number): void;
  columns(): Columns;
}

export function series(): Series {
  let times: number[] = [];
  let rates: (number | null)[] = [];
  let viewers: (number | null)[] = [];

  function add(at: number, rate: number, people: number): void {
    const last = times.at(-1);
    if (last !== undefined && at <= last) return;
    if (last !== undefined && at - last > GAP) push(last + 1, null, null);
    push(at, rate, people);
    const old = times.findIndex((time) => time >= at - HOUR);
    if (old > 0) {
      times = times.slice(old);
      rates = rates.slice(old);
      viewers = viewers.slice(old);
    }
  }

  function push(at: number, rate: number | null, people: number | null): void {
    times.push(at);
    rates.push(rate);
    viewers.push(people);
  }

  return {
    replace(points) {
      times = [];
      rates = [];
      viewers = [];
      for (const point of points) {
        const at = Date.parse(point.at) / 1000;
        if (Number.isFinite(at)) add(at, point.bitrate_kbps, point.viewers);
      }
    },
    add,
    columns: () => [times, rates, viewers],
  };
}

/** The largest measured value of a column. */
export function most(column: readonly (number | null)[]): number {
  return column.reduce<number>((largest, value) => Math.max(largest, value ?? 0), 0);
}
