// One Chromium for the tests of a file, and what every page of it must not do: break its policy, or
// throw.

import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

export const kPatienceMs = 30_000;

export interface Pages {
  open(url: string, options?: BrowserContextOptions): Promise<Page>;
}

/** Call it once a file, outside the tests. */
export function pages(): Pages {
  let browser: Browser | undefined;
  const complaints: string[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox'],
    });
  });
  afterAll(async () => {
    await browser?.close();
  });
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
    expect(complaints.splice(0)).toEqual([]);
  });
  return {
    open: async (url, options = {}) => {
      if (!browser) throw new Error('only inside a test');
      const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        ...options,
      });
      context.setDefaultTimeout(kPatienceMs);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
      page.on('console', (message) => {
        // What the network says of a node that is away is no fault of the page.
        const away = /ERR_CONNECTION_(REFUSED|RESET)|WebSocket connection to/.test(message.text());
        if (message.type() === 'error' && !away) complaints.push(message.text());
      });
      page.on('dialog', (dialog) => {
        complaints.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      await page.goto(url);
      return page;
    },
  };
}

export async function untilLive(page: Page): Promise<void> {
  await page.locator('#link[data-state=live]').waitFor();
  await page.locator('.blocks g[data-head]').waitFor();
}

/** Pixels by which the page is wider than its window. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
}
