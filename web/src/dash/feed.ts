/** The live feed of the dashboard: server-sent events, reconnected for ever, with a word on silence. */

import type { Api } from "../api";
import { backoff } from "../backoff";
import type { Channel, LoggedEvent } from "../types";
import { eventOf } from "./events";

export interface Snapshot {
  readonly channels: readonly Channel[];
  readonly station: unknown;
}

export interface FeedListener {
  status(snapshot: Snapshot): void;
  event(event: LoggedEvent): void;
  connected(yes: boolean): void;
  signedOut(): void;
}

const SILENCE_MS = 10_000; // the station speaks every 2 s

export function openFeed(api: Api, listener: FeedListener): () => void {
  const wait = backoff(1000, 10_000);
  let source: EventSource | null = null;
  let silence = 0;
  let again = 0;
  let ended = false;

  function open(): void {
    close();
    source = new EventSource("/api/events");
    source.addEventListener("status", (message) => {
      heard();
      listener.status(JSON.parse((message as MessageEvent<string>).data) as Snapshot);
    });
    source.addEventListener("event", (message) => {
      heard();
      listener.event(eventOf(JSON.parse((message as MessageEvent<string>).data)));
    });
    source.onerror = lost;
    alarm();
  }

  function heard(): void {
    wait.reset();
    alarm();
    listener.connected(true);
  }

  function alarm(): void {
    clearTimeout(silence);
    silence = window.setTimeout(lost, SILENCE_MS);
  }

  function close(): void {
    source?.close();
    source = null;
    clearTimeout(silence);
    clearTimeout(again);
  }

  /** EventSource gives up on an error status and hides a 401, so ask the session ourselves. */
  function lost(): void {
    if (ended) return;
    close();
    listener.connected(false);
    again = window.setTimeout(() => void reopen(), wait.next());
  }

  async function reopen(): Promise<void> {
    try {
      const session = await api.session();
      if (ended) return;
      if (session) open();
      else listener.signedOut();
    } catch {
      lost();
    }
  }

  open();
  return () => {
    ended = true;
    close();
  };
}
