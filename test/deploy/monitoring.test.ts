import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { emptyFolder, jsonFile, type LogLine, logLines, runCli } from '../support/cli-run.js';
import type { Alert, Metric } from '../support/fake-gcloud/state.js';

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const LOGGER = fileURLToPath(new URL('../../src/log/logger.ts', import.meta.url));

async function documents<T>(folder: string): Promise<Record<string, T>> {
  const files = await readdir(`${DEPLOY}${folder}`);
  const read = async (file: string) => [
    file.replace('.json', ''),
    JSON.parse(await readFile(`${DEPLOY}${folder}/${file}`, 'utf8')),
  ];
  return Object.fromEntries(await Promise.all(files.map(read)));
}

const metrics = await documents<Metric>('metrics');
const alerts = await documents<Alert>('alerts');

/** `a="b" AND (c="d" OR e="f")`, the part of the language of filters that ours are written in. */
function clausesOf(filter: string) {
  return filter.split(' AND ').map((clause) =>
    clause
      .replace(/^\((.*)\)$/, '$1')
      .split(' OR ')
      .map((term) => {
        const [, field = '', value = ''] = /^([\w.]+)="([^"]*)"$/.exec(term) ?? [];
        if (field === '') throw new Error(`not understood: ${term}`);
        return { field, value };
      }),
  );
}

function at(line: LogLine, path: string): unknown {
  const names = path.replace('jsonPayload.', '').split('.');
  return names.reduce<unknown>((value, name) => Object(value)[name], line);
}

const matches = ({ filter }: Metric, line: LogLine) =>
  clausesOf(filter).every((terms) =>
    terms.some(({ field, value }) => field === 'resource.type' || at(line, field) === value),
  );

/** What a metric makes of the lines that it counts: the labels of each. */
function counted(name: string, lines: readonly LogLine[]) {
  const metric = metrics[name];
  if (!metric) throw new Error(`no metric ${name}`);
  return lines
    .filter((line) => matches(metric, line))
    .map((line) =>
      Object.fromEntries(
        Object.entries(metric.labelExtractors).map(([label, extractor]) => [
          label,
          at(line, /^EXTRACT\((.*)\)$/.exec(extractor)?.[1] ?? ''),
        ]),
      ),
    );
}

const eventsOf = ({ filter }: Metric) =>
  clausesOf(filter)
    .flat()
    .filter(({ field }) => field === 'jsonPayload.event')
    .map(({ value }) => value);

describe('the metrics', () => {
  test.for(Object.entries(metrics))('%s waits for an event that is logged', async ([, metric]) => {
    const logger = await readFile(LOGGER, 'utf8');
    const events = eventsOf(metric);
    expect(events).not.toEqual([]);
    for (const event of events) expect(logger).toContain(`  | '${event}'`);
  });

  test.for(Object.entries(metrics))('%s has an extractor for each label', ([, metric]) => {
    const { labels } = metric.metricDescriptor;
    expect(Object.keys(metric.labelExtractors)).toEqual(labels.map(({ key }) => key));
    expect(metric).toMatchObject({
      description: expect.stringMatching(/ \(@mark@\)$/),
      metricDescriptor: { metricKind: 'DELTA', valueType: 'INT64' },
    });
  });

  test('only one of them reads what the sweep alone logs', () => {
    const { labelExtractors, filter } = metrics.chart_export_steps_running_long ?? {};
    expect(filter).toContain('jsonPayload.event="step_running_long"');
    expect(Object.values(labelExtractors ?? {})).toEqual([
      'EXTRACT(jsonPayload.runId)',
      'EXTRACT(jsonPayload.stepId)',
    ]);
  });
});

