/** hls.js set up for live: close to the edge, small buffers, no second thread. */

import Hls, { type Level } from "hls.js/light";

import { catchUpRate, maxLatencySeconds, syncSeconds } from "./live";
import { patience } from "./patient";

export interface LiveHls {
  readonly hls: Hls;
  /** By how many seconds hls.js believes the playlist to be longer than it is. */
  stretched(): number;
}

export function newHls(): LiveHls {
  const patient = patience((level) => hls.levels.indexOf(level as Level));
  const hls: Hls = new Hls({
    pLoader: patient.loader,
    enableWorker: false, // needs a second copy of the code; our bitrates do not
    liveSyncDuration: 3, // replaced below; given here so that hls.js honours it
    backBufferLength: 8,
    maxBufferLength: 20,
    liveDurationInfinity: true,
    capLevelToPlayerSize: true,
    testBandwidth: false, // begin with a good picture, not with the smallest
    abrEwmaDefaultEstimate: 2_000_000,
  });
  // hls.js 1.7 keeps a wrong edge when playback begins with a stream's first fragments, and
  // stretches the newest one up to it.
  const stretched = (): number => {
    const details = hls.latestLevelDetails;
    const known = details ? patient.seconds(details.url).at(-1) : undefined;
    return known === undefined ? 0 : Math.max(0, (details?.fragments.at(-1)?.duration ?? 0) - known);
  };
  // Read at each use, the first time before the start position is chosen, so that it fits the
  // fragments this playlist really has.
  const sync = (): number => {
    const details = hls.latestLevelDetails;
    return details ? syncSeconds(patient.seconds(details.url), details.targetduration) + stretched() : 3;
  };
  Object.defineProperty(hls.config, "liveSyncDuration", { get: sync });
  Object.defineProperty(hls.config, "liveMaxLatencyDuration", { get: () => maxLatencySeconds(sync()) });
  Object.defineProperty(hls.config, "maxLiveSyncPlaybackRate", { get: () => catchUpRate(hls.latency - (hls.targetLatency ?? 0)) });

  hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => {
    if (details.live) details.requestScheduled += patient.shiftMs(details.url);
  });
  return { hls, stretched };
}
