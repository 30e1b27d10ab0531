/** What a fresh list of renditions means for the levels a player has; pure. */

export interface Listed<L> {
  /** Every level that was or is listed, in the order of quality. */
  readonly levels: L[];
  /** Places in `levels` of those that are not listed any more. */
  readonly gone: readonly number[];
}

/**
 * Compare `known` levels with those `listed` now. Known ones keep their identity (and with it what
 * the player has loaded); `levels` is `known` itself when nothing was added. Null: no change.
 */
export function follow<L>(known: L[], listed: readonly L[], uriOf: (level: L) => string): Listed<L> | null {
  const now = new Set(listed.map(uriOf));
  const before = new Map(known.map((level) => [uriOf(level), level]));
  const added = listed.some((level) => !before.has(uriOf(level)));
  const lost = known.filter((level) => !now.has(uriOf(level)));
  if (listed.length === 0 || (!added && lost.length === 0)) return null;
  const levels = added ? [...lost, ...listed.map((level) => before.get(uriOf(level)) ?? level)] : known;
  return { levels, gone: lost.map((level) => levels.indexOf(level)) };
}