describe('what the program logs', async () => {
  const cwd = await emptyFolder(afterAll);
  const step = (ids: readonly string[]) => ({
    stepType: 'CHART_EXPORT',
    status: 'READY',
    timeframe: '1h',
    dependsOn: [],
    inputs: { minImages: 1, requests: ids.map((chartTemplateId) => ({ chartTemplateId })) },
    outputs: {},
  });
  const run = (symbol: string, ids: readonly string[]) => ({
    runId: `20251221-120000_${symbol}_demo`,
    status: 'RUNNING',
    flowKey: 'demo',
    scope: { symbol },
    steps: { 'charts:1H:a': step(ids) },
  });
  const accounts = await jsonFile(cwd, 'accounts.json', [{ id: 'acc-1', apiKey: 'sample-key-1' }]);
  const linesOf = async (flowRun: object, ...flags: readonly string[]) => {
    const file = await jsonFile(cwd, 'flow_run.json', flowRun);
    const argv = ['run-local', '--flow-run-path', file, '--accounts-config-path', accounts];
    const { stderr } = await runCli([...argv, '--log-format', 'json', ...flags], { cwd });
    return logLines(stderr);
  };
  const lines = [
    ...(await linesOf(run('BTCUSDT', ['ctpl_price_ma1226_vol_v1']))),
    // Chart-IMG refuses the first, and the second meets the end of the day's quota.
    ...(await linesOf(
      run('ETHUSDT', ['ctpl_price_psar_adi_v1', 'ctpl_price_ma1226_vol_v1']),
      '--concurrency',
      '1',
    )),
    ...(await linesOf(run('BTCUSDT', ['ctpl_price_ma1226_vol_v1']), '--concurrency', 'many')),
  ];

  test('is counted by outcome of the call', () => {
    const call = { mode: 'mock', account: 'acc-1' };
    expect(counted('chart_export_calls', lines)).toEqual([
      { ...call, ok: true, http_status: 200 },
      { ...call, ok: false, http_status: 422 },
      { ...call, ok: false, http_status: 429 },
    ]);
  });

  test('is counted by status and error code of the step', () => {
    expect(counted('chart_export_steps', lines)).toEqual([
      { status: 'SUCCEEDED', error_code: undefined },
      { status: 'FAILED', error_code: expect.stringMatching(/^CHART_API_/) },
    ]);
  });

  test('is counted when the quota is used up, and when nothing can be done', () => {
    expect(counted('chart_export_quota_exhausted', lines)).toEqual([{}]);
    expect(counted('chart_export_errors', lines)).toEqual([{ event: 'config_error' }]);
  });
});

describe('the alerts', () => {
  const filtersOf = ({ conditions }: Alert) =>
    conditions.flatMap(({ conditionThreshold: { filter, denominatorFilter = filter } }) => [
      filter,
      denominatorFilter,
    ]);

  test.for(Object.entries(alerts))('%s rests on a metric and on labels of it', ([, alert]) => {
    for (const filter of filtersOf(alert)) {
      const [, name = ''] = /logging\.googleapis\.com\/user\/(\w+)/.exec(filter) ?? [];
      const labels = Object.keys(metrics[name]?.labelExtractors ?? {});
      expect(Object.keys(metrics)).toContain(name);
      const used = [...JSON.stringify(alert).matchAll(/metric\.label\.(\w+)/g)];
      expect(labels).toEqual(expect.arrayContaining(used.map(([, label = '']) => label)));
    }
  });

  test('there is one for every metric', () => {
    const watched = Object.values(alerts).flatMap(filtersOf).join();
    for (const name of Object.keys(metrics)) expect(watched).toContain(`/user/${name}"`);
  });

  test.for(Object.entries(alerts))('%s has a title of its own and takes a mark', ([, alert]) => {
    expect(alert.userLabels).toEqual({ deployed_as: '@mark@' });
    expect(alert.displayName).toMatch(/^worker-chart-export: [a-zA-Z ]+$/);
    const same = Object.values(alerts).filter((one) => one.displayName === alert.displayName);
    expect(same).toHaveLength(1);
  });
});
