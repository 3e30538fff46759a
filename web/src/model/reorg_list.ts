// Reorganisations of one run of the node, the newest first, each once, with the two ends of each
// segment. Limits: kMaxReorgs, kMaxSegmentEnd.

import { kMaxReorgs, kMaxSegmentEnd } from '../limits';
import type { Block, Hash, Reorg } from './types';

/** A part of a chain: its lowest blocks, and where it is longer its highest. */
export interface Segment {
  readonly count: number;
  readonly blocks: readonly Block[];
}

export interface KnownReorg {
  readonly id: number;
  readonly time: number;
  readonly newHead: Block;
  readonly oldHead: Hash;
  readonly forkPoint: Block;
  readonly depth: number;
  readonly removed: Segment;
  readonly added: Segment;
  readonly cause: string;
}

interface Parts {
  /** How many hashes came so far. */
  removed: number;
  added: number;
}

export class ReorgList {
  private readonly byId = new Map<number, KnownReorg>();
  private readonly unfinished = new Map<number, Parts>();
  private known = 0;

  /** How many there were since the node's start. */
  get total(): number {
    return this.known;
  }

  setTotal(total: number): void {
    this.known = Math.max(this.known, total);
  }

  get(id: number): KnownReorg | undefined {
    return this.byId.get(id);
  }

  newestFirst(): KnownReorg[] {
    return [...this.byId.values()].sort((a, b) => b.id - a.id);
  }

  clear(): void {
    this.byId.clear();
    this.unfinished.clear();
    this.known = 0;
  }

  /** True: something new was learnt of it. */
  add(reorg: Reorg, time: number): boolean {
    const before = this.byId.get(reorg.id);
    const parts = this.unfinished.get(reorg.id) ?? { removed: 0, added: 0 };
    if (before && !this.unfinished.has(reorg.id)) return false;
    const fork = {
      hash: reorg.forkPoint,
      number: Math.max(0, reorg.newHead.number - reorg.addedCount),
    };
    const grow = (
      old: Segment | undefined,
      hashes: readonly Hash[],
      seen: number,
      count: number,
    ): Segment => extended(old?.blocks ?? [], hashes, fork.number + 1 + seen, fork.number, count);
    this.byId.set(reorg.id, {
      id: reorg.id,
      time,
      newHead: reorg.newHead,
      oldHead: reorg.oldHead,
      forkPoint: fork,
      depth: reorg.depth,
      removed: grow(before?.removed, reorg.removed, parts.removed, reorg.removedCount),
      added: grow(before?.added, reorg.added, parts.added, reorg.addedCount),
      cause: reorg.cause,
    });
    if (reorg.part + 1 < reorg.parts) {
      this.unfinished.set(reorg.id, {
        removed: parts.removed + reorg.removed.length,
        added: parts.added + reorg.added.length,
      });
    } else {
      this.unfinished.delete(reorg.id);
    }
    this.known = Math.max(this.known, reorg.id);
    this.forget();
    return true;
  }

  private forget(): void {
    const ids = [...this.byId.keys()].sort((a, b) => a - b);
    for (const id of ids.slice(0, Math.max(0, ids.length - kMaxReorgs))) {
      this.byId.delete(id);
      this.unfinished.delete(id);
    }
  }
}

function extended(
  old: readonly Block[],
  hashes: readonly Hash[],
  firstNumber: number,
  fork: number,
  count: number,
): Segment {
  const blocks = [...old];
  hashes.forEach((hash, i) => {
    blocks.push({ hash, number: firstNumber + i });
    // The oldest of the upper end goes; the lower end stays.
    if (blocks.length > 2 * kMaxSegmentEnd) blocks.splice(kMaxSegmentEnd, 1);
  });
  return { count, blocks: blocks.filter((b) => b.number > fork) };
}
