// How long to wait before the next try to reach the node, and when to call it gone. Pure.

export const kFirstWaitMs = 250;
export const kLongestWaitMs = 8000;
/** Tries in a row that failed (about 7 s): by then the node is not just starting anew. */
export const kGoneAfterTries = 5;

/** `failed`: tries in a row, from 1; `random`: 0 to 1, so that pages do not all come at once. */
export function waitBefore(failed: number, random: number): number {
  const doubled = kFirstWaitMs * 2 ** Math.min(20, Math.max(0, failed - 1));
  return Math.round(Math.min(kLongestWaitMs, doubled) * (0.8 + 0.4 * random));
}

export function isGone(failed: number): boolean {
  return failed >= kGoneAfterTries;
}
