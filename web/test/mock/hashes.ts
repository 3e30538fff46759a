import { createHash } from 'node:crypto';

/** A hash that is the same for the same words. */
export function hashOf(...words: readonly (string | number)[]): string {
  return `0x${createHash('sha256').update(words.join('/')).digest('hex')}`;
}
