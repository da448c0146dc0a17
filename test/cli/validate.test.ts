import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkDocument } from '../../src/cli/validate/check-document.js';
import { kindOf } from '../../src/cli/validate/kinds.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { addressRun } from '../../src/engine/flow-run.js';
import { readInputs } from '../../src/engine/plan.js';
import { emptyFolder, flowRun, jsonFile, logLines, runCli } from '../support/cli-run.js';
import { runOnPty, whyNoPty } from '../support/pty.js';

const KEY = 'sk-live-0123456789abcdef';
const AT = 'steps["charts:1H:test"]';

const TEMPLATE = {
  id: 'mine',
  description: 'mine',
  chartImgSymbolTemplate: 'BINANCE:{symbol}',
  request: { height: 600 },
};
const MANIFEST = {
  schemaVersion: 1,
  runId: '20251221-120000_BTCUSDT_demo',
  stepId: 'charts:1H:a',
  createdAt: '2025-12-21T12:00:00Z',
  symbol: 'BTCUSDT',
  timeframe: '1h',
  minImages: 1,
  requested: [{ chartTemplateId: 'a' }, { chartTemplateId: 'b' }],
  items: [
    {
      chartTemplateId: 'a',
      kind: 'a',
      generatedAt: '2025-12-21T12:00:00Z',
      png_gcs_uri: 'gs://b/charts/a.png',
    },
  ],
  failures: [
    { request: { chartTemplateId: 'b' }, error: { code: 'CHART_API_FAILED', message: 'no' } },
  ],
};

/** Runs it on one document in a file of this name. */
async function validate(
  onTestFinished: (undo: () => Promise<void>) => void,
  name: string,
  document: unknown,
) {
  const cwd = await emptyFolder(onTestFinished);
  await chmod(await jsonFile(cwd, name, document), 0o600);
  const { exitCode, stdout, stderr } = await runCli(['validate', name], { cwd });
  expect(stderr).toBe('');
  return { exitCode, lines: stdout.trimEnd().split('\n') };
}

describe('validate: what is right', () => {
  test.for([
    ['flow_run.json', flowRun(), 'flow run: ok, 1 CHART_EXPORT step'],
    ['mine.json', TEMPLATE, 'chart template: ok, any plan draws it'],
    ['accounts.json', [{ id: 'acc-1', apiKey: KEY }], 'accounts: ok, 1 account'],
    ['manifest.json', MANIFEST, 'manifest: ok, 1 item, 1 failure'],
  ] as const)('%s', async ([name, document, words], { onTestFinished }) => {
    const { exitCode, lines } = await validate(onTestFinished, name, document);
    expect([exitCode, lines]).toEqual([0, [`${name}: ${words}`]]);
  });

  test('from stdin, beside a file, and as JSON', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await jsonFile(cwd, 'mine.json', TEMPLATE);
    const options = { cwd, input: JSON.stringify(flowRun()) };
    const { exitCode, stdout } = await runCli(['validate', '-', 'mine.json', '--json'], options);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      files: [
        { file: 'stdin', kind: 'flow run', errors: [], warnings: [] },
        { file: 'mine.json', kind: 'chart template', errors: [], warnings: [] },
      ],
    });
  });

  test.skipIf(whyNoPty)('on a terminal, the same words', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await jsonFile(cwd, 'mine.json', TEMPLATE);
    const { exitCode, screen } = await runOnPty(['validate', 'mine.json', 'no.json'], { cwd });
    expect(exitCode).toBe(2);
    expect(screen).toBe(
      'mine.json: chart template: ok, any plan draws it\nno.json: cannot be read: no such file or directory\n',
    );
  });
});

