// A node with a bit of everything, for looking at the page: `npm run mock`, and the pictures.

import { hashOf } from './hashes';
import { MockNode, type Json } from './node';

const kNs = 1e6;

function peer(i: number, more: Json): Json {
  return {
    id: hashOf('peer', i),
    capabilities: ['das-lite/0.1', 'discv-lite/0.1', 'mini-sync/0.1'].slice(0, 1 + ((i * 2) % 3)),
    direction: i % 2 === 0 ? 'INBOUND' : 'OUTBOUND',
    address: i === 3 ? '[2001:db8::17]:30303' : `192.0.2.${10 + i}:${9001 + i}`,
    rtt_ns: (0.4 + i * i * 3.7) * kNs,
    bytes_in: 18_400 * (i + 1) ** 3,
    bytes_out: 9_200 * (i + 2) ** 3,
    score: i === 4 ? 14.5 : i * 0.3,
    client: 'MiniEthNet/v0.1.0/linux-amd64/clang19',
    age_ns: (i * i * 700 + 42) * 1000 * kNs,
    visit: false,
    head: { hash: hashOf('h', i), number: 88 },
    ...more,
  };
}

function chunks(total: number, state: (i: number) => string): string[] {
  return Array.from({ length: total }, (_, i) => state(i));
}

function dataSet(
  name: string,
  total: number,
  verdict: Json | undefined,
  state: (i: number) => string,
  more: Json = {},
): Json {
  const states = chunks(total, state);
  return {
    data_id: hashOf(name),
    total_chunks: total,
    chunk_size: 2048,
    total_bytes: total * 2048 - 311,
    held: states.filter((s) => s === 'HELD').length,
    whole: states.every((s) => s === 'HELD'),
    pinned: false,
    sampling: false,
    announcers: 3,
    ...(verdict ? { verdict: { data_id: hashOf(name), automatic: true, ...verdict } } : {}),
    chunks: states,
    ...more,
  };
}

const kDrawn = new Set([3, 11, 27, 40, 52, 7, 19, 61]);

export function scene(): MockNode {
  const node = new MockNode('scene');
  node.peers = [0, 1, 2, 3, 4].map((i) => peer(i, {}));
  node.peers.push(
    peer(5, {
      client: '<img src=x onerror="document.title=1">',
      capabilities: ['mini-sync/0.1', '<b>x</b>/1'],
    }),
  );
  node.dataSets = [
    dataSet(
      'one',
      64,
      { requested: 8, received: 7, confidence: 0.875, fooled_probability: 1.9e-5 },
      (i) => (i === 40 ? 'MISSING' : kDrawn.has(i) ? 'HELD' : 'UNKNOWN'),
    ),
    dataSet(
      'two',
      128,
      { requested: 8, received: 8, confidence: 1, fooled_probability: 0.00271 },
      () => 'HELD',
      {
        pinned: true,
        announcers: 5,
      },
    ),
    dataSet(
      'three',
      256,
      undefined,
      (i) => (i % 31 === 4 ? 'HELD' : i % 31 === 7 ? 'ASKED' : i % 31 === 9 ? 'WANTED' : 'UNKNOWN'),
      {
        sampling: true,
        announcers: 1,
      },
    ),
  ];
  node.counters = {
    'session.refused.too_many_peers.inbound': 41,
    'session.refused.already_connected.inbound': 12,
    'session.refused.already_connected.outbound': 9,
    'session.refused.handshake_timeout.outbound': 17,
    'session.refused.no_shared_capability.inbound': 3,
    'session.opened': 31,
  };
  for (let i = 0; i < 62; ++i) node.grow();
  node.fork(3, 2);
  for (let i = 0; i < 6; ++i) node.grow();
  node.reorganise(2);
  for (let i = 0; i < 5; ++i) node.grow();
  node.fork(1, 1);
  node.emit('peer_joined', {
    id: hashOf('peer', 5),
    address: '192.0.2.15:9006',
    direction: 'OUTBOUND',
    client: '<img src=x onerror="document.title=1">',
  });
  node.grow();
  node.grow();
  node.emit('peer_left', { id: hashOf('peer', 9), reason: 'too_many_peers', by_peer: true });
  node.reorganise(3);
  node.emit('das_verdict', {
    data_id: hashOf('one'),
    requested: 8,
    received: 7,
    confidence: 0.875,
    fooled_probability: 1.9e-5,
    automatic: true,
  });
  for (let i = 0; i < 6; ++i) node.grow();
  node.fork(4, 3);
  node.grow();
  node.publish();
  return node;
}
