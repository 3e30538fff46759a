import { expect, test } from 'vitest';
import { kMaxChunks, kMaxDataSets, kMaxPeers, kMaxTextChars } from '../../src/limits';
import {
  decodeDataSets,
  decodeEvent,
  decodeNewHead,
  decodePeers,
  decodeRefusals,
  text,
} from '../../src/model/decode';
import { hashOf } from '../mock/hashes';

test('text loses what hides or turns it, and is cut', () => {
  expect(text('a\u202eb\u0000c\u200bd')).toBe('a\ufffdb\ufffdc\ufffdd');
  expect(text('<img src=x>')).toBe('<img src=x>');
  expect(text('x'.repeat(10_000))).toHaveLength(kMaxTextChars + 1);
  expect(text({})).toBe('');
});

test('peers: a bad id is no peer, bad fields are empty, the list is cut', () => {
  const good = {
    id: hashOf('p'),
    client: 5,
    rtt_ns: 'x',
    score: Number.NaN,
    bytes_in: -3,
    capabilities: ['a/1', 'a/1', 7],
  };
  const { peers, total } = decodePeers({ peers: [good, { id: 'no' }] });
  expect(total).toBe(2);
  expect(peers).toEqual([
    {
      id: hashOf('p'),
      capabilities: ['a/1', ''],
      direction: 'unknown',
      address: '',
      bytesIn: 0,
      bytesOut: 0,
      score: 0,
      client: '',
      ageMs: 0,
      visit: false,
    },
  ]);
  const many = Array.from({ length: kMaxPeers + 9 }, (_, i) => ({ id: hashOf(i) }));
  expect(decodePeers({ peers: many }).peers).toHaveLength(kMaxPeers);
});

test('data sets: lists and chunks are cut, unknown states are unknown, no confidence stays none', () => {
  const chunks = ['HELD', 'MISSING', '__proto__', ...Array<string>(kMaxChunks).fill('ASKED')];
  const set = {
    data_id: hashOf('d'),
    chunks,
    verdict: { data_id: hashOf('d'), fooled_probability: 9 },
  };
  const { sets, total } = decodeDataSets({ data_sets: Array(kMaxDataSets + 3).fill(set) });
  expect(total).toBe(kMaxDataSets + 3);
  expect(sets).toHaveLength(kMaxDataSets);
  expect(sets[0]?.chunks.slice(0, 4)).toEqual(['HELD', 'MISSING', 'UNKNOWN', 'ASKED']);
  expect(sets[0]?.chunks).toHaveLength(kMaxChunks);
  expect(sets[0]?.verdict?.confidence).toBeUndefined();
  expect(sets[0]?.verdict?.fooled).toBe(1);
});

test('refusals: both directions of a reason, the most frequent first, nothing else', () => {
  expect(
    decodeRefusals({
      'session.refused.a.inbound': 1,
      'session.refused.b_c.outbound': 5,
      'session.refused.b_c.inbound': 2,
      'session.refused.<b>.inbound': 9,
      'session.opened': 4,
      'session.refused.zero.inbound': 0,
    }),
  ).toEqual([
    { reason: 'b_c', inbound: 2, outbound: 5 },
    { reason: 'a', inbound: 1, outbound: 0 },
  ]);
});

test('events and heads with hashes that are none are none', () => {
  const hash = hashOf('h');
  expect(
    decodeEvent({ cursor: 3, time_unix_ns: 5e6, canonical_head: { head: { hash, number: 4 } } }),
  ).toEqual({
    cursor: 3,
    time: 5,
    what: { kind: 'head', head: { hash, number: 4 } },
  });
  expect(
    decodeEvent({ cursor: 3, canonical_head: { head: { hash: hash.toUpperCase(), number: 4 } } }),
  ).toBeUndefined();
  expect(decodeNewHead({ number: '0x1f', hash, parentHash: hash })).toEqual({
    number: 31,
    hash,
    parent: hash,
  });
  expect(decodeNewHead({ number: '0xffffffffffffffffff', hash })).toBeUndefined();
});