describe('validate: a flow run', () => {
  test('all that is wrong at once, warnings apart', async ({ onTestFinished }) => {
    const requests = [{ chartTemplateId: 'a' }, { chartTemplateId: 'a' }, { chartTemplateId: 'b' }];
    const document = flowRun({
      runId: 'nope',
      timeframe: '90m',
      dependsOn: ['gone', 'charts:1H:test'],
      inputs: { minImages: 9, requests },
    });
    const steps = document.steps as Record<string, JsonObject>;
    steps['charts/../x'] = { ...steps['charts:1H:test'], dependsOn: [], timeframe: '1h' };
    steps.broken = {};
    const { exitCode, lines } = await validate(onTestFinished, 'f.json', {
      ...document,
      scope: { symbol: 'BTC/USDT' },
    });
    expect(exitCode).toBe(1);
    const [head, ...found] = lines.map((line) => line.slice('f.json: '.length));
    expect(head).toBe('flow run: 8 errors, 3 warnings');
    expect(found).toEqual([
      'runId: "nope" is not a run id (like 20251221-120000_BTCUSDT_demo)',
      expect.stringMatching(/^scope\.symbol: must be a base symbol such as BTCUSDT/),
      expect.stringMatching(
        /^steps\["charts:1H:test"\]\.timeframe: "90m" is not one of .*; nearest is 1h$/,
      ),
      `${AT}.inputs.requests[1].chartTemplateId: a is asked for twice`,
      `${AT}.inputs.minImages: 9 is more than the 3 charts asked for`,
      'steps["charts/../x"]: the id is not allowed; the step is never done',
      'steps["charts/../x"].inputs.requests[1].chartTemplateId: a is asked for twice',
      'steps["charts/../x"].inputs.minImages: 9 is more than the 3 charts asked for',
      `warning: ${AT}.dependsOn[0]: "gone" is not in the run, which blocks the step unless --step-id names it`,
      `warning: ${AT}.dependsOn[1]: is the step itself, which blocks it`,
      'warning: steps["broken"].stepType: is missing; the step is passed over',
    ]);
  });

  test.for([
    [{ runId: 'x' }, ['runId: "x" is not a run id', 'steps: the flow run has no steps']],
    [{ steps: {} }, ['runId: is required', 'steps: the flow run has no steps']],
  ] as const)('%j', async ([document, words], { onTestFinished }) => {
    const { exitCode, lines } = await validate(onTestFinished, 'f.json', document);
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      'f.json: flow run: 2 errors',
      ...words.map((word) => expect.stringContaining(`f.json: ${word}`)),
    ]);
  });

  test('more than five problems of one step are all said', async ({ onTestFinished }) => {
    const requests = Array.from({ length: 12 }, () => ({ chartTemplateId: 'a' }));
    const { lines } = await validate(onTestFinished, 'f.json', flowRun({ inputs: { requests } }));
    expect(lines[0]).toBe('f.json: flow run: 11 errors');
    expect(lines).toHaveLength(12);
  });

  test('nothing for this worker is a warning', async ({ onTestFinished }) => {
    const document = flowRun({ stepType: 'LLM_REPORT' });
    const { exitCode, lines } = await validate(onTestFinished, 'f.json', document);
    expect(exitCode).toBe(0);
    expect(lines[1]).toBe(
      'f.json: warning: steps: none is a CHART_EXPORT, there is nothing for this worker',
    );
  });

  test('it is right when the engine would do its step, wrong when not', () => {
    const texts = fc.constantFrom('a', 'b c', 'constructor', '');
    const part = (right: unknown) =>
      fc.oneof({ weight: 9, arbitrary: fc.constant(right) }, fc.jsonValue());
    const requests = fc.array(fc.oneof(fc.record({ chartTemplateId: texts }), fc.jsonValue()));
    const step = fc.record(
      {
        stepType: fc.constant('CHART_EXPORT'),
        status: part('READY'),
        timeframe: part('1H'),
        dependsOn: part([]),
        inputs: part({ requests: [{ chartTemplateId: 'a' }] }),
      },
      { requiredKeys: ['stepType'] },
    );
    const inputs = fc.record({ requests, minImages: part(1) }, { requiredKeys: ['requests'] });
    const either = fc.oneof(
      step,
      fc.tuple(step, inputs).map(([one, two]) => ({ ...one, inputs: two })),
    );
    let [right, wrong] = [0, 0];
    fc.assert(
      fc.property(either, part({ symbol: 'BTCUSDT' }), (only, scope) => {
        const data = { runId: '20251221-120000_BTCUSDT_demo', scope, steps: { only } };
        const run = addressRun(data, undefined);
        if ('reason' in run) throw new Error(run.message);
        const isRight = !('error' in readInputs(run, 'only'));
        if (isRight) right += 1;
        else wrong += 1;
        expect(checkDocument('flow run', data).errors.length === 0).toBe(isRight);
      }),
      { numRuns: 300 },
    );
    expect(Math.min(right, wrong)).toBeGreaterThan(10);
  });
});

