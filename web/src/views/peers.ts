// The peers, sorted by what the reader chooses. On a narrow screen each row becomes a card (CSS),
// by data-label.

import { bytes, count, duration, millis, shortHash } from '../format';
import type { Model } from '../model/model';
import type { Peer } from '../model/types';
import { byId, h, keyed, setAttr, setText } from '../ui/dom';

interface Column {
  readonly name: string;
  readonly numeric: boolean;
  text(p: Peer): string;
  order(p: Peer): number | string;
}

const columns: readonly Column[] = [
  { name: 'Id', numeric: false, text: (p) => shortHash(p.id), order: (p) => p.id },
  {
    name: 'Way',
    numeric: false,
    text: (p) => (p.direction === 'unknown' ? '–' : p.direction) + (p.visit ? ' visit' : ''),
    order: (p) => p.direction,
  },
  { name: 'Address', numeric: false, text: (p) => p.address || '–', order: (p) => p.address },
  {
    name: 'RTT',
    numeric: true,
    text: (p) => millis(p.rttMs),
    order: (p) => p.rttMs ?? Number.POSITIVE_INFINITY,
  },
  { name: 'In', numeric: true, text: (p) => bytes(p.bytesIn), order: (p) => p.bytesIn },
  { name: 'Out', numeric: true, text: (p) => bytes(p.bytesOut), order: (p) => p.bytesOut },
  { name: 'Score', numeric: true, text: (p) => p.score.toFixed(1), order: (p) => p.score },
  { name: 'Age', numeric: true, text: (p) => duration(p.ageMs), order: (p) => p.ageMs },
  { name: 'Client', numeric: false, text: (p) => p.client || '–', order: (p) => p.client },
];

export class PeersView {
  private readonly table = byId('peers', HTMLTableElement);
  private readonly body = byId('peers-body', HTMLTableSectionElement);
  private readonly note = byId('peers-note', HTMLParagraphElement);
  private readonly empty = byId('peers-empty', HTMLParagraphElement);
  private readonly heads: HTMLTableCellElement[] = [];
  private sorted = 7; // by age
  private descending = true;

  constructor(private readonly model: Model) {
    const row = h('tr');
    columns.forEach((column, i) => {
      const button = h('button', { text: column.name });
      button.type = 'button';
      button.addEventListener('click', () => this.sortBy(i));
      const cell = h('th', { class: column.numeric ? 'n' : '', attrs: { scope: 'col' } }, button);
      this.heads.push(cell);
      row.append(cell);
    });
    row.append(h('th', { text: 'Capabilities', attrs: { scope: 'col' } }));
    byId('peers-head', HTMLTableSectionElement).append(row);
    this.draw();
  }

  draw(): void {
    const peers = [...this.model.peers].sort((a, b) => this.compare(a, b));
    this.empty.hidden = peers.length > 0;
    this.table.hidden = peers.length === 0;
    const total = this.model.peersTotal;
    setText(
      this.note,
      total > peers.length
        ? `${count(peers.length)} of ${count(total)}`
        : total > 0
          ? count(total)
          : '',
    );
    this.heads.forEach((cell, i) => {
      setAttr(
        cell,
        'aria-sort',
        i !== this.sorted ? undefined : this.descending ? 'descending' : 'ascending',
      );
    });
    keyed(
      this.body,
      peers,
      (p) => p.id,
      () => makeRow(),
      updateRow,
    );
  }

  private sortBy(column: number): void {
    this.descending =
      this.sorted === column ? !this.descending : (columns[column]?.numeric ?? false);
    this.sorted = column;
    this.draw();
  }

  private compare(a: Peer, b: Peer): number {
    const order = columns[this.sorted]?.order;
    if (!order) return 0;
    const [x, y] = [order(a), order(b)];
    const way = x < y ? -1 : x > y ? 1 : 0;
    return (this.descending ? -way : way) || (a.id < b.id ? -1 : 1);
  }
}

function cell(name: string, kind: string): HTMLTableCellElement {
  return h('td', { class: kind, attrs: { role: 'cell', 'data-label': name } });
}

function makeRow(): HTMLTableRowElement {
  // Roles, as cards on a narrow screen are no table to a browser.
  const row = h('tr', { attrs: { role: 'row' } });
  for (const column of columns) {
    row.append(cell(column.name, column.numeric ? 'n' : ''));
  }
  row.append(cell('Capabilities', 'chips'));
  return row;
}

function updateRow(row: HTMLTableRowElement, p: Peer): void {
  columns.forEach((column, i) => {
    const cell = row.cells[i];
    if (cell) setText(cell, column.text(p));
  });
  setAttr(row.cells[0] ?? row, 'title', p.id);
  setAttr(row, 'data-bad', p.score >= 10 ? 'true' : undefined);
  const chips = row.cells[columns.length];
  if (chips) {
    keyed(
      chips,
      p.capabilities,
      (c) => c,
      (c) => h('span', { class: 'chip', text: c }),
      () => undefined,
    );
  }
}
