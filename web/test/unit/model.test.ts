import { expect, test } from 'vitest';
import { kMaxLogEntries } from '../../src/limits';
import { logKinds } from '../../src/model/event_log';
import { Model } from '../../src/model/model';
import { MockNode, type Json } from '../mock/node';

const all = { kinds: new Set(logKinds), words: '' };

function follow(model: Model, node: MockNode, after = 0): void {
  node.publish();
  model.applySummary(node.answer('ethscope_summary', []));
  for (const event of node.events) if ((event.cursor as number) > after) model.applyEvent(event);
  model.applyForkTree(node.answer('ethscope_forkTree', []));
  model.applyReorgs(node.answer('ethscope_reorgs', [64]));
}

test('a model that follows a node has its head, its tree and its reorganisations', () => {
  const node = new MockNode('m');
  const model = new Model();
  follow(model, node);
  node.onEvent = (event: Json) => model.applyEvent(event);
  node.onHead = (head: Json) => model.applyNewHead(head);
  for (let i = 0; i < 9; ++i) node.grow();
  node.fork(3, 2);
  node.reorganise(2);
  node.grow();
  expect(model.tree.head?.hash).toBe(node.chain.head.hash);
  expect(model.reorgs.newestFirst().map((r) => r.depth)).toEqual([2]);
  expect(model.newestReorg).toBe(1);
  const canonical = model.tree.blocks().filter((b) => b.canonical);
  expect(canonical).toHaveLength(node.chain.head.number + 1);
  expect([...model.changed].sort()).toEqual(['log', 'reorgs', 'summary', 'tree']);
  expect(model.malformed).toBe(0);
});

test('an event that comes again changes nothing', () => {
  const node = new MockNode('m');
  const model = new Model();
  node.grow();
  follow(model, node);
  const size = model.log.size;
  expect(model.applyEvent(node.events[0])).toBeUndefined();
  expect(model.log.size).toBe(size);
});

test('after a pause it asks for what it missed, and says what it leaves out', () => {
  const node = new MockNode('m');
  const model = new Model();
  node.grow();
  follow(model, node);
  expect(model.resumeAfter()).toBe(1);
  for (let i = 0; i < kMaxLogEntries + 20; ++i) node.grow();
  node.publish();
  model.applySummary(node.answer('ethscope_summary', []));
  expect(model.resumeAfter()).toBe(21);
  expect(model.log.newestFirst(all)[0]).toMatchObject({
    kind: 'gap',
    text: '20 events left out: this page was away',
  });
});

test('a node that began anew is followed from its first event, and the log says so', () => {
  const model = new Model();
  const first = new MockNode('m');
  first.grow();
  first.reorganise(1);
  follow(model, first);
  const second = new MockNode('m');
  const summary = {
    ...(second.answer('ethscope_summary', []) as Json),
    started_unix_ns: first.started + 5e9,
  };
  expect(model.join(summary)).toBe(true);
  expect(model.resumeAfter()).toBe(0);
  expect(model.reorgs.total).toBe(0);
  expect(model.tree.size).toBe(0);
  expect(model.log.newestFirst(all)[0]?.text).toContain('began anew');
  second.grow();
  expect(model.applyEvent(second.events[0])?.cursor).toBe(1);
});

test('the start that a node reckons anew, a little different each time, is no new beginning', () => {
  const node = new MockNode('m');
  const model = new Model();
  node.grow();
  follow(model, node);
  const again = {
    ...(node.answer('ethscope_summary', []) as Json),
    started_unix_ns: node.started + 2048,
  };
  expect(model.join(again)).toBe(false);
  model.applySummary({ ...again, started_unix_ns: node.started + 9e12 }); // somebody set its clock
  expect(model.tree.head?.hash).toBe(node.chain.head.hash);
  expect(model.join({ ...again, started_unix_ns: node.started + 9e12, cursor: 0 })).toBe(true);
});

test('a gap is a line of its own, and the log is bounded and filtered', () => {
  const model = new Model();
  model.applyEvent({ cursor: 40, time_unix_ns: 1e18, gap: { missed: 40 } });
  expect(model.log.newestFirst(all)[0]?.text).toBe('40 events missed: the node has them no more');
  const node = new MockNode('l');
  for (let i = 0; i < kMaxLogEntries + 60; ++i) node.grow();
  for (const event of node.events) model.applyEvent(event);
  expect(model.log.size).toBe(kMaxLogEntries);
  expect(model.log.newestFirst({ kinds: new Set(['reorg']), words: '' })).toHaveLength(0);
  const [newest] = model.log.newestFirst(all);
  expect(
    model.log.newestFirst({ kinds: new Set(logKinds), words: newest?.text.toUpperCase() ?? '' }),
  ).toEqual([newest]);
});

test('what is not what it should be is counted and changes nothing', () => {
  const model = new Model();
  for (const bad of [
    null,
    7,
    'x',
    [],
    {},
    { cursor: 1, reorg: { new_head: { hash: '0x12', number: 1 } } },
    { cursor: 1, what: {} },
  ]) {
    expect(model.applyEvent(bad)).toBeUndefined();
    model.applySummary(bad);
    model.applyForkTree(bad);
    model.applyNewHead(bad);
  }
  model.applyPeers('no');
  model.applyDataSets(null);
  model.applyCounters([1]);
  model.applyReorgs(3);
  expect(model.malformed).toBe(28);
  expect(model.log.size + model.tree.size + model.peers.length).toBe(0);
});
