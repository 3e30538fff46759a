// Where the blocks of a fork tree stand: a column for each height, the canonical chain in lane 0,
// each branch in the lowest lane that is free over its columns. Pure, and the same for the same
// blocks. Limit: kMaxLanes.

import { kMaxLanes } from '../limits';
import type { Hash } from '../model/types';

export interface Placeable {
  readonly hash: Hash;
  readonly parent: Hash;
  readonly number: number;
  readonly canonical: boolean;
}

export interface Placed<T extends Placeable> {
  readonly block: T;
  readonly column: number;
  readonly lane: number;
  /** Two children or more, all of them placed. */
  readonly forks: boolean;
}

export interface Column {
  readonly column: number;
  readonly number: number;
  /** Heights are left out before it. */
  readonly gap: boolean;
}

export interface TreeLayout<T extends Placeable> {
  readonly placed: readonly Placed<T>[];
  readonly columns: readonly Column[];
  readonly lanes: number;
  /** Blocks of branches beyond kMaxLanes. */
  readonly dropped: number;
}

export function layoutTree<T extends Placeable>(blocks: readonly T[]): TreeLayout<T> {
  const byHash = new Map(blocks.map((b) => [b.hash, b]));
  const columns = columnsOf(blocks);
  const columnOf = new Map(columns.map((c) => [c.number, c.column]));
  const column = (b: T): number => columnOf.get(b.number) ?? 0;
  const children = childrenOf(blocks, byHash);
  const lane = new Map<Hash, number>();
  const taken: [number, number][][] = [];
  let lanes = 0;

  for (const b of blocks) if (b.canonical) lane.set(b.hash, 0);
  if (lane.size > 0) lanes = 1;
  for (const branch of branchesOf(blocks, children)) {
    const first = branch[0];
    const last = branch.at(-1);
    if (!first || !last) continue;
    const parent = byHash.get(first.parent);
    const from = parent ? column(parent) + 1 : column(first);
    const at = freeLane(taken, Math.max(1, (lane.get(first.parent) ?? 0) + 1), from, column(last));
    if (at === undefined) continue;
    for (const b of branch) lane.set(b.hash, at);
    lanes = Math.max(lanes, at + 1);
  }

  const placed: Placed<T>[] = [];
  for (const b of blocks) {
    const at = lane.get(b.hash);
    if (at === undefined) continue;
    const forks = (children.get(b.hash) ?? []).filter((c) => lane.has(c.hash)).length > 1;
    placed.push({ block: b, column: column(b), lane: at, forks });
  }
  return { placed, columns, lanes, dropped: blocks.length - placed.length };
}

function columnsOf(blocks: readonly Placeable[]): Column[] {
  const numbers = [...new Set(blocks.map((b) => b.number))].sort((a, b) => a - b);
  let previous: number | undefined;
  let column = -1;
  return numbers.map((number) => {
    const gap = previous !== undefined && number !== previous + 1;
    column += gap ? 2 : 1;
    previous = number;
    return { column, number, gap };
  });
}

function childrenOf<T extends Placeable>(
  blocks: readonly T[],
  byHash: ReadonlyMap<Hash, T>,
): Map<Hash, T[]> {
  const children = new Map<Hash, T[]>();
  for (const b of blocks) {
    const parent = byHash.get(b.parent);
    // A block that is not above its parent is no child: what a node says cannot make a circle here.
    if (!parent || parent.number >= b.number) continue;
    const siblings = children.get(parent.hash);
    if (siblings) siblings.push(b);
    else children.set(parent.hash, [b]);
  }
  return children;
}

/** What is not canonical as chains, each as long as it goes: the lowest start first, the longest of
 * these first. */
function branchesOf<T extends Placeable>(
  blocks: readonly T[],
  children: ReadonlyMap<Hash, T[]>,
): T[][] {
  const side = blocks
    .filter((b) => !b.canonical)
    .sort((a, b) => b.number - a.number || (a.hash < b.hash ? -1 : 1));
  const height = new Map<Hash, number>(); // of the highest block above it
  const next = new Map<Hash, T>();
  for (const b of side) {
    let best = b.number;
    for (const child of children.get(b.hash) ?? []) {
      const top = height.get(child.hash) ?? child.number;
      if (!child.canonical && (top > best || !next.has(b.hash))) {
        best = Math.max(best, top);
        next.set(b.hash, child);
      }
    }
    height.set(b.hash, best);
  }
  const continued = new Set([...next.values()].map((b) => b.hash));
  const branches: T[][] = [];
  for (const start of side) {
    if (continued.has(start.hash)) continue;
    const branch: T[] = [];
    for (let at: T | undefined = start; at; at = next.get(at.hash)) branch.push(at);
    branches.push(branch);
  }
  const order = (b: T[]): [number, number, Hash] => [
    b[0]?.number ?? 0,
    -b.length,
    b[0]?.hash ?? '',
  ];
  return branches.sort((a, b) => {
    const [an, al, ah] = order(a);
    const [bn, bl, bh] = order(b);
    return an - bn || al - bl || (ah < bh ? -1 : 1);
  });
}

function freeLane(
  taken: [number, number][][],
  lowest: number,
  from: number,
  to: number,
): number | undefined {
  for (let lane = lowest; lane < kMaxLanes; ++lane) {
    const spans = (taken[lane] ??= []);
    if (spans.some(([a, b]) => from <= b && a <= to)) continue;
    spans.push([from, to]);
    return lane;
  }
  return undefined;
}
