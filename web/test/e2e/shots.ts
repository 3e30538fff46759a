// Pictures of the page, to look at: npx vite-node test/e2e/shots.ts FOLDER

import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { scene } from '../mock/scene';
import { MockServer } from '../mock/server';

const folder = process.argv[2] ?? '.';
mkdirSync(folder, { recursive: true });
const server = new MockServer(scene());
const port = await server.listen();
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
for (const [name, scheme, width, height] of [
  ['light', 'light', 1280, 860],
  ['dark', 'dark', 1280, 860],
  ['narrow', 'light', 360, 780],
] as const) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
  page.on('console', (m) => console.log(name, m.text()));
  page.on('pageerror', (e) => console.log(name, e.message));
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForSelector('.data-set');
  await page.waitForSelector('.blocks g[data-head]');
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: name === 'light' });
  if (name !== 'narrow') {
    await page.locator('.reorg').first().click();
    for (let i = 0; i < 4; ++i) await page.keyboard.press('ArrowRight');
    await page.locator('.blocks g[data-role=removed]').nth(1).waitFor();
    await page.screenshot({ path: `${folder}/${name}-replay.png` });
  }
  for (const part of name === 'narrow' ? ['reorgs-title', 'peers-title', 'data-title'] : []) {
    await page.locator(`#${part}`).evaluate((title) => title.scrollIntoView());
    await page.screenshot({ path: `${folder}/${name}-${part}.png` });
  }
  if (name === 'narrow') {
    await page.locator('.reorg').first().click();
    await page.locator('.blocks g[data-role=added]').nth(1).waitFor();
    await page.screenshot({ path: `${folder}/narrow-replay.png` });
  }
  await page.close();
}
const page = await browser.newPage({ viewport: { width: 1280, height: 560 } });
await page.goto(`http://127.0.0.1:${port}/`);
await page.waitForSelector('.data-set');
await server.close();
await page.waitForSelector('#link[data-state=gone]');
await page.screenshot({ path: `${folder}/gone.png` });
await browser.close();
