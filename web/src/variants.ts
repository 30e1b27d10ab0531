/**
 * Keeps hls.js's levels in step with the station: renditions come and go while somebody watches.
 *
 * Whoever was waiting when a stream began was told of its source alone; and a rendition that is
 * switched off leaves a playlist that stands still. hls.js reads the list once, so it is read
 * again here: sometimes, and at once when the playlist in use has stopped growing.
 */

import Hls, { type Level } from "hls.js/light";

import { follow, type Listed } from "./renditions";

const LOOKS_MS = [5000, 10_000, 20_000, 60_000]; // rungs begin some seconds after their source
const LEAST_MS = 1500;

/** What hls.js keeps by a level's place in the list; it can drop levels, but has no way to add one. */
interface Places {
  readonly levelController: { currentLevelIndex: number; manualLevelIndex: number };
  readonly streamController: { readonly fragCurrent: Placed | null; readonly fragPlaying: Placed | null };
}
interface Placed {
  level: number;
}

/** Follow the list at `address` for as long as `wanted`; returns how to stop. */
export function followVariants(hls: Hls, address: string, wanted: () => boolean): () => void {
  let timer = 0;
  let looks = 0;
  let last = performance.now();
  let probe: Hls | null = null;

  function look(): void {
    later();
    if (probe || !wanted() || hls.levels.length === 0 || performance.now() - last < LEAST_MS) return;
    last = performance.now();
    const asked = new Hls({ autoStartLoad: false, enableWorker: false });
    probe = asked;
    asked.on(Hls.Events.MANIFEST_PARSED, (_, { levels }) => {
      const change = follow(hls.levels, levels, uriOf);
      end();
      if (change) apply(change);
    });
    asked.on(Hls.Events.ERROR, (_, { fatal }) => {
      if (fatal) end();
    });
    asked.loadSource(address);
  }

  function end(): void {
    probe?.destroy();
    probe = null;
  }

  function apply(change: Listed<Level>): void {
    looks = 0;
    later();
    if (change.levels !== hls.levels) put(hls, change.levels);
    if (change.gone.length) drop(hls, change.gone);
  }

  function later(): void {
    clearTimeout(timer);
    timer = window.setTimeout(look, LOOKS_MS[Math.min(looks, LOOKS_MS.length - 1)]);
    looks += 1;
  }

  hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => {
    if (details.live && details.misses > 0) look();
  });
  later();
  return () => {
    clearTimeout(timer);
    end();
  };
}

function uriOf(level: Level): string {
  return level.uri;
}

/**
 * Give hls.js another list of levels, and move along whatever it keeps by place. Its own
 * `removeLevel` forgets the place of a level whose playlist is not loaded yet.
 */
function put(hls: Hls, levels: Level[]): void {
  const places = hls as unknown as Places;
  const moved = (at: number): number => {
    const level = hls.levels[at];
    return level ? levels.indexOf(level) : at; // -1: not there any more
  };
  const placed = new Set<Placed>();
  for (const fragment of [places.streamController.fragCurrent, places.streamController.fragPlaying]) {
    if (fragment) placed.add(fragment);
  }
  for (const level of hls.levels) level.details?.fragments.forEach((fragment) => placed.add(fragment));
  for (const fragment of placed) fragment.level = moved(fragment.level);
  const at = places.levelController;
  [at.currentLevelIndex, at.manualLevelIndex] = [moved(at.currentLevelIndex), moved(at.manualLevelIndex)];
  hls.trigger(Hls.Events.LEVELS_UPDATED, { levels });
}

/** Take levels away; whoever watches one of them goes on with the best of the others, by itself. */
function drop(hls: Hls, gone: readonly number[]): void {
  const left = hls.levels.filter((_, index) => !gone.includes(index));
  const lost = gone.includes(hls.loadLevel);
  put(hls, left);
  if (!lost) return;
  hls.loadLevel = left.length - 1; // loads its playlist now
  hls.loadLevel = -1; // and leaves the choice to the player again
}
