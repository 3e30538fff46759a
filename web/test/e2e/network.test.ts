// The page in Chromium, served by a real node of a network of three, of which the first produces forks.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { overhang, pages, untilLive } from './browser';
import { Network, freePort, type RealNode } from './nodes';

const kReorgMs = 1000; // from the event stream to the page
const kReorgs = 2; // measured
const kChunks = 64; // of a data set
const kChunkBytes = 1024;

const browser = pages();
const network = new Network();
let producer: RealNode;
let watched: RealNode;
let bootnode = '';
let port = 0;
let url = '';

function startWatched(): RealNode {
  return network.start(
    'watched',
    '--port',
    '0',
    '--http.port',
    String(port),
    '--bootnodes',
    bootnode,
  );
}

beforeAll(async () => {
  producer = network.start(
    'producer',
    '--port',
    '0',
    '--produce',
    '--produce-forks',
    '--period',
    '1',
  );
  const [, number] = await producer.said(/Started P2P networking.* port=(\d+)/);
  bootnode = `127.0.0.1:${number}`;
  port = await freePort();
  url = `http://127.0.0.1:${port}/`;
  watched = startWatched();
  network.start('third', '--port', '0', '--bootnodes', bootnode);
  await watched.said(/Answering over HTTP/);
});

afterAll(() => network.end());

/** Milliseconds between a reorganisation on a second stream and on the page, for each of the next
 * `most`. */
function delays(page: Page, most: number): Promise<number[]> {
  return page.evaluate(
    (wanted) =>
      new Promise<number[]>((resolve) => {
        const told = new Map<number, number>();
        const shown = new Map<number, number>();
        const list = document.getElementById('reorgs');
        const look = (): void => {
          for (const item of list?.querySelectorAll('[data-reorg]') ?? []) {
            const id = Number(item.getAttribute('data-reorg'));
            if (!shown.has(id)) shown.set(id, performance.now());
          }
          const both = [...told].flatMap(([id, at]) => {
            const seen = shown.get(id);
            return seen === undefined ? [] : [seen - at];
          });
          if (both.length >= wanted) resolve(both);
        };
        look();
        if (list) new MutationObserver(look).observe(list, { childList: true });
        const socket = new WebSocket(`ws://${location.host}/`);
        socket.onopen = () =>
          socket.send(
            JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['reorgs'] }),
          );
        socket.onmessage = (message: MessageEvent<string>) => {
          const id = JSON.parse(message.data).params?.result?.reorg?.reorg;
          if (typeof id !== 'number') return;
          told.set(id, performance.now());
          look();
        };
      }),
    most,
  );
}

test('the page of a real node shows it: chain, peers with what they agreed on, events', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  await page.locator('.blocks g').nth(2).waitFor();
  await page.locator('#peers-body tr').first().waitFor();
  const row = await page.locator('#peers-body tr').first().innerText();
  expect(row).toContain('127.0.0.1:');
  expect(row).toContain('MiniEthNet/');
  expect(row).toContain('mini-sync/0.1');
  expect(await page.locator('#client').textContent()).toContain('MiniEthNet/');
  await page.locator('#log li[data-kind=head]').first().waitFor();
});

test('a reorganisation is on the page within a second of being on the event stream', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  const found = await delays(page, kReorgs);
  console.log(
    `page: reorganisations shown after ${found.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}`,
  );
  for (const ms of found) expect(ms).toBeLessThan(kReorgMs);
  expect(await page.getByText('the node began anew').count()).toBe(0);
  expect(await page.locator('#reorgs-note').textContent()).not.toContain('of');
  expect(await page.locator('#tree-follow').getAttribute('aria-pressed')).toBe('true');
});

test('a real reorganisation is replayed by keys, at 360 pixels without scrolling sideways', async () => {
  const page = await browser.open(url, {
    viewport: { width: 360, height: 740 },
    reducedMotion: 'reduce',
  });
  await untilLive(page);
  const trigger = page.locator('.reorg').first();
  await trigger.waitFor();
  await trigger.press('Enter');
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('#replay-caption').textContent()).toContain('Fork point');
  await page.keyboard.press('End');
  expect(await page.locator('.blocks g[data-role=removed]').count()).toBeGreaterThan(0);
  expect(await page.locator('.blocks g[data-role=added]').count()).toBeGreaterThan(1);
  expect(await overhang(page)).toBe(0);
});

test('a data set that another node published is a grid, with the confidence of what was sampled', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  network.write('data', Uint8Array.from({ length: kChunks * kChunkBytes }, (_, i) => i % 251));
  const publish = ['das', 'publish', 'data', '--datadir', 'producer', '--chunk-size'];
  const publisher = network.run('ethnet', ...publish, String(kChunkBytes));
  const [, id] = await publisher.said(/^data id +(0x[0-9a-f]{64})$/);
  expect(await publisher.ended).toBe(0);
  const set = page.locator('.data-set').filter({ has: page.locator(`.data-id[title="${id}"]`) });
  await set.locator('[data-fact=confidence]', { hasText: '1.000' }).waitFor();
  expect(await set.locator('[data-fact=sampled]').textContent()).toBe('8 of 8');
  expect(await set.locator('[data-fact=held]').textContent()).toBe(`8 of ${kChunks}`);
  expect(await set.locator('[data-fact=announcers]').textContent()).toBe('1');
  expect(await set.locator('.chunks').getAttribute('aria-label')).toBe(
    `${kChunks} chunks: 8 held, ${kChunks - 8} not looked for`,
  );
  await page.locator('#log li', { hasText: 'confidence' }).first().waitFor();
});

test('a hostile client name of a real peer shows as text and runs nothing', async () => {
  const name = `<img src=x onerror="document.title='run';alert(1)"><b>x</b>`;
  const page = await browser.open(url);
  await untilLive(page);
  const [, number] = await watched.said(/Started P2P networking.* port=(\d+)/);
  const peer = network.run('flipping_peer', '0', `127.0.0.1:${number}`, '0', name);
  await peer.said(/^ready$/);
  const row = page.locator('#peers-body tr').filter({ hasText: name });
  await row.waitFor();
  expect(await row.locator('td').nth(8).textContent()).toBe(name);
  await page.locator('#log li', { hasText: name }).first().waitFor();
  expect(await page.locator('main img, main script, #peers-body b, #log b').count()).toBe(0);
  expect(await page.title()).not.toBe('run');
  await peer.endInput();
  await row.waitFor({ state: 'detached' });
});

test('a node that is started again is followed again', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  await watched.stop();
  await page.locator('body[data-stale]').waitFor();
  watched = startWatched();
  await untilLive(page);
  await page.getByText('the node began anew').waitFor();
  await page.locator('#peers-body tr').first().waitFor();
});
