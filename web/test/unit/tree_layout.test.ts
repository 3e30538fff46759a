import { expect, test } from 'vitest';
import { kMaxLanes } from '../../src/limits';
import { layoutTree, type Placeable } from '../../src/layout/tree_layout';
import { neighbour } from '../../src/layout/neighbour';

function b(hash: string, parent: string, number: number, canonical = false): Placeable {
  return { hash, parent, number, canonical };
}

const trunk = [
  b('a', '', 5, true),
  b('b', 'a', 6, true),
  b('c', 'b', 7, true),
  b('d', 'c', 8, true),
];

function places(blocks: readonly Placeable[]): Record<string, [number, number]> {
  return Object.fromEntries(
    layoutTree(blocks).placed.map((p) => [p.block.hash, [p.column, p.lane]]),
  );
}

test('the canonical chain is one straight lane, a column a height', () => {
  expect(places(trunk)).toEqual({ a: [0, 0], b: [1, 0], c: [2, 0], d: [3, 0] });
});

test('branches that would overlap get lanes of their own, others share one', () => {
  const at = places([...trunk, b('x', 'a', 6), b('x2', 'x', 7), b('y', 'a', 6), b('z', 'c', 8)]);
  expect(at.x).toEqual([1, 1]);
  expect(at.x2).toEqual([2, 1]);
  expect(at.y).toEqual([1, 2]);
  expect(at.z).toEqual([3, 1]);
});

test('of a branch that forks the longest way is the straight one', () => {
  const at = places([...trunk, b('x', 'a', 6), b('s', 'x', 7), b('l', 'x', 7), b('l2', 'l', 8)]);
  expect(at.l).toEqual([2, 1]);
  expect(at.l2).toEqual([3, 1]);
  expect(at.s).toEqual([2, 2]);
});

test('fork points have two children or more', () => {
  const forks = layoutTree([...trunk, b('x', 'b', 7)]).placed.filter((p) => p.forks);
  expect(forks.map((p) => p.block.hash)).toEqual(['b']);
});

test('heights that are left out are one empty column, however many they are', () => {
  const layout = layoutTree([b('a', '', 1, true), b('far', '', 2 ** 50)]);
  expect(layout.columns).toEqual([
    { column: 0, number: 1, gap: false },
    { column: 2, number: 2 ** 50, gap: true },
  ]);
});

test('the order of the blocks changes nothing', () => {
  const blocks = [...trunk, b('x', 'a', 6), b('x2', 'x', 7), b('y', 'a', 6), b('z', 'c', 8)];
  expect(places([...blocks].reverse())).toEqual(places(blocks));
});

test('what is beyond the lanes is counted, not drawn', () => {
  const many = Array.from({ length: kMaxLanes + 4 }, (_, i) => b(`s${i}`, 'a', 6));
  const layout = layoutTree([...trunk, ...many]);
  expect(layout.lanes).toBe(kMaxLanes);
  expect(layout.dropped).toBe(5);
});

test('a circle of parents and a parent above its child are no chains', () => {
  const layout = layoutTree([b('p', 'q', 3), b('q', 'p', 3), b('r', 's', 4), b('s', 'r', 5)]);
  expect(layout.placed.map((p) => p.block.hash).sort()).toEqual(['p', 'q', 'r', 's']);
});

test('arrow keys go along a chain and between branches', () => {
  const layout = layoutTree([...trunk, b('x', 'a', 6), b('x2', 'x', 7)]);
  expect(neighbour(layout, 'd', 'back', true)).toBe('d');
  expect(neighbour(layout, 'd', 'back', false)).toBe('c');
  expect(neighbour(layout, 'a', 'on', false)).toBe('b');
  expect(neighbour(layout, 'c', 'down', false)).toBe('x2');
  expect(neighbour(layout, 'x2', 'up', false)).toBe('c');
  expect(neighbour(layout, 'x', 'back', false)).toBe('a');
  expect(neighbour(layout, 'x', 'last', false)).toBe('d');
  expect(neighbour(layout, 'x', 'first', false)).toBe('a');
  expect(neighbour(layout, 'd', 'on', false)).toBeUndefined();
});
