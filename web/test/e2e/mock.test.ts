// The page in Chromium on a node of our own making, which says and does what no real one would on
// demand.

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { kMaxLogEntries, kMaxPeers, kMaxReorgs, kMaxTreeBlocks } from '../../src/limits';
import { hashOf } from '../mock/hashes';
import { MockNode } from '../mock/node';
import { scene } from '../mock/scene';
import { MockServer } from '../mock/server';
import { overhang, pages, untilLive } from './browser';

const browser = pages();
let node: MockNode;
let server: MockServer;
let url: string;

beforeEach(async () => {
  node = scene();
  server = new MockServer(node);
  url = `http://127.0.0.1:${await server.listen()}/`;
});

afterEach(async () => {
  await server.close();
});

function roles(page: Page): Promise<(string | null)[]> {
  return page
    .locator('.blocks g[data-role]')
    .evaluateAll((all) => all.map((g) => g.getAttribute('data-role')));
}

test('what a node tells is there: head, tree, reorganisations, peers, refusals, chunks, events', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  const head = node.chain.head;
  // The page is live with the first of its events; it has been told all with the last one.
  await page.locator('#log li').nth(node.events.length - 1).waitFor();
  await page
    .locator('#facts > div')
    .first()
    .filter({ hasText: String(head.number) })
    .waitFor();
  expect(await page.locator('.blocks g[data-head] title').textContent()).toContain(head.hash);
  expect(await page.locator('#reorgs li').count()).toBe(2);
  expect(await page.locator('.blocks g[data-role=displaced]').count()).toBe(5);
  await page.locator('#peers-body tr').nth(5).waitFor();
  expect(await page.locator('#refusals li').first().innerText()).toMatch(
    /too many peers\s+in\s+41\s+out\s+0/,
  );
  const grid = page.locator('.chunks').first();
  expect(await grid.getAttribute('aria-label')).toBe(
    '64 chunks: 1 missing, 7 held, 56 not looked for',
  );
  expect(await page.locator('.data-set').first().innerText()).toContain('0.875');
  expect(await page.locator('#log li').count()).toBe(node.events.length);
});

test('a hostile client name and capability show as text and run nothing', async () => {
  const name = '<img src=x onerror="document.title=\'run\';alert(1)">';
  node.peers = [{ ...node.peers[5], client: name, capabilities: ['<script>alert(1)</script>/1'] }];
  node.client = name;
  node.publish();
  node.emit('peer_joined', {
    id: node.peers[0]?.id,
    address: name,
    direction: 'INBOUND',
    client: name,
  });
  const page = await browser.open(url);
  await untilLive(page);
  const row = page.locator('#peers-body tr');
  await row.waitFor();
  expect(await row.locator('td').nth(8).textContent()).toBe(name);
  expect(await row.locator('.chip').textContent()).toBe('<script>alert(1)</script>/1');
  expect(await page.locator('#client').textContent()).toBe(name);
  expect(await page.locator('#log li').first().innerText()).toContain(name);
  expect(await page.locator('main img, main script, #client *').count()).toBe(0);
  expect(await page.title()).not.toBe('run');
});

test('at 360 pixels nothing makes the page scroll sideways, in a replay neither', async () => {
  node.peers.push({
    ...node.peers[0],
    id: node.peers[0]?.id?.toString().replace(/.$/, '0'),
    client: 'W'.repeat(400),
  });
  node.publish();
  const page = await browser.open(url, { viewport: { width: 360, height: 740 } });
  await untilLive(page);
  await page.locator('#peers-body tr').nth(6).waitFor();
  expect(await overhang(page)).toBe(0);
  await page.locator('.reorg').first().click();
  await page.locator('#replay').waitFor();
  expect(await overhang(page)).toBe(0);
});

test('a replay by keys: steps, ends, play and pause, and back to where one was', async () => {
  const page = await browser.open(url, { reducedMotion: 'reduce' });
  await untilLive(page);
  const trigger = page.locator('.reorg').first();
  await trigger.focus();
  await page.keyboard.press('Enter');
  const caption = page.locator('#replay-caption');
  expect(await caption.textContent()).toContain('Before');
  expect(await page.locator('#replay-play').textContent(), 'nobody asked for motion').toBe('Play');
  await page.keyboard.press('ArrowRight');
  expect(await caption.textContent()).toContain('Fork point');
  expect(await page.locator('.blocks g[data-fork]').count()).toBe(1);
  await page.keyboard.press('ArrowRight');
  expect(await caption.textContent()).toContain('Removed');
  expect((await roles(page)).filter((r) => r === 'removed')).toHaveLength(1);
  await page.keyboard.press('End');
  const last = await roles(page);
  expect([
    last.filter((r) => r === 'removed').length,
    last.filter((r) => r === 'added').length,
  ]).toEqual([3, 4]);
  expect(await page.locator('.blocks g[data-head] title').textContent()).toContain(
    node.chain.reorgs[1]?.reorg.new_head.hash,
  );
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Home');
  expect((await roles(page)).filter((r) => r === 'absent')).toHaveLength(4);
  await page.keyboard.press('Space');
  expect(await page.locator('#replay-play').textContent()).toBe('Pause');
  await page.keyboard.press('Space');
  expect(await page.locator('#replay-play').textContent()).toBe('Play');
  await page.keyboard.press('Escape');
  expect(await page.locator('#replay').isHidden()).toBe(true);
  expect(await trigger.evaluate((element) => element === document.activeElement)).toBe(true);
});

