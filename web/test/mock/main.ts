// npm run mock [PORT]: the built page on a node that grows, forks and reorganises.

import { scene } from './scene';
import { MockServer } from './server';

const node = scene();
const server = new MockServer(node);
const port = await server.listen(Number(process.argv[2] ?? 0));
console.log(`http://127.0.0.1:${port}/`);
let step = 0;
setInterval(() => {
  ++step;
  if (step % 7 === 0) node.fork(2, 1);
  if (step % 11 === 0) node.reorganise(1 + (step % 3));
  else node.grow();
  node.publish();
}, 1000);
