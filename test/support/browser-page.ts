import { type BrowserEvent, type Chromium, inTime } from './chromium.js';

/** How a person looks at a page. */
export interface Viewing {
  readonly width: number;
  readonly scheme?: 'light' | 'dark';
  /** Absent: the screen, and paper for `pdf`. */
  readonly media?: 'print';
}

/** One tab, which writes down all that a quiet page would not do. */
export class BrowserPage {
  /** Console messages, exceptions, and what the browser itself complains of (its content policy). */
  readonly complaints: string[] = [];
  /** URLs that were asked for, the page's own and pictures inside it apart. */
  readonly requests: string[] = [];
  readonly #chromium: Chromium;
  readonly #targetId: string;
  readonly #sessionId: string;
  readonly #deaf: () => void;
  #url = '';
  #loaded: () => void = () => undefined;

  private constructor(chromium: Chromium, targetId: string, sessionId: string) {
    this.#chromium = chromium;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
    this.#deaf = chromium.listen((event) => {
      if (event.sessionId === sessionId) this.#hear(event);
    });
  }

  static async open(chromium: Chromium): Promise<BrowserPage> {
    const { targetId } = await chromium.send('Target.createTarget', { url: 'about:blank' });
    const attached = await chromium.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new BrowserPage(chromium, String(targetId), String(attached.sessionId));
    for (const domain of ['Page', 'Runtime', 'Log', 'Network'])
      await page.#send(`${domain}.enable`);
    return page;
  }

  async goTo(url: string): Promise<void> {
    this.#url = url;
    const loaded = new Promise<void>((resolve) => {
      this.#loaded = resolve;
    });
    const { errorText } = await this.#send('Page.navigate', { url });
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
    await inTime(loaded, `the load event of ${url}`);
  }

  async view({ width, scheme = 'light', media }: Viewing): Promise<void> {
    const size = { width, height: 900, deviceScaleFactor: 1, mobile: false };
    await this.#send('Emulation.setDeviceMetricsOverride', size);
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await this.#send('Emulation.setEmulatedMedia', { media: media ?? '', features });
  }

  /** What `expression`, which may be a promise, comes to in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** The whole page, as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#send('Page.captureScreenshot', { captureBeyondViewport: true });
    return Buffer.from(String(data), 'base64');
  }

  async pdf(): Promise<Buffer> {
    const { data } = await this.#send('Page.printToPDF', {
      preferCSSPageSize: true,
      printBackground: true,
    });
    return Buffer.from(String(data), 'base64');
  }

  async close(): Promise<void> {
    this.#deaf();
    await this.#chromium.send('Target.closeTarget', { targetId: this.#targetId });
  }

  #send(method: string, params: Record<string, unknown> = {}) {
    return this.#chromium.send(method, params, this.#sessionId);
  }

  #hear({ method, params }: BrowserEvent): void {
    switch (method) {
      case 'Page.loadEventFired':
        this.#loaded();
        return;
      case 'Network.requestWillBeSent': {
        const { url } = params.request as { url: string };
        if (url !== this.#url && !url.startsWith('data:')) this.requests.push(url);
        return;
      }
      case 'Runtime.consoleAPICalled':
      case 'Runtime.exceptionThrown':
      case 'Log.entryAdded':
        this.complaints.push(JSON.stringify(params));
        return;
      default:
        return;
    }
  }
}
