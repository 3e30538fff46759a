// The built page from here, and its WebSocket piped to a real node: how a page is tried on a node
// that was built without one.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { serveBuiltPage } from '../mock/server';

export class Front {
  private readonly server: Server = createServer(serveBuiltPage);

  constructor(private readonly nodePort: number) {
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex) =>
      this.pipe(request, socket),
    );
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private pipe(request: IncomingMessage, socket: Duplex): void {
    // The node has to be named as it is called.
    const own = `127.0.0.1:${this.nodePort}`;
    const headers = { ...request.headers, host: own, origin: `http://${own}` };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
    const node = connect(this.nodePort, '127.0.0.1', () => {
      node.write(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      socket.pipe(node).pipe(socket);
    });
    node.on('error', () => socket.destroy());
    socket.on('error', () => node.destroy());
    node.on('close', () => socket.destroy());
  }
}
