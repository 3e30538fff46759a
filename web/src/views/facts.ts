// The node in a few numbers.

import { count, duration, shortHash } from '../format';
import type { Model } from '../model/model';
import type { Summary } from '../model/types';
import { byId, h, keyed, setAttr, setText } from '../ui/dom';

interface Fact {
  readonly name: string;
  readonly value: string;
  readonly sub: string;
  readonly title?: string;
}

export class FactsView {
  private readonly list = byId('facts', HTMLDListElement);
  private readonly client = byId('client', HTMLParagraphElement);

  constructor(private readonly model: Model) {}

  draw(): void {
    const s = this.model.summary;
    if (!s) return;
    setText(this.client, s.client);
    setAttr(this.client, 'title', s.enode || undefined);
    const head = this.model.tree.head ?? s.head;
    document.title = `${count(head.number)} · ${s.client.split('/')[0] || 'MiniEthNet'}`;
    keyed(
      this.list,
      facts(s, head, Math.max(s.switches, this.model.reorgs.total)),
      (fact) => fact.name,
      (fact) =>
        h(
          'div',
          {},
          h('dt', { text: fact.name }),
          h('dd', { class: 'value' }),
          h('dd', { class: 'sub' }),
        ),
      (element, fact) => {
        const [, value, sub] = element.children;
        if (value) setText(value, fact.value);
        if (sub) setText(sub, fact.sub);
        setAttr(element, 'title', fact.title);
      },
    );
  }
}

function facts(s: Summary, head: { hash: string; number: number }, switches: number): Fact[] {
  const behind = Math.max(0, s.syncHeight - head.number);
  return [
    { name: 'Head', value: count(head.number), sub: shortHash(head.hash, 12), title: head.hash },
    {
      name: 'Sync',
      value: s.syncing ? `${count(behind)} behind` : s.activePeers > 0 ? 'in step' : 'alone',
      sub: s.syncing
        ? `to ${count(s.syncHeight)}`
        : s.activePeers > 0
          ? 'with its peers'
          : 'no peer to follow',
    },
    { name: 'Peers', value: count(s.activePeers), sub: `${count(s.discoveredPeers)} discovered` },
    { name: 'Canonical switches', value: count(switches), sub: 'since the start' },
    { name: 'Data sets', value: count(s.dataSets), sub: 'held or announced' },
    { name: 'Chain', value: s.chainId.toString(), sub: `kept from ${count(s.earliest)}` },
    {
      name: 'Node',
      value: s.nodeId.slice(2, 10),
      sub: `up ${duration(s.taken - s.started)}`,
      title: s.nodeId,
    },
  ];
}
