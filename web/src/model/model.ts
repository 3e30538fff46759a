// All that the page shows of a node, changed by what the node says and by nothing else: no clock,
// no DOM. `changed` collects which parts are to be drawn again.

import { BlockTree } from './block_tree';
import {
  decodeDataSets,
  decodeEvent,
  decodeForkTree,
  decodeNewHead,
  decodePeers,
  decodeRefusals,
  decodeReorgs,
  decodeSummary,
} from './decode';
import { EventLog } from './event_log';
import { ReorgList } from './reorg_list';
import { kMaxLogEntries } from '../limits';
import type { DataSet, NodeEvent, Peer, Refusal, Summary } from './types';

export const parts = ['summary', 'tree', 'reorgs', 'peers', 'refusals', 'data', 'log'] as const;
export type Part = (typeof parts)[number];

// A node reckons its start anew each second, from two clocks: it is never quite the same. One that
// began anew has lost its connections, so that only a new one needs to look.
const kSameStartMs = 1000;

export class Model {
  readonly tree = new BlockTree();
  readonly reorgs = new ReorgList();
  readonly log = new EventLog();
  readonly changed = new Set<Part>();
  summary: Summary | undefined;
  peers: readonly Peer[] = [];
  peersTotal = 0;
  refusals: readonly Refusal[] = [];
  dataSets: readonly DataSet[] = [];
  dataSetsTotal = 0;
  /** Of the newest event seen in this run of the node. */
  cursor = 0;
  /** Events and answers that were not what they should be. */
  malformed = 0;
  /** The newest reorganisation that came as an event while somebody looked. */
  newestReorg: number | undefined;

  applySummary(value: unknown): void {
    const next = this.judge(decodeSummary(value));
    if (!next) return;
    this.summary = next;
    this.changed.add('summary');
  }

  /** The first summary of a connection. True: the node is another one than before, or began anew. */
  join(value: unknown): boolean {
    const before = this.summary;
    this.applySummary(value);
    const next = this.summary;
    if (!before || !next || before === next) return false;
    const other =
      before.nodeId !== next.nodeId || Math.abs(before.started - next.started) > kSameStartMs;
    if (!other && next.cursor >= this.cursor) return false;
    this.forget(next);
    return true;
  }

  applyForkTree(value: unknown): void {
    const tree = this.judge(decodeForkTree(value));
    if (!tree || !this.summary) return;
    this.tree.applySnapshot(tree, this.summary.taken);
    this.changed.add('tree');
  }

  applyPeers(value: unknown): void {
    const { peers, total } = decodePeers(value);
    this.peers = peers;
    this.peersTotal = total;
    this.changed.add('peers');
  }

  applyCounters(value: unknown): void {
    this.refusals = decodeRefusals(value);
    this.changed.add('refusals');
  }

  applyDataSets(value: unknown): void {
    const { sets, total } = decodeDataSets(value);
    this.dataSets = sets;
    this.dataSetsTotal = total;
    this.changed.add('data');
  }

  applyReorgs(value: unknown): void {
    const { entries, total } = decodeReorgs(value);
    for (const entry of entries) this.reorgs.add(entry.reorg, entry.time);
    this.reorgs.setTotal(total);
    this.changed.add('reorgs');
  }

  applyNewHead(value: unknown): void {
    const head = this.judge(decodeNewHead(value));
    if (!head || head.parent === '') return;
    this.tree.learnParent(head.hash, head.number, head.parent);
    this.changed.add('tree');
  }

  applyEvent(value: unknown): NodeEvent | undefined {
    const event = this.judge(decodeEvent(value));
    if (!event || event.cursor <= this.cursor) return undefined;
    this.cursor = event.cursor;
    this.log.add(event);
    this.changed.add('log');
    this.apply(event);
    return event;
  }

  /** Where to go on with events; says in the log what is left out. */
  resumeAfter(): number {
    const newest = this.summary?.cursor ?? 0;
    const from = Math.max(this.cursor, newest - kMaxLogEntries);
    if (this.cursor > 0 && from > this.cursor) {
      this.log.mark(
        this.summary?.taken ?? 0,
        from,
        `${from - this.cursor} events left out: this page was away`,
      );
      this.changed.add('log');
    }
    this.cursor = from;
    return from;
  }

  /** The node tells this page no events. */
  noEvents(): void {
    this.log.mark(
      this.summary?.taken ?? 0,
      this.cursor,
      'the node gives this page no events: it is asked every 2 s',
    );
    this.changed.add('log');
  }

  private apply(event: NodeEvent): void {
    const what = event.what;
    switch (what.kind) {
      case 'head':
        this.tree.applyHead(what.head, event.time);
        this.changed.add('tree').add('summary');
        return;
      case 'fork':
        this.tree.applyFork(what.forkPoint, what.branchHead);
        this.changed.add('tree');
        return;
      case 'reorg':
        this.tree.applyReorg(what.reorg, event.time);
        if (this.reorgs.add(what.reorg, event.time)) this.newestReorg = what.reorg.id;
        this.changed.add('tree').add('reorgs').add('summary');
        return;
      default:
        return;
    }
  }

  private forget(next: Summary): void {
    this.tree.clear();
    this.reorgs.clear();
    this.peers = [];
    this.peersTotal = 0;
    this.refusals = [];
    this.dataSets = [];
    this.dataSetsTotal = 0;
    this.cursor = 0;
    this.newestReorg = undefined;
    this.log.mark(next.started, 0, 'the node began anew: its events count from 1 again');
    for (const part of parts) this.changed.add(part);
  }

  private judge<T>(decoded: T | undefined): T | undefined {
    if (decoded === undefined) {
      ++this.malformed;
      this.changed.add('log');
    }
    return decoded;
  }
}
