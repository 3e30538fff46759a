// A node as the page sees one: state, events under cursors, answers. Nothing happens by itself;
// what it publishes is new whenever its summary is asked for, unless it hangs.

import { MockChain } from './chain';
import { hashOf } from './hashes';

export type Json = Record<string, unknown>;

const kNsPerMs = 1e6;

export class MockNode {
  readonly chain: MockChain;
  readonly events: Json[] = [];
  readonly started = Date.now() * kNsPerMs;
  peers: Json[] = [];
  dataSets: Json[] = [];
  counters: Json = {};
  client = 'MiniEthNet/v0.1.0/linux-amd64';
  syncing = false;
  /** It answers, and publishes nothing new. */
  hung = false;
  onEvent: (event: Json) => void = () => undefined;
  onHead: (head: Json) => void = () => undefined;
  private published = 0;
  private tree: unknown;
  private summary: Json = {};

  constructor(private readonly seed: string) {
    this.chain = new MockChain(seed);
    this.publish();
  }

  /** What the node would publish once a second. */
  publish(): void {
    const head = this.chain.head;
    this.tree = this.chain.tree();
    this.summary = {
      node_id: hashOf(this.seed, 'id'),
      client: this.client,
      enr: 'enr:-mock',
      enode: 'enode://mock@127.0.0.1:9001',
      chain_id: 1337,
      genesis: hashOf(this.seed, 'genesis'),
      canonical_head: { hash: head.hash, number: head.number },
      earliest_block: 0,
      active_peers: this.peers.length,
      discovered_peers: this.peers.length * 3 + 2,
      sync_height: head.number + (this.syncing ? 812 : 0),
      syncing: this.syncing,
      canonical_switches: this.chain.reorgs.length,
      data_sets: this.dataSets.length,
      cursor: this.events.length,
      // As a node does, which reckons it from two clocks.
      started_unix_ns: this.started + 512 * (this.published++ % 3),
      taken_unix_ns: Date.now() * kNsPerMs,
    };
  }

  emit(kind: string, body: unknown): Json {
    const event = {
      cursor: this.events.length + 1,
      time_unix_ns: Date.now() * kNsPerMs,
      [kind]: body,
    };
    this.events.push(event);
    this.onEvent(event);
    return event;
  }

  grow(): void {
    this.chain.extend();
    this.toldHead();
  }

  fork(depth: number, length: number, branch = 1): void {
    const { forkPoint, tip } = this.chain.fork(depth, length, branch);
    this.emit('fork_detected', {
      fork_point: forkPoint.hash,
      branch_head: { hash: tip.hash, number: tip.number },
      cause: 'producer, seal',
    });
  }

  reorganise(depth: number): void {
    const reorg = this.chain.reorganise(depth, 'peer 0x5d1f09c2, announcement');
    const event = this.emit('reorg', reorg);
    this.chain.reorgs.push({
      time_unix_ns: Date.now() * kNsPerMs,
      cursor: event.cursor as number,
      reorg,
    });
    this.toldHead();
  }

  answer(method: string, params: readonly unknown[]): unknown {
    switch (method) {
      case 'ethscope_summary':
        if (!this.hung) this.publish();
        return this.summary;
      case 'ethscope_forkTree':
        return this.tree;
      case 'ethscope_peers':
        return { peers: this.peers };
      case 'ethscope_dataSets':
        return { data_sets: this.dataSets };
      case 'ethscope_counters':
        return this.counters;
      case 'ethscope_reorgs':
        return {
          reorgs: [...this.chain.reorgs].reverse().slice(0, Number(params[0] ?? 16)),
          total: this.chain.reorgs.length,
        };
      default:
        return undefined;
    }
  }

  private toldHead(): void {
    const { hash, number, parent } = this.chain.head;
    this.emit('canonical_head', { head: { hash, number } });
    this.onHead({ number: `0x${number.toString(16)}`, hash, parentHash: parent });
  }
}