describe('validate: accounts', () => {
  test.for([
    [
      'twice the same',
      [
        { id: 'a', apiKey: KEY },
        { id: 'a', apiKey: KEY },
      ],
      1,
    ],
    ['no list', { id: KEY, apiKey: KEY }, 1],
    ['a list below a name', { accounts: [{ id: 'a', apiKey: KEY }] }, 1],
    ['a key as an id', [{ id: KEY, apiKey: KEY }], 1],
    ['a key with white space', [{ id: 'a', apiKey: ` ${KEY}` }], 1],
    ['a key as a plan', [{ id: 'a', apiKey: 'x', plan: KEY }], 1],
    ['a key as a limit', [{ id: 'a', apiKey: 'x', dailyLimit: KEY }], 1],
    ['a key as a field', [{ id: 'a', apiKey: 'x', [KEY]: 1 }], 0],
    ['id and key exchanged', [{ id: KEY, apiKey: 'acc-1', [KEY]: KEY }], 0],
    ['keys alone', [KEY, KEY], 1],
    ['what looks like a template', { id: 'a', apiKey: KEY, request: { [KEY]: KEY } }, 1],
  ] as const)('%s: no key is shown', async ([, document, exit], { onTestFinished }) => {
    const { exitCode, lines } = await validate(onTestFinished, 'accounts.json', document);
    expect(exitCode).toBe(exit);
    expect(lines[0]).toMatch(/^accounts\.json: accounts: (ok, 1 account, 1 warning|\d errors?)$/);
    expect(lines.join('\n')).not.toContain(KEY.slice(3, 12));
    const cwd = await emptyFolder(onTestFinished);
    const input = JSON.stringify(document);
    for (const flags of [['--json'], ['--verbose', '--log-format', 'json']]) {
      const { stdout, stderr } = await runCli(['validate', '-', ...flags], { cwd, input });
      expect(stdout + stderr).not.toContain(KEY.slice(3, 12));
    }
  });

  test.for([
    [[], 'is a list without accounts'],
    [{ accounts: [] }, 'is no list of accounts'],
  ])('%j: what was expected, in our words', async ([document, what], { onTestFinished }) => {
    const { exitCode, lines } = await validate(onTestFinished, 'accounts.json', document);
    expect(exitCode).toBe(1);
    expect(lines[1]).toBe(
      `accounts.json: (document): ${what}; write one such as [{"id": "acc-1", "apiKey": "…"}]`,
    );
  });

  test('neither where it is no JSON', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await writeFile(join(cwd, 'a.json'), `[{"id": "a", "apiKey": "${KEY}" ${KEY}}]`);
    const { exitCode, stdout, stderr } = await runCli(['validate', 'a.json', '--json'], { cwd });
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      files: [{ file: 'a.json', kind: null }],
    });
    expect(stdout + stderr).not.toContain(KEY.slice(3, 12));
  });

  test('open to others: a warning whose remedy works', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const path = await jsonFile(cwd, 'accounts.json', [{ id: 'a', apiKey: KEY }]);
    await chmod(path, 0o644);
    const open = await runCli(['validate', 'accounts.json'], { cwd });
    expect(open.stdout).toBe(
      'accounts.json: accounts: ok, 1 account, 1 warning\naccounts.json: warning: (document): can be read by others; chmod 600 it\n',
    );
    await chmod(path, 0o600);
    const { stdout } = await runCli(['validate', 'accounts.json'], { cwd });
    expect(stdout).toBe('accounts.json: accounts: ok, 1 account\n');
  });
});

