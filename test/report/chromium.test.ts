import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DARK, LIGHT, PRINT } from '../../src/report/palette.js';
import { BrowserPage } from '../support/browser-page.js';
import { Chromium, whyNoChromium } from '../support/chromium.js';
import { hostileTexts, PLAIN_TEXTS, pageOf } from '../support/hostile-report.js';
import { readMarkup } from '../support/markup.js';
import { failScene, ReportScene, sampleScene } from '../support/report-samples.js';
import { ALL_CASES, share } from '../support/share.js';
import { smallPng } from '../support/small-png.js';

const BACKGROUND = 'getComputedStyle(document.body).backgroundColor';

const [MANY, HOSTILE] = ALL_CASES ? [64, 200] : [16, 40];

/** As a browser says a colour. */
function rgb(colour: string): string {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return `rgb(${r}, ${g}, ${b})`;
}

/** Ids at their full length, words without a space, and a picture wider than any screen. */
function longScene(): ReportScene {
  const scene = new ReportScene({
    stepId: `s${'x'.repeat(199)}`,
    symbol: 'W'.repeat(40),
    minImages: 9,
  });
  const id = (letter: string) => letter.repeat(80);
  scene.came(id('a'), smallPng(4_000, 20), { kind: 'k'.repeat(200), label: 'l'.repeat(200) });
  scene.came(id('b'), smallPng(5, 5));
  scene.bucket.objects.delete(scene.objectOf(1));
  return scene.failed(id('c'), 'C'.repeat(80), 'm'.repeat(300), {
    httpStatus: 422,
    providerMessage: 'p'.repeat(300),
  });
}

