import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_PLACEHOLDER } from '../../config/accounts.js';
import { bundled } from '../../config/bundled.js';

/** One file of a starter. */
export interface StarterFile {
  /** Relative, with slashes. */
  readonly name: string;
  readonly text: string;
  readonly mode?: number;
  readonly what: string;
}

export const TEMPLATES = 'chart-templates';
export const ACCOUNTS = 'accounts.json';

/** What a starter holds, apart from `.gitignore`; `command` starts this program. */
export async function starterFiles(now: Date, command: string): Promise<StarterFile[]> {
  const names = (await readdir(bundled.templates)).filter((name) => name.endsWith('.json')).sort();
  const templates = names.map(async (name) => ({
    name: `${TEMPLATES}/${name}`,
    text: await readFile(join(bundled.templates, name), 'utf8'),
    what: 'a chart template',
  }));
  const accounts = [{ id: 'acc-1', apiKey: KEY_PLACEHOLDER, plan: 'BASIC', priority: 1 }];
  return [
    {
      name: 'flow_run.json',
      text: json(flowRun(now)),
      what: 'a flow run with two CHART_EXPORT steps',
    },
    ...(await Promise.all(templates)),
    {
      name: ACCOUNTS,
      text: json(accounts),
      mode: 0o600,
      what: 'a place for your Chart-IMG keys, readable by you alone and ignored by git',
    },
    {
      name: 'STARTER.md',
      text: guide(command),
      what: 'what stands in these files, and what to try',
    },
  ];
}

function flowRun(now: Date) {
  const createdAt = now.toISOString();
  const stamp = createdAt.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const step = (timeframe: string, minImages: number, ...ids: string[]) => ({
    stepType: 'CHART_EXPORT',
    status: 'READY',
    timeframe,
    createdAt,
    dependsOn: [],
    inputs: { minImages, requests: ids.map((chartTemplateId) => ({ chartTemplateId })) },
    outputs: {},
  });
  return {
    schemaVersion: 1,
    runId: `${stamp}_BTCUSDT_start`,
    flowKey: 'starter_v1',
    status: 'RUNNING',
    createdAt,
    trigger: { type: 'MANUAL', source: 'local' },
    scope: { symbol: 'BTCUSDT' },
    steps: {
      'charts:1D:momentum': step(
        '1d',
        1,
        'ctpl_price_ma1226_bb_macd1226_v1',
        'ctpl_price_rsi14_stochrsi_v1',
      ),
      'charts:1H:trend': step('1h', 2, 'ctpl_price_ma1226_vol_v1', 'ctpl_price_psar_adi_v1'),
    },
  };
}

/** Objects of one short field stand on one line. */
function json(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return `${text.replaceAll(/\{\n\s+("\w+": "[^"\n]*")\n\s+\}/g, '{ $1 }')}\n`;
}

function guide(command: string): string {
  const run = `${command} run-local --flow-run-path flow_run.json --templates-dir ${TEMPLATES}`;
  const fence = '```';
  return `# What stands here

JSON has no comments: they are in this file, which you may delete.

## flow_run.json

One run of a pipeline. What this worker reads of it:

- \`runId\`: date-time_SYMBOL_suffix (3 to 6 small letters or digits). A new run needs a new one.
- \`scope.symbol\`: the base symbol without its exchange, \`BTCUSDT\`. The templates add the exchange.
- \`steps\`: by their ids. Of type \`CHART_EXPORT\` and \`READY\`, a step is this worker's to do.
  - \`timeframe\`: \`1m\` is a minute, \`1M\` a month; \`1h\`, \`4h\`, \`1D\`, \`1W\` and others.
  - \`dependsOn\`: ids of steps that must be \`SUCCEEDED\` first.
  - \`inputs.requests\`: one chart for each \`chartTemplateId\`.
  - \`inputs.minImages\`: so many charts make the step \`SUCCEEDED\`; without it all are needed.

Every other field is kept as it is. The file itself is never changed: the work is in \`.worker-chart-export\`.

## ${TEMPLATES}/

What a chart looks like, one \`<id>.json\` each. Copy one, give the copy another name and the same \`id\`, change it, and ask for
it in \`flow_run.json\`.

- \`description\`: becomes \`kind\` in the manifest.
- \`chartImgSymbolTemplate\`: \`BINANCE:{symbol}\`, \`BYBIT:{symbol}.P\`.
- \`request\`: Chart-IMG's Advanced Chart v2 (width, height, theme, studies, drawings); symbol, interval, timezone and format
  are set by the worker.

## ${ACCOUNTS}

Your Chart-IMG keys, for \`--charts-api-mode real\` alone. Put a key in the place of \`${KEY_PLACEHOLDER}\`, and name its plan
(\`BASIC\`, \`PRO\`, \`MEGA\`, \`ULTRA\`, \`ENTERPRISE\`). It is in \`.gitignore\`: keep it there.

## What to try

With sample charts, without a key and without network; each run does the next step:

${fence}sh
${run}
${fence}

Is everything right, and what would each plan of Chart-IMG refuse?

${fence}sh
${command} validate flow_run.json ${ACCOUNTS}
${command} templates lint ${TEMPLATES}
${fence}

With real charts, once a key is in ${ACCOUNTS} (each chart counts on its quota):

${fence}sh
${run} --step-id charts:1H:trend --replay --charts-api-mode real --accounts-config-path ${ACCOUNTS}
${fence}
`;
}
