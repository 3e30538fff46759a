// The event log: one line an event, the newest first, by kind and by words.

import { clock, count } from '../format';
import { logKinds, type LogEntry, type LogKind } from '../model/event_log';
import type { Model } from '../model/model';
import { byId, h, keyed, setAttr, setText } from '../ui/dom';
import type { StartReplay } from './reorgs';

const kNames: Readonly<Record<LogKind, string>> = {
  head: 'heads',
  reorg: 'reorgs',
  fork: 'forks',
  peer: 'peers',
  data: 'data',
  gap: 'gaps',
};

export class LogView {
  private readonly list = byId('log', HTMLOListElement);
  private readonly note = byId('log-note', HTMLParagraphElement);
  private readonly empty = byId('log-empty', HTMLParagraphElement);
  private readonly words = byId('log-words', HTMLInputElement);
  private readonly kinds = new Set<LogKind>(logKinds);

  constructor(
    private readonly model: Model,
    private readonly replay: StartReplay,
  ) {
    const group = byId('log-kinds', HTMLDivElement);
    for (const kind of logKinds) {
      const button = h('button', {
        class: 'toggle',
        text: kNames[kind],
        attrs: { 'aria-pressed': 'true' },
      });
      button.type = 'button';
      button.addEventListener('click', () => {
        if (!this.kinds.delete(kind)) this.kinds.add(kind);
        setAttr(button, 'aria-pressed', String(this.kinds.has(kind)));
        this.draw();
      });
      group.append(button);
    }
    this.words.addEventListener('input', () => this.draw());
  }

  draw(): void {
    const shown = this.model.log.newestFirst({ kinds: this.kinds, words: this.words.value });
    const all = this.model.log.size;
    this.empty.hidden = shown.length > 0;
    this.list.hidden = shown.length === 0;
    setText(this.empty, all > 0 ? 'No event is like that.' : 'No event yet.');
    setText(this.note, this.counts(shown.length, all));
    keyed(
      this.list,
      shown,
      (e) => e.key.toString(),
      (e) => this.make(e),
      () => undefined,
    );
  }

  private counts(shown: number, all: number): string {
    const bad = this.model.malformed;
    return [
      shown === all ? (all > 0 ? count(all) : '') : `${count(shown)} of ${count(all)}`,
      bad > 0 ? `${count(bad)} not understood` : '',
    ]
      .filter(Boolean)
      .join(', ');
  }

  private make(e: LogEntry): HTMLLIElement {
    const line = h(
      'li',
      { attrs: { 'data-kind': e.kind, 'data-cursor': e.cursor.toString() } },
      h('span', { class: 'log-cursor', text: e.cursor > 0 ? e.cursor.toString() : '·' }),
      h('time', { text: clock(e.time) }),
    );
    const id = e.reorg;
    if (id === undefined) {
      line.append(h('span', { class: 'log-text', text: e.text }));
    } else {
      const button = h('button', {
        class: 'log-text',
        text: e.text,
        title: 'Replay it on the tree',
      });
      button.type = 'button';
      button.addEventListener('click', () => this.replay(id, button));
      line.append(button);
    }
    return line;
  }
}