describe.skipIf(whyNoChromium !== '')(`the report in Chromium ${whyNoChromium}`, () => {
  let chromium: Chromium;
  let folder: string;
  let page: BrowserPage;
  /** A picture on the network, and how often it was asked for. */
  let picture: string;
  let hits = 0;
  const server = createServer((_, response) => {
    hits += 1;
    response.end();
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    picture = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.png`;
    folder = await mkdtemp(join(tmpdir(), 'report-'));
    chromium = await Chromium.start();
    page = await BrowserPage.open(chromium);
  });
  afterAll(async () => {
    await chromium?.close();
    server.close();
    await rm(folder, { recursive: true });
  });

  const show = async (html: string | Buffer, viewing = { width: 1280 }) => {
    page.complaints.length = 0;
    page.requests.length = 0;
    hits = 0;
    const file = join(folder, 'report.html');
    await writeFile(file, html);
    await page.view(viewing);
    await page.goTo(pathToFileURL(file).href);
  };
  const showScene = async (scene: ReportScene) => show((await scene.build()).html);

  test.each([
    ['five charts', sampleScene(5)],
    [`${MANY} charts`, sampleScene(MANY)],
    ['failures and long names', failScene(longScene())],
  ])('%s: every picture is decoded, nothing is asked for, nothing complains', async (_, scene) => {
    await showScene(scene);
    const sizes = await page.evaluate(
      'Promise.all([...document.images].map(async (i) => (await i.decode(), [i.naturalWidth, i.naturalHeight])))',
    );
    const shown = scene.manifest.items.filter((_, index) =>
      scene.bucket.objects.has(scene.objectOf(index)),
    );
    expect(sizes).toEqual(shown.map(({ meta }) => [meta?.width, meta?.height]));
    expect(page.requests).toEqual([]);
    expect(page.complaints).toEqual([]);
  });

  test('a page that did ask and complain would be seen', async () => {
    await show(`<img src="${picture}"><script>console.error('loud')</script>`);
    expect(hits).toBe(1);
    expect(page.requests).toEqual([picture]);
    expect(page.complaints.join()).toContain('loud');
  });

  test('its policy lets in no script, no other style and no picture from elsewhere', async () => {
    await showScene(sampleScene(1));
    const injected = `
      document.body.insertAdjacentHTML('beforeend', '<p id="p" style="position:fixed">x</p><img src="${picture}">');
      const script = document.createElement('script');
      script.textContent = 'globalThis.ran = true';
      document.body.append(script);
      const style = document.createElement('style');
      style.textContent = 'p { position: fixed }';
      document.head.append(style);
      [globalThis.ran ?? false, getComputedStyle(document.getElementById('p')).position]`;
    expect(await page.evaluate(injected)).toEqual([false, 'static']);
    // It is tried, and refused before it leaves the browser.
    const refused = 'new Promise((done) => { document.images[1].onerror = done; })';
    await page.evaluate(`document.images[1].complete || ${refused}`);
    expect(hits).toBe(0);
    expect(page.complaints.join()).toContain('Content Security Policy');
  });

  describe.each(share([360, 768, 1280], 2))('at %i px', (width) => {
    test.each([
      ['five charts', sampleScene(5)],
      ['long names', longScene()],
      ['failures of every sort', failScene(sampleScene(2))],
    ])('%s fit without scrolling sideways', async (_, scene) => {
      const manifestUri = 'gs://another-bucket/'.padEnd(400, 'u');
      await show((await scene.build({ manifestUri })).html, { width });
      const tooWide = await page.evaluate(`[...document.querySelectorAll('body *:not(.known)')]
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5)
        .map((e) => e.outerHTML.slice(0, 100))`);
      expect(tooWide).toEqual([]);
      const widths = '[document.documentElement.scrollWidth, innerWidth]';
      expect(await page.evaluate(widths)).toEqual([width, width]);
    });
  });

  test('light and dark each have their paper; on paper it is white in both', async () => {
    await showScene(sampleScene(2));
    await page.view({ width: 1280, scheme: 'light' });
    expect(await page.evaluate(BACKGROUND)).toBe(rgb(LIGHT.paper));
    await page.view({ width: 1280, scheme: 'dark' });
    expect(await page.evaluate(BACKGROUND)).toBe(rgb(DARK.paper));
    const filter = 'getComputedStyle(document.images[0]).filter';
    expect(await page.evaluate(filter)).toBe('brightness(0.9)');
    await page.view({ width: 1280, scheme: 'dark', media: 'print' });
    expect(await page.evaluate(BACKGROUND)).toBe(rgb(PRINT.paper));
    expect(await page.evaluate(filter)).toBe('none');
  });

  test('prints', async () => {
    await showScene(sampleScene(5));
    const pdf = (await page.pdf()).toString('latin1');
    expect(pdf.slice(0, 5)).toBe('%PDF-');
    // One chart under the heading, three on the next page, then the rest.
    expect(pdf.match(/\/Type \/Page\b/g)?.length).toBe(3);
  });

  test('the name of a file, of which the folder is not seen, is copied whole', async () => {
    const scene = sampleScene(1);
    await showScene(scene);
    const copied = await page.evaluate(`
      getSelection().selectAllChildren(document.querySelector('figure .uri'));
      getSelection().toString()`);
    expect(copied).toBe(scene.manifest.items[0]?.png_gcs_uri);
  });

  test('every picture and link has a name, every heading its rank, every id its one place', async () => {
    await show((await failScene(sampleScene(3)).build({ manifestUri: 'gs://b/m.json' })).html);
    const found = await page.evaluate<Record<string, unknown>>(`({
      nameless: [...document.images].filter((i) => !i.alt).length
        + [...document.links].filter((a) => !(a.ariaLabel ?? a.textContent).trim()).length,
      ranks: [...document.querySelectorAll('h1, h2, h3')].map((h) => h.tagName).join(' '),
      twice: [...document.querySelectorAll('[id]')].length - new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size,
      lost: [...document.querySelectorAll('a[href^="#"]')].filter((a) => !document.querySelector(a.hash)).length,
      language: document.documentElement.lang,
    })`);
    expect(found).toEqual({
      nameless: 0,
      ranks: 'H1 H2 H3 H3 H3 H3 H2 H3 H3 H3 H2',
      twice: 0,
      lost: 0,
      language: 'en',
    });
  });

  test('hostile texts make no element and no attribute for a real parser either', async () => {
    const { skeleton } = readMarkup(await pageOf(PLAIN_TEXTS));
    const pages = await Promise.all(fc.sample(hostileTexts, HOSTILE).map(pageOf));
    await show('<!doctype html>');
    const skeletons = await page.evaluate<string[][]>(`${JSON.stringify(pages)}.map((html) =>
      [...new DOMParser().parseFromString(html, 'text/html').querySelectorAll('*')]
        .filter((e) => e.localName !== 'wbr')
        .map((e) => [e.localName, ...e.getAttributeNames()].join(' ')))`);
    expect(skeletons).toHaveLength(HOSTILE);
    for (const [index, found] of skeletons.entries()) {
      expect(found, pages[index]).toEqual(skeleton);
    }
  });
});
