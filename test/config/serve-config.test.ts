import { expect, test } from 'vitest';
import type { GivenFlags } from '../../src/config/options.js';
import { parseServeConfig } from '../../src/config/serve-config.js';
import { ConfigError } from '../../src/failures.js';
import { emptyFolder } from '../support/cli-run.js';

const TOKEN = 'not-a-real-token-0123456789==';

test('flags over variables over what is usual', async ({ onTestFinished }) => {
  const cwd = await emptyFolder(onTestFinished);
  const parse = (flags: GivenFlags, env: Record<string, string>) =>
    parseServeConfig(flags, env, cwd);
  expect(await parse({}, { CHARTS_API_TOKEN: '' })).toMatchObject({
    ...{ host: '127.0.0.1', port: 8080, token: undefined, requestsPerMinute: 600 },
    cache: { ttlMs: 300_000 },
    chartsApiMode: 'mock',
  });
  const env = {
    CHARTS_API_HOST: '0.0.0.0',
    CHARTS_API_PORT: '0',
    CHARTS_API_TOKEN: TOKEN,
    CHARTS_API_REQUESTS_PER_MINUTE: '60',
  };
  expect(await parse({}, env)).toMatchObject({
    ...{ host: '0.0.0.0', port: 0, token: TOKEN, requestsPerMinute: 60 },
  });
  expect(await parse({ host: '::1', port: '9000' }, env)).toMatchObject({
    ...{ host: '::1', port: 9000 },
  });
});

test('all that is wrong at once, and never the token', async ({ onTestFinished }) => {
  const cwd = await emptyFolder(onTestFinished);
  const wrong = { CHARTS_API_TOKEN: 'short', CHARTS_API_REQUESTS_PER_MINUTE: '0' };
  const error = await parseServeConfig({ port: '-1' }, wrong, cwd).catch((error) => error);
  expect(error).toBeInstanceOf(ConfigError);
  for (const name of ['CHARTS_API_TOKEN', '--port', 'CHARTS_API_REQUESTS_PER_MINUTE']) {
    expect(error.message).toContain(name);
  }
  expect(error.message).not.toContain('short');
});
