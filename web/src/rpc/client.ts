// JSON-RPC 2.0 over one WebSocket to the node that served the page; opens it again whenever it is
// lost. A call that is not answered in kPatienceMs ends the connection: an open socket that says
// nothing is no node.

import { kMaxMessageChars, kMaxPendingCalls } from '../limits';
import { isGone, waitBefore } from './backoff';

export const kPatienceMs = 10_000;
/** Without any message for so long a link is quiet: what the page shows may be old. */
export const kQuietMs = 3_500;

export type Link =
  | { readonly state: 'connecting'; readonly failed: number }
  | { readonly state: 'live' }
  | { readonly state: 'quiet'; readonly since: number }
  | {
      readonly state: 'waiting';
      readonly failed: number;
      readonly nextTry: number;
      readonly since: number;
    }
  | {
      readonly state: 'gone';
      readonly failed: number;
      readonly nextTry: number;
      readonly since: number;
    };

export interface Hooks {
  link(link: Link): void;
  opened(): void;
  /** `method` is always eth_subscription. */
  notified(subscription: string, result: unknown): void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

export class RpcError extends Error {}

export class RpcClient {
  private socket: WebSocket | undefined;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private failed = 0;
  private lostAt = 0;
  private heardAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly url: string,
    private readonly hooks: Hooks,
  ) {}

  get isOpen(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  start(): void {
    this.open();
  }

  /** At once, whatever the wait says. */
  retryNow(): void {
    if (this.socket) return;
    clearTimeout(this.timer);
    this.open();
  }

  /** Called every second or so: tells a link that says nothing from a live one. */
  watch(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const quiet = Date.now() - this.heardAt > kQuietMs;
    this.hooks.link(quiet ? { state: 'quiet', since: this.heardAt } : { state: 'live' });
  }

  call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const socket = this.socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.reject(new RpcError('not connected'));
    if (this.pending.size >= kMaxPendingCalls)
      return Promise.reject(new RpcError('too many calls'));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        if (this.pending.has(id)) this.lose(socket);
      }, kPatienceMs);
      this.pending.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  private open(): void {
    this.hooks.link({ state: 'connecting', failed: this.failed });
    const socket = new WebSocket(this.url);
    this.socket = socket;
    // A handshake that nobody answers counts as a lost connection too.
    const opening = setTimeout(() => this.lose(socket), kPatienceMs);
    socket.onopen = () => {
      clearTimeout(opening);
      this.failed = 0;
      this.lostAt = 0;
      this.heardAt = Date.now();
      this.hooks.link({ state: 'live' });
      this.hooks.opened();
    };
    socket.onmessage = (message: MessageEvent<unknown>) => {
      this.heardAt = Date.now();
      if (typeof message.data === 'string' && message.data.length <= kMaxMessageChars)
        this.take(message.data);
      else this.lose(socket);
    };
    socket.onclose = () => {
      clearTimeout(opening);
      this.lose(socket);
    };
  }

  private take(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    for (const one of Array.isArray(message) ? message : [message]) this.takeOne(one);
  }

  private takeOne(message: unknown): void {
    if (typeof message !== 'object' || message === null) return;
    const { id, result, error, method, params } = message as Record<string, unknown>;
    if (method === 'eth_subscription' && typeof params === 'object' && params !== null) {
      const { subscription, result: event } = params as Record<string, unknown>;
      if (typeof subscription === 'string') this.hooks.notified(subscription, event);
      return;
    }
    const call = typeof id === 'number' ? this.pending.get(id) : undefined;
    if (!call || typeof id !== 'number') return;
    this.pending.delete(id);
    clearTimeout(call.timer);
    if (error === undefined) call.resolve(result);
    else call.reject(new RpcError('the node refused the call'));
  }

  private lose(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.socket = undefined;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    for (const call of this.pending.values()) {
      clearTimeout(call.timer);
      call.reject(new RpcError('the connection was lost'));
    }
    this.pending.clear();
    ++this.failed;
    this.lostAt ||= Date.now();
    const wait = waitBefore(this.failed, Math.random());
    this.timer = setTimeout(() => this.open(), wait);
    const state = isGone(this.failed) ? 'gone' : 'waiting';
    this.hooks.link({ state, failed: this.failed, nextTry: Date.now() + wait, since: this.lostAt });
  }
}
