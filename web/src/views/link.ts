// Is what the page shows what the node is? Says so in words, and dims the page where it is not.

import { clock, duration } from '../format';
import type { Summary } from '../model/types';
import type { Link } from '../rpc/client';
import { byId, setAttr, setText } from '../ui/dom';

export class LinkView {
  private readonly box = byId('link', HTMLParagraphElement);
  private readonly text = byId('link-text', HTMLSpanElement);
  private readonly retry = byId('link-retry', HTMLButtonElement);
  private link: Link = { state: 'connecting', failed: 0 };
  private summary: Summary | undefined;

  constructor(retryNow: () => void) {
    this.retry.addEventListener('click', retryNow);
    setInterval(() => this.draw(), 500); // seconds that count down
  }

  show(link: Link, summary: Summary | undefined): void {
    this.link = link;
    this.summary = summary;
    this.draw();
  }

  private draw(): void {
    const shown =
      this.link.state === 'connecting' && this.link.failed > 0 ? 'waiting' : this.link.state;
    setAttr(this.box, 'data-state', shown);
    setAttr(document.body, 'data-stale', this.link.state === 'live' ? undefined : 'true');
    setText(this.text, this.words());
    this.retry.hidden = this.link.state !== 'waiting' && this.link.state !== 'gone';
  }

  private words(): string {
    const asOf = this.summary ? `, shown as of ${clock(this.summary.taken)}` : '';
    switch (this.link.state) {
      case 'live':
        return 'live';
      case 'connecting':
        return this.link.failed > 0
          ? `reconnecting (try ${this.link.failed + 1})${asOf}`
          : 'connecting';
      case 'quiet':
        return `no answer for ${duration(Date.now() - this.link.since)}${asOf}`;
      case 'waiting':
        return `reconnecting in ${left(this.link.nextTry)}${asOf}`;
      case 'gone':
        return `the node is gone since ${clock(this.link.since)}, next try in ${left(this.link.nextTry)}`;
    }
  }
}

/** A wait that has begun is never 0 s. */
function left(until: number): string {
  return duration(until - Date.now() + 999);
}
