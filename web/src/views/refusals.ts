// Why sessions did not come about, by reason: what came in and what went out beside each other.

import { count } from '../format';
import type { Model } from '../model/model';
import type { Refusal } from '../model/types';
import { byId, h, keyed, setText } from '../ui/dom';

export class RefusalsView {
  private readonly list = byId('refusals', HTMLUListElement);
  private readonly note = byId('refusals-note', HTMLParagraphElement);
  private readonly empty = byId('refusals-empty', HTMLParagraphElement);

  constructor(private readonly model: Model) {}

  draw(): void {
    const refusals = this.model.refusals;
    const total = refusals.reduce((sum, r) => sum + r.inbound + r.outbound, 0);
    const most = Math.max(1, ...refusals.map((r) => Math.max(r.inbound, r.outbound)));
    this.empty.hidden = refusals.length > 0;
    this.list.hidden = refusals.length === 0;
    setText(this.note, total > 0 ? `${count(total)} since the start` : '');
    keyed(
      this.list,
      refusals,
      (r) => r.reason,
      makeRow,
      (row, r) => updateRow(row, r, most),
    );
  }
}

function bar(way: string): HTMLSpanElement {
  return h(
    'span',
    { class: 'bar-row' },
    h('span', { class: 'bar-way', text: way }),
    h('span', { class: 'bar-track' }, h('span', { class: 'bar-fill' })),
    h('span', { class: 'bar-count' }),
  );
}

function makeRow(r: Refusal): HTMLLIElement {
  return h(
    'li',
    {},
    h('span', { class: 'bar-name', text: r.reason.replaceAll('_', ' ') }),
    bar('in'),
    bar('out'),
  );
}

function updateRow(row: HTMLLIElement, r: Refusal, most: number): void {
  [r.inbound, r.outbound].forEach((n, i) => {
    const line = row.children[i + 1];
    const fill = line?.querySelector<HTMLElement>('.bar-fill');
    const label = line?.querySelector('.bar-count');
    if (fill) fill.style.width = `${(100 * n) / most}%`;
    if (label) setText(label, count(n));
  });
}
