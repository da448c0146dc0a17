import { type FakeChartImgOptions, startFakeChartImg } from './fake-chart-img.js';

/**
 * `node --import tsx test/support/fake-chart-img/main.ts '{"keys": […], "latencyMs": 200}'` prints
 * its URL, then serves.
 */
const [options] = process.argv.slice(2);
if (options === undefined) {
  process.stderr.write('give the options as JSON\n');
  process.exitCode = 2;
} else {
  const fake = await startFakeChartImg(JSON.parse(options) as FakeChartImgOptions);
  process.stdout.write(`${fake.url}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => fake.close());
}
