import { expect, test } from 'vitest';
import { kMaxTreeBlocks, kMaxTreeHeights } from '../../src/limits';
import { BlockTree } from '../../src/model/block_tree';
import type { Reorg } from '../../src/model/types';

function snapshot(length: number): {
  head: { hash: string; number: number };
  nodes: never[];
  cut: boolean;
} {
  const nodes = Array.from({ length }, (_, i) => ({
    hash: `c${i}`,
    parent: i === 0 ? '' : `c${i - 1}`,
    number: i,
    canonical: true,
  }));
  return {
    head: { hash: `c${length - 1}`, number: length - 1 },
    nodes: nodes as never[],
    cut: false,
  };
}

function canonical(tree: BlockTree): string[] {
  return tree
    .blocks()
    .filter((b) => b.canonical)
    .map((b) => b.hash);
}

const reorg: Reorg = {
  id: 1,
  newHead: { hash: 'n3', number: 5 },
  oldHead: 'c4',
  forkPoint: 'c2',
  depth: 2,
  removed: ['c3', 'c4'],
  added: ['n1', 'n2', 'n3'],
  removedCount: 2,
  addedCount: 3,
  cause: '',
  part: 0,
  parts: 1,
};

test('a head that follows is put on top until its parent is told', () => {
  const tree = new BlockTree();
  tree.applySnapshot(snapshot(3), 100);
  tree.applyHead({ hash: 'c3', number: 3 }, 200);
  expect(tree.get('c3')?.parent).toBe('c2');
  expect(tree.incomplete).toBe(true);
  tree.learnParent('c3', 3, 'other');
  expect(tree.get('c3')?.parent).toBe('other');
  expect(tree.incomplete).toBe(false);
});

test('a reorganisation moves the canonical chain at once and says what it removed', () => {
  const tree = new BlockTree();
  tree.applySnapshot(snapshot(5), 100);
  tree.applyReorg(reorg, 200);
  expect(canonical(tree)).toEqual(['c0', 'c1', 'c2', 'n1', 'n2', 'n3']);
  expect(tree.get('c4')).toMatchObject({ canonical: false, displaced: true, parent: 'c3' });
  expect(tree.head).toEqual({ hash: 'n3', number: 5 });
});

test('the head event of a reorganisation changes nothing, before it or after it', () => {
  for (const before of [true, false]) {
    const tree = new BlockTree();
    tree.applySnapshot(snapshot(5), 100);
    if (before) tree.applyHead(reorg.newHead, 200);
    tree.applyReorg(reorg, 200);
    if (!before) tree.applyHead(reorg.newHead, 200);
    expect(canonical(tree)).toEqual(['c0', 'c1', 'c2', 'n1', 'n2', 'n3']);
  }
});

test('a snapshot that is older than an event does not take the head back', () => {
  const tree = new BlockTree();
  tree.applySnapshot(snapshot(5), 100);
  tree.applyReorg(reorg, 200);
  tree.applySnapshot(snapshot(5), 150);
  expect(tree.head?.hash).toBe('n3');
  expect(tree.get('c4')?.canonical).toBe(false);
  tree.applySnapshot(snapshot(6), 300);
  expect(tree.head?.hash).toBe('c5');
  expect(tree.get('c4')).toMatchObject({ canonical: true, displaced: false });
});

test('events of the past that come after a snapshot do not move the head', () => {
  const tree = new BlockTree();
  tree.applySnapshot(snapshot(8), 1000);
  tree.applyHead({ hash: 'c5', number: 5 }, 400);
  tree.applyReorg(reorg, 500);
  expect(tree.head?.hash).toBe('c7');
  expect(tree.get('n3')?.canonical).toBe(false);
  expect(tree.get('c4')?.displaced).toBe(false);
});

test('a fork is a branch whose parent is known only where it begins at once', () => {
  const tree = new BlockTree();
  tree.applySnapshot(snapshot(5), 100);
  tree.applyFork('c2', { hash: 's3', number: 3 });
  expect(tree.get('s3')?.parent).toBe('c2');
  expect(tree.incomplete).toBe(false);
  tree.applyFork('c1', { hash: 't4', number: 4 });
  expect(tree.incomplete).toBe(true);
});

test('what is far below the head is forgotten', () => {
  const tree = new BlockTree();
  tree.applySnapshot(snapshot(kMaxTreeHeights + 30), 100);
  expect(tree.size).toBe(kMaxTreeHeights + 1);
});

test('a flood of blocks is bounded and leaves the head and its chain', () => {
  const tree = new BlockTree();
  tree.applySnapshot(snapshot(30), 100);
  for (let i = 0; i < 3 * kMaxTreeBlocks; ++i) tree.learnParent(`f${i}`, 40 + (i % 5000), `p${i}`);
  expect(tree.size).toBeLessThanOrEqual(kMaxTreeBlocks);
  expect(tree.head?.hash).toBe('c29');
  expect(canonical(tree)).toContain('c10');
});
