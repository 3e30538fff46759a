// Keeps the model up to date: joins the event stream where it left off, and asks for the rest as
// often as it is worth. What the node publishes is a second old at most, so nothing is asked for
// more often than that.

import type { Model } from '../model/model';
import { kMaxReorgs } from '../limits';
import { RpcClient, type Link } from './client';

const kSummaryMs = 1000;
const kListsMs = 2000;
const kTreeMs = 4000;
const kTreeSoonMs = 400; // an event named a block whose parent is not known
const kHiddenFactor = 5; // nobody looks

export interface FeedHooks {
  link(link: Link): void;
  changed(): void;
}

export class Feed {
  private readonly client: RpcClient;
  private events = '';
  private heads = '';
  private readonly asked = new Map<string, number>();
  private joined = false;
  private polled = false;

  constructor(
    url: string,
    private readonly model: Model,
    private readonly hooks: FeedHooks,
  ) {
    this.client = new RpcClient(url, {
      link: (link) => {
        if (link.state !== 'live' && link.state !== 'quiet') this.joined = false;
        this.hooks.link(link);
      },
      opened: () => void this.join(),
      notified: (subscription, result) => this.take(subscription, result),
    });
  }

  start(): void {
    this.client.start();
    setInterval(() => this.tick(), 200);
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return;
      this.asked.clear();
      this.client.retryNow();
    });
  }

  retryNow(): void {
    this.client.retryNow();
  }

  private async join(): Promise<void> {
    this.events = '';
    this.heads = '';
    this.polled = false;
    this.asked.clear();
    try {
      this.model.join(await this.client.call('ethscope_summary'));
      const after = this.model.resumeAfter();
      this.heads = String(await this.client.call('eth_subscribe', ['newHeads']));
      this.events = String(await this.client.call('eth_subscribe', ['events', { after }]));
      this.joined = true;
      this.model.applyReorgs(await this.client.call('ethscope_reorgs', [kMaxReorgs]));
      this.hooks.changed();
      this.tick();
    } catch {
      // The connection went while joining, which leads here again; or the node refused the
      // subscription (as many as may be are open): then it is asked instead, and the reader is
      // told.
      if (!this.client.isOpen) return;
      this.joined = true;
      this.polled = true;
      this.model.noEvents();
      this.hooks.changed();
    }
  }

  private take(subscription: string, result: unknown): void {
    if (subscription === this.heads) this.model.applyNewHead(result);
    else if (subscription === this.events) this.model.applyEvent(result);
    this.hooks.changed();
  }

  private tick(): void {
    this.client.watch();
    if (!this.joined) return;
    const rest = document.hidden ? kHiddenFactor : 1;
    this.ask('ethscope_summary', kSummaryMs * rest, (value) => this.model.applySummary(value));
    const treeMs = this.model.tree.incomplete ? kTreeSoonMs : kTreeMs;
    this.ask('ethscope_forkTree', treeMs * rest, (value) => this.model.applyForkTree(value));
    this.ask('ethscope_peers', kListsMs * rest, (value) => this.model.applyPeers(value));
    this.ask('ethscope_counters', kListsMs * rest, (value) => this.model.applyCounters(value));
    this.ask('ethscope_dataSets', kListsMs * rest, (value) => this.model.applyDataSets(value));
    if (this.polled)
      this.ask('ethscope_reorgs', kListsMs * rest, (value) => this.model.applyReorgs(value));
  }

  private ask(method: string, everyMs: number, take: (value: unknown) => void): void {
    const now = Date.now();
    if (now < (this.asked.get(method) ?? 0) + everyMs) return;
    this.asked.set(method, Number.POSITIVE_INFINITY); // under way
    this.client.call(method).then(
      (value) => {
        take(value);
        this.asked.set(method, Date.now());
        this.hooks.changed();
      },
      () => this.asked.set(method, Date.now()),
    );
  }
}
