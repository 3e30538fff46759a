// The node's HTTP listener, as docs say it is: the built page under its policy, and JSON-RPC over
// WebSocket.

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Json, MockNode } from './node';

const kDist = fileURLToPath(new URL('../../dist/', import.meta.url));
const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const kTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export function serveBuiltPage(request: IncomingMessage, response: ServerResponse): void {
  const name =
    request.url === '/' ? 'index.html' : normalize(request.url ?? '').replace(/^[/\\.]+/, '');
  const path = join(kDist, name);
  if (!path.startsWith(kDist) || !existsSync(path) || !statSync(path).isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'Content-Type': kTypes[extname(path)] ?? 'application/octet-stream',
    'Content-Security-Policy': kPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': name.startsWith('assets/')
      ? 'public, max-age=31536000, immutable'
      : 'no-store',
  });
  createReadStream(path).pipe(response);
}

export class MockServer {
  private server: Server | undefined;
  private sockets: WebSocketServer | undefined;
  private readonly subscribers = new Map<string, { kind: string; socket: WebSocket }>();
  private nextSubscription = 1;
  /** Connections stay, and nothing is said. */
  silent = false;
  /** As many subscriptions are open as may be. */
  full = false;

  constructor(private readonly node: MockNode) {}

  async listen(port = 0): Promise<number> {
    const server = createServer(serveBuiltPage);
    this.server = server;
    this.sockets = new WebSocketServer({ server });
    this.sockets.on('connection', (socket) => this.serve(socket));
    this.follow();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  /** As a process that ends: every connection is cut. */
  async close(): Promise<void> {
    const server = this.server;
    for (const socket of this.sockets?.clients ?? []) socket.terminate();
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    this.subscribers.clear();
  }

  private follow(): void {
    this.node.onEvent = (event) => {
      this.tell('events', event);
      if ('reorg' in event) this.tell('reorgs', event);
    };
    this.node.onHead = (head) => this.tell('newHeads', head);
  }

  private serve(socket: WebSocket): void {
    socket.on('message', (data) => {
      if (this.silent) return;
      const call = JSON.parse(String(data)) as { id: number; method: string; params?: unknown[] };
      const params = call.params ?? [];
      const result =
        call.method === 'eth_subscribe' && !this.full
          ? this.subscribe(socket, params)
          : this.node.answer(call.method, params);
      const reply =
        result === undefined ? { error: { code: -32601, message: 'no such method' } } : { result };
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: call.id, ...reply }));
      if (result !== undefined && call.method === 'eth_subscribe')
        this.catchUp(socket, String(result), params);
    });
    socket.on('close', () => {
      for (const [id, s] of this.subscribers) if (s.socket === socket) this.subscribers.delete(id);
    });
  }

  private subscribe(socket: WebSocket, params: readonly unknown[]): string {
    const id = `0x${(this.nextSubscription++).toString(16)}`;
    this.subscribers.set(id, { kind: String(params[0]), socket });
    return id;
  }

  private catchUp(socket: WebSocket, id: string, params: readonly unknown[]): void {
    const after = (params[1] as { after?: number } | undefined)?.after;
    if (params[0] !== 'events' || after === undefined) return;
    for (const event of this.node.events)
      if ((event.cursor as number) > after) notify(socket, id, event);
  }

  private tell(kind: string, result: Json): void {
    for (const [id, s] of this.subscribers) if (s.kind === kind) notify(s.socket, id, result);
  }
}

function notify(socket: WebSocket, subscription: string, result: unknown): void {
  socket.send(
    JSON.stringify({
      jsonrpc: '2.0',
      method: 'eth_subscription',
      params: { subscription, result },
    }),
  );
}
