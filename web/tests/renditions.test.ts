import { describe, expect, it } from "vitest";

import { follow } from "../src/renditions";

interface Level {
  readonly uri: string;
  readonly loaded?: boolean;
}

const uriOf = (level: Level): string => level.uri;
const source: Level = { uri: "source/a.m3u8", loaded: true };
const low: Level = { uri: "144p/a.m3u8", loaded: true };

describe("a fresh list of renditions", () => {
  it("changes nothing when it names the same ones", () => {
    expect(follow([low, source], [{ uri: low.uri }, { uri: source.uri }], uriOf)).toBeNull();
  });

  it("adds a new one in its place and keeps what is known", () => {
    const change = follow([source], [{ uri: low.uri }, { uri: source.uri }], uriOf);
    expect(change?.levels.map(uriOf)).toEqual([low.uri, source.uri]);
    expect(change?.levels[1]).toBe(source);
    expect(change?.gone).toEqual([]);
  });

  it("tells which one has gone, in the list as it was", () => {
    const known = [low, source];
    const change = follow(known, [{ uri: source.uri }], uriOf);
    expect(change?.levels).toBe(known);
    expect(change?.gone).toEqual([0]);
  });

  it("adds one and loses another at once", () => {
    const change = follow([low, source], [{ uri: "480p/a.m3u8" }, { uri: source.uri }], uriOf);
    expect(change?.levels.map(uriOf)).toEqual([low.uri, "480p/a.m3u8", source.uri]);
    expect(change?.gone).toEqual([0]);
  });

  it("is not believed when it names none", () => {
    expect(follow([source], [], uriOf)).toBeNull();
  });
});