describe('validate: templates and manifests', () => {
  test('a template under another name, larger than the free plan draws', async ({
    onTestFinished,
  }) => {
    const document = { ...TEMPLATE, request: { width: 1000, hieght: 1 } };
    const { exitCode, lines } = await validate(onTestFinished, 'other.json', document);
    expect(exitCode).toBe(0);
    expect(lines).toEqual([
      'other.json: chart template: ok, plan PRO or larger draws it, 3 warnings',
      'other.json: warning: request.width: 1000 pixels are more than the 800 of BASIC',
      'other.json: warning: request.hieght: is not a known key; did you mean height?',
      'other.json: warning: id: a run looks for mine in mine.json, not in other.json',
    ]);
  });

  test.for([
    [
      'a chart that neither came nor failed',
      { failures: [] },
      'requested[1]: "b" is neither in items nor in failures',
    ],
    [
      'a chart nobody asked for',
      { requested: [{ chartTemplateId: 'b' }] },
      'items[0].chartTemplateId: "a" is not in requested',
    ],
    [
      'a chart twice',
      { items: [MANIFEST.items[0], MANIFEST.items[0]] },
      'items[1].chartTemplateId: "a" is there twice',
    ],
    ['a field too many', { signed_url: 'x' }, 'signed_url: is not a known field'],
  ] as const)('%s', async ([, change, words], { onTestFinished }) => {
    const { exitCode, lines } = await validate(onTestFinished, 'm.json', {
      ...MANIFEST,
      ...change,
    });
    expect([exitCode, lines]).toEqual([1, ['m.json: manifest: 1 error', `m.json: ${words}`]]);
  });
});

describe('validate: what cannot be told', () => {
  test('each file has its line; exit 2 whatever the others are', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await jsonFile(cwd, 'bad.json', { ...TEMPLATE, description: '' });
    await jsonFile(cwd, 'else.json', { hello: 1 });
    await jsonFile(cwd, 'text.json', 'text');
    await writeFile(join(cwd, 'empty.json'), '');
    await mkdir(join(cwd, 'folder'));
    const files = ['bad.json', 'else.json', 'text.json', 'empty.json', 'folder'];
    const { exitCode, stdout } = await runCli(['validate', ...files], { cwd });
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/^bad\.json: chart template: 1 error, 1 warning$/m);
    expect(stdout).toMatch(/^else\.json: is none of flow run/m);
    expect(stdout).toMatch(/^text\.json: is none of flow run/m);
    expect(stdout).toMatch(/^empty\.json: is not JSON: it is empty; write one of flow run \(.*$/m);
    expect(stdout).toMatch(/^folder: cannot be read: it is a directory$/m);
  });

  test.for([
    [[], 'name the files to check, or - for stdin'],
    [['-', '-'], '- is named twice: stdin can be read only once'],
  ] as const)('%j: exit 2', async ([operands, message], { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, stdout, stderr } = await runCli(['validate', ...operands], { cwd });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(logLines(stderr)).toMatchObject([{ event: 'config_error', message }]);
  });

  test('a pipe that never ends is left by Ctrl-C', async ({ onTestFinished }) => {
    const { CliProcess } = await import('../support/cli-run.js');
    const cwd = await emptyFolder(onTestFinished);
    const process = new CliProcess(['validate', '-'], { cwd, input: null });
    setTimeout(() => process.kill('SIGINT'), 1_500);
    expect(await process.ended).toMatchObject({ exitCode: 130, stdout: '' });
  });

  test('never throws, whatever JSON comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const kind = kindOf(value);
        if (kind !== undefined) checkDocument(kind, value);
        for (const each of ['flow run', 'chart template', 'accounts', 'manifest'] as const) {
          checkDocument(each, value);
          checkDocument(each, {
            ...flowRun(),
            ...TEMPLATE,
            ...MANIFEST,
            items: value,
            steps: value,
          });
        }
      }),
    );
  });
});