test('a replay plays by itself to its end', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  await page.locator('.reorg').nth(1).click();
  await page.getByText('Again', { exact: true }).waitFor();
  expect(await page.locator('#replay-caption').textContent()).toContain('After');
});

test('arrow keys walk the tree, and the block that is selected says its hash', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  await page.locator('#tree-svg').focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  const parent = node.chain.ancestor(1).hash;
  expect(await page.locator('.blocks g[data-selected] title').textContent()).toContain(parent);
  expect(await page.locator('#tree-detail').textContent()).toContain(parent);
});

test('the colours are the system’s until somebody chooses, and the choice is kept', async () => {
  const page = await browser.open(url, { colorScheme: 'dark' });
  await untilLive(page);
  const ground = (): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.locator('#theme-light').click();
  const light = await ground();
  expect(light).not.toBe(dark);
  await page.reload();
  await untilLive(page);
  expect(await ground()).toBe(light);
  await page.locator('#theme-system').click();
  expect(await ground()).toBe(dark);
});

test('a node that goes is said to be gone, and one that comes again is followed from its first event', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  await server.close();
  await page.locator('#link[data-state=waiting]').waitFor();
  expect(await page.locator('body[data-stale]').count()).toBe(1);
  await page.locator('#link[data-state=gone]').waitFor();
  expect(await page.locator('#link-text').textContent()).toContain('the node is gone since');
  const next = new MockNode('another');
  next.grow();
  next.publish();
  server = new MockServer(next);
  await server.listen(Number(new URL(url).port));
  await page.locator('#link-retry').click();
  await untilLive(page);
  expect(await page.locator('body[data-stale]').count()).toBe(0);
  await page.getByText('the node began anew').waitFor();
  await page.locator(`.blocks g[data-key="${next.chain.head.hash}"][data-head]`).waitFor();
  expect(await page.locator('#reorgs li').count()).toBe(0);
});

test('a node that says nothing any more is not shown as live', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  server.silent = true;
  await page.locator('#link[data-state=quiet]').waitFor();
  expect(await page.locator('#link-text').textContent()).toMatch(
    /no answer for \d+ s, shown as of \d\d:\d\d:\d\d/,
  );
  server.silent = false;
  await page.locator('#link[data-state=live]').waitFor();
});

test('gaps stand in the log, which is filtered by kind and by words', async () => {
  node.emit('gap', { missed: 7 });
  const page = await browser.open(url);
  await untilLive(page);
  await page.getByText('7 events missed').waitFor();
  const all = await page.locator('#log li').count();
  await page.locator('#log-kinds').getByText('heads').click();
  expect(await page.locator('#log li[data-kind=head]').count()).toBe(0);
  expect(await page.locator('#log li').count()).toBeLessThan(all);
  await page.locator('#log-words').fill('reorganisation 2:');
  expect(await page.locator('#log li').count()).toBe(1);
});

test('a node that answers and publishes nothing new is not shown as live', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  node.hung = true;
  await page.locator('#link[data-state=still]').waitFor();
  expect(await page.locator('#link-text').textContent()).toContain('nothing new for');
  expect(await page.locator('body[data-stale]').count()).toBe(1);
  node.hung = false;
  await page.locator('#link[data-state=live]').waitFor();
});

test('a node that gives no subscriptions is asked, and the page says so', async () => {
  server.full = true;
  const page = await browser.open(url);
  await untilLive(page);
  await page.getByText('the node gives this page no events').waitFor();
  node.reorganise(2);
  await page.locator('#reorgs [data-reorg="3"]').waitFor();
});

test('thousands of events, blocks and peers leave the page within its limits', async () => {
  const page = await browser.open(url);
  await untilLive(page);
  for (let i = 0; i < 1500; ++i) {
    node.fork(i % 7, 1 + (i % 3), 100 + i);
    if (i % 10 === 0) node.grow();
    if (i % 9 === 0) node.reorganise(1);
  }
  node.peers = Array.from({ length: kMaxPeers + 50 }, (_, i) => ({ id: hashOf('many', i) }));
  await page.locator(`.blocks g[data-key="${node.chain.head.hash}"][data-head]`).waitFor();
  await page.locator(`#peers-body tr:nth-child(${kMaxPeers})`).waitFor();
  expect(await page.locator('#log li').count()).toBe(kMaxLogEntries);
  expect(await page.locator('#reorgs li').count()).toBe(kMaxReorgs);
  expect(await page.locator('.blocks > g').count()).toBeLessThanOrEqual(kMaxTreeBlocks);
  expect(await page.locator('#peers-note').textContent()).toContain(
    `${kMaxPeers} of ${kMaxPeers + 50}`,
  );
  await page.locator('#link[data-state=live]').waitFor();
});
