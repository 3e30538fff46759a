// A chain that grows, forks and reorganises when told to, and what EthScope says of it.

import { hashOf } from './hashes';

interface MockBlock {
  hash: string;
  parent: string;
  number: number;
}

export interface MockReorg {
  new_head: { hash: string; number: number };
  old_head: string;
  fork_point: string;
  depth: number;
  removed: string[];
  added: string[];
  removed_count: number;
  added_count: number;
  cause: string;
  reorg: number;
  part: number;
  parts: number;
}

const kViewedHeights = 64;

export class MockChain {
  readonly blocks = new Map<string, MockBlock>();
  readonly reorgs: { time_unix_ns: number; cursor: number; reorg: MockReorg }[] = [];
  head: MockBlock;

  constructor(private readonly seed: string) {
    this.head = { hash: hashOf(seed, 'genesis'), parent: `0x${'0'.repeat(64)}`, number: 0 };
    this.blocks.set(this.head.hash, this.head);
  }

  child(parent: MockBlock, branch = 0): MockBlock {
    const made = {
      hash: hashOf(this.seed, parent.hash, branch),
      parent: parent.hash,
      number: parent.number + 1,
    };
    this.blocks.set(made.hash, made);
    return made;
  }

  extend(): MockBlock {
    this.head = this.child(this.head);
    return this.head;
  }

  ancestor(depth: number): MockBlock {
    let at = this.head;
    for (let i = 0; i < depth; ++i) at = this.blocks.get(at.parent) ?? at;
    return at;
  }

  /** A branch of `length` blocks beside the head, `depth` below it. */
  fork(depth: number, length: number, branch = 1): { forkPoint: MockBlock; tip: MockBlock } {
    const forkPoint = this.ancestor(depth);
    let tip = this.child(forkPoint, branch);
    for (let i = 1; i < length; ++i) tip = this.child(tip, branch);
    return { forkPoint, tip };
  }

  /** The head moves to a branch that leaves `depth` blocks below it. */
  reorganise(depth: number, cause: string): MockReorg {
    const { forkPoint, tip } = this.fork(depth, depth + 1, this.reorgs.length + 2);
    const old = this.head;
    const reorg: MockReorg = {
      new_head: { hash: tip.hash, number: tip.number },
      old_head: old.hash,
      fork_point: forkPoint.hash,
      depth,
      removed: this.path(forkPoint, old),
      added: this.path(forkPoint, tip),
      removed_count: depth,
      added_count: depth + 1,
      cause,
      reorg: this.reorgs.length + 1,
      part: 0,
      parts: 1,
    };
    this.head = tip;
    return reorg;
  }

  tree(): unknown {
    const canonical = new Set<string>();
    for (let at: MockBlock | undefined = this.head; at; at = this.blocks.get(at.parent))
      canonical.add(at.hash);
    const nodes = [...this.blocks.values()]
      .filter((b) => b.number + kViewedHeights >= this.head.number)
      .sort((a, b) => a.number - b.number)
      .map((b) => ({ ...b, canonical: canonical.has(b.hash) }));
    return { head: { hash: this.head.hash, number: this.head.number }, nodes, cut: false };
  }

  private path(from: MockBlock, to: MockBlock): string[] {
    const hashes: string[] = [];
    for (
      let at: MockBlock | undefined = to;
      at && at.hash !== from.hash;
      at = this.blocks.get(at.parent)
    ) {
      hashes.unshift(at.hash);
    }
    return hashes;
  }
}
