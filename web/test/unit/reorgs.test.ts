import { expect, test } from 'vitest';
import { kMaxReorgs, kMaxSegmentEnd } from '../../src/limits';
import { ReorgList } from '../../src/model/reorg_list';
import { makeReplay } from '../../src/model/replay';
import type { Reorg } from '../../src/model/types';
import { Player } from '../../src/ui/player';

function make(id: number, removed: string[], added: string[], more: Partial<Reorg> = {}): Reorg {
  return {
    id,
    newHead: { hash: added.at(-1) ?? 'n', number: 10 + added.length },
    oldHead: removed.at(-1) ?? 'o',
    forkPoint: 'f',
    depth: removed.length,
    removed,
    added,
    removedCount: removed.length,
    addedCount: added.length,
    cause: 'seal',
    part: 0,
    parts: 1,
    ...more,
  };
}

function hashes(prefix: string, n: number): string[] {
  return Array.from({ length: n }, (_, i) => `${prefix}${i}`);
}

test('each is listed once, the newest first, with the heights of its blocks', () => {
  const list = new ReorgList();
  expect(list.add(make(1, ['a'], ['b', 'c']), 5)).toBe(true);
  expect(list.add(make(2, ['c'], ['d', 'e']), 6)).toBe(true);
  expect(list.add(make(1, ['a'], ['b', 'c']), 5)).toBe(false);
  expect(list.newestFirst().map((r) => r.id)).toEqual([2, 1]);
  expect(list.get(1)?.forkPoint).toEqual({ hash: 'f', number: 10 });
  expect(list.get(1)?.added.blocks).toEqual([
    { hash: 'b', number: 11 },
    { hash: 'c', number: 12 },
  ]);
});

test('the list is bounded and the total is not', () => {
  const list = new ReorgList();
  for (let i = 1; i <= kMaxReorgs + 7; ++i) list.add(make(i, ['a'], ['b']), i);
  expect(list.newestFirst()).toHaveLength(kMaxReorgs);
  expect(list.get(7)).toBeUndefined();
  expect(list.total).toBe(kMaxReorgs + 7);
});

test('of a long segment both ends are kept, with their heights, also when it comes in parts', () => {
  const removed = hashes('r', 60);
  const added = hashes('a', 61);
  const whole = new ReorgList();
  whole.add(make(1, removed, added), 5);
  const parted = new ReorgList();
  const counts = {
    removedCount: 60,
    addedCount: 61,
    newHead: { hash: 'a60', number: 71 },
    parts: 3,
    depth: 60,
  };
  parted.add(make(1, removed.slice(0, 40), [], { ...counts, part: 0 }), 5);
  parted.add(make(1, removed.slice(40), added.slice(0, 20), { ...counts, part: 1 }), 5);
  parted.add(make(1, [], added.slice(20), { ...counts, part: 2 }), 5);
  for (const list of [whole, parted]) {
    const r = list.get(1);
    expect(r?.removed.count).toBe(60);
    expect(r?.removed.blocks).toHaveLength(2 * kMaxSegmentEnd);
    expect(r?.removed.blocks[0]).toEqual({ hash: 'r0', number: 11 });
    expect(r?.removed.blocks.at(-1)).toEqual({ hash: 'r59', number: 70 });
    expect(r?.added.blocks.at(-1)).toEqual({ hash: 'a60', number: 71 });
  }
});

function replayOf(reorg: Reorg): ReturnType<typeof makeReplay> {
  const list = new ReorgList();
  list.add(reorg, 5);
  const known = list.get(reorg.id);
  if (!known) throw new Error('it is there');
  return makeReplay(known, () => undefined);
}

test('a replay shows the fork point, takes the removed away from the top, adds the added from the bottom', () => {
  const replay = replayOf(make(3, ['r0', 'r1'], ['a0', 'a1', 'a2']));
  const steps = replay.frames.map((f) => [
    f.head,
    f.forkMarked,
    ...['r0', 'r1', 'a0', 'a2'].map((h) => f.roles.get(h)),
  ]);
  expect(steps).toEqual([
    ['r1', false, 'canonical', 'canonical', 'absent', 'absent'],
    ['r1', true, 'canonical', 'canonical', 'absent', 'absent'],
    ['r0', true, 'canonical', 'removed', 'absent', 'absent'],
    ['f', true, 'removed', 'removed', 'absent', 'absent'],
    ['a0', true, 'removed', 'removed', 'added', 'absent'],
    ['a1', true, 'removed', 'removed', 'added', 'absent'],
    ['a2', true, 'removed', 'removed', 'added', 'added'],
    ['a2', true, 'removed', 'removed', 'added', 'added'],
  ]);
  expect(replay.frames[1]?.caption).toContain('Fork point: block 10');
  expect(replay.frames.at(-1)?.caption).toContain('2 blocks removed, 3 added, because seal');
});

test('a replay of a long reorganisation has few frames and ends at the new head', () => {
  const replay = replayOf(make(4, hashes('r', 5000), hashes('a', 5001)));
  expect(replay.frames.length).toBeLessThanOrEqual(19);
  expect(replay.frames.at(-1)?.head).toBe('a5000');
  expect(replay.blocks.length).toBeLessThanOrEqual(4 * kMaxSegmentEnd + 10);
});

test('a player goes on by itself to the end, by hand anywhere, and from the end to the beginning', () => {
  const player = new Player(3);
  player.tick();
  expect(player.index).toBe(0);
  player.play();
  player.tick();
  expect([player.index, player.playing]).toEqual([1, true]);
  player.tick();
  expect([player.index, player.playing, player.atEnd]).toEqual([2, false, true]);
  player.toggle();
  expect([player.index, player.playing]).toEqual([0, true]);
  player.seek(99);
  expect([player.index, player.playing]).toEqual([2, false]);
  player.seek(-1);
  expect(player.index).toBe(0);
});
