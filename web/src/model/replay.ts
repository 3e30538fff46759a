// A reorganisation as a row of frames: before, fork point, the removed blocks from the top down,
// the added ones from the bottom up, after. Pure. Long segments have their two ends; several blocks
// then share a frame (kMaxSteps).

import type { TreeBlock } from './block_tree';
import type { KnownReorg, Segment } from './reorg_list';
import type { Block, Hash } from './types';
import { count, plural, shortHash } from '../format';

export type Role = 'canonical' | 'side' | 'removed' | 'added' | 'absent';

export interface Frame {
  readonly caption: string;
  readonly roles: ReadonlyMap<Hash, Role>;
  readonly head: Hash;
  readonly forkMarked: boolean;
}

export interface Replay {
  readonly reorg: KnownReorg;
  readonly blocks: readonly TreeBlock[];
  readonly frames: readonly Frame[];
}

const kMaxSteps = 8; // frames a segment
const kContext = 6; // canonical blocks below the fork point that are shown

function chain(segment: Segment, root: Block, canonical: boolean): TreeBlock[] {
  let parent = root.hash;
  return segment.blocks.map((b) => {
    const placed = { ...b, parent, canonical, displaced: false };
    parent = b.hash;
    return placed;
  });
}

/** The blocks below the fork point that `get` knows, the lowest first. */
function context(forkPoint: Block, get: (hash: Hash) => TreeBlock | undefined): TreeBlock[] {
  const below: TreeBlock[] = [];
  let at = get(forkPoint.hash);
  at = at && get(at.parent);
  while (at && below.length < kContext) {
    below.unshift({
      ...at,
      canonical: true,
      displaced: false,
      parent: below.length + 1 < kContext ? at.parent : '',
    });
    at = get(at.parent);
  }
  return below;
}

function groups(blocks: readonly Block[]): Block[][] {
  const size = Math.max(1, Math.ceil(blocks.length / kMaxSteps));
  const out: Block[][] = [];
  for (let i = 0; i < blocks.length; i += size) out.push(blocks.slice(i, i + size));
  return out;
}

function named(blocks: readonly Block[]): string {
  const [first] = blocks;
  if (!first) return '';
  if (blocks.length === 1) return `${count(first.number)} ${shortHash(first.hash)}`;
  const numbers = blocks.map((b) => b.number);
  return `${count(Math.min(...numbers))} to ${count(Math.max(...numbers))}`;
}

export function makeReplay(reorg: KnownReorg, get: (hash: Hash) => TreeBlock | undefined): Replay {
  const below = context(reorg.forkPoint, get);
  const fork: TreeBlock = {
    ...reorg.forkPoint,
    parent: below.at(-1)?.hash ?? '',
    canonical: true,
    displaced: false,
  };
  const removed = chain(reorg.removed, fork, true);
  const added = chain(reorg.added, fork, false);
  const roles = new Map<Hash, Role>();
  for (const b of [...below, fork, ...removed]) roles.set(b.hash, 'canonical');
  for (const b of added) roles.set(b.hash, 'absent');
  const frames: Frame[] = [];
  let head = removed.at(-1)?.hash ?? fork.hash;
  const add = (caption: string, forkMarked: boolean): void => {
    frames.push({ caption, roles: new Map(roles), head, forkMarked });
  };

  add(`Before: the head is ${named(removed.slice(-1)) || named([fork])}`, false);
  add(`Fork point: block ${named([fork])}`, true);
  for (const group of groups([...removed].reverse())) {
    for (const b of group) roles.set(b.hash, 'removed');
    const lowest = removed.find((b) => b.hash === group.at(-1)?.hash);
    head = lowest?.parent ?? fork.hash;
    add(`Removed: ${named(group)}`, true);
  }
  for (const group of groups(added)) {
    for (const b of group) roles.set(b.hash, 'added');
    head = group.at(-1)?.hash ?? head;
    add(`Added: ${named(group)}`, true);
  }
  add(
    `After: the head is ${named([reorg.newHead])}; ${plural(reorg.removed.count, 'block')} removed, ` +
      `${count(reorg.added.count)} added${reorg.cause ? `, because ${reorg.cause}` : ''}`,
    true,
  );
  return { reorg, blocks: [...below, fork, ...removed, ...added], frames };
}
