/** What the bound is given, as JSON. */
export interface BoundJob {
  readonly chartImg: string;
  readonly storage: string;
  readonly bucket: string;
  readonly apiKey: string;
  readonly charts: number;
  readonly concurrency: number;
}

/** Who talks to the servers. */
export interface Clients {
  draw(): Promise<Buffer>;
  store(name: string, contentType: string, body: Buffer): Promise<void>;
}

/**
 * The least that a step can take: asks for the charts, so many at a time, stores each while the next
 * is drawn, and a last object when all are there. It plans nothing, checks nothing, remembers nothing.
 */
export async function work({ charts, concurrency }: BoundJob, clients: Clients): Promise<void> {
  const uploads: Promise<void>[] = [];
  const waiting = Array.from({ length: charts }, (_, index) => index).values();
  const lane = async () => {
    for (const index of waiting) {
      const png = await clients.draw();
      uploads.push(clients.store(`charts/${index}.png`, 'image/png', png));
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, charts) }, lane));
  await Promise.all(uploads);
  await clients.store('charts/manifest.json', 'application/json', Buffer.from('{}'));
}

/** What is asked of the service. */
export const CHART = { symbol: 'BINANCE:BTCUSDT', interval: '1h', width: 800, height: 600 };

export function chartUrl({ chartImg }: BoundJob): string {
  return `${chartImg}/v2/tradingview/advanced-chart`;
}
