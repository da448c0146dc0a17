import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliWorkspace, summaryOn } from '../../support/cli-workspace.js';
import { REPOSITORY } from '../../support/packed.js';
import { type Check, type Place, verdict } from './check.js';
import { Cloud, NO_CLOUD } from './cloud.js';
import { install, installTarball } from './install-tarball.js';
import { nodeOf } from './node-version.js';
import { User } from './user.js';

const FRAMEWORK = '@google-cloud/functions-framework';
const PACKAGE = 'node_modules/worker-chart-export';
const RUN = ['run-local', '--flow-run-path', `${PACKAGE}/fixtures/flow-runs/five-templates.json`];
const FUNCTION_ENV = { CHARTS_BUCKET: 'gs://charts', CHARTS_API_MODE: 'mock' };
const JSON_SUMMARY = ['--output-summary', 'json'];

/** In an empty folder, under Node of this major, with whatever npm installs today. */
export function installed(major: number): Check {
  return {
    name: `node ${major}`,
    find: async (place) => {
      const node = await nodeOf(major);
      const user = new User(join(place.folder, `node-${major}`), node);
      await mkdir(user.folder);
      await installTarball(place, user.folder, node.path);
      await tellsItsVersion(user);
      await helps(user);
      await doesTheMainJob(user);
      const cloud = await worksOnGcp(user, place.firestore);
      const framework = await addFramework(user, place, node.path);
      await isImported(user);
      const told = ['--version', '--help', 'mock run', cloud, `cloud-event with ${framework}`];
      return verdict([], `${node.version}: ${told.join(', ')}`);
    },
  };
}

async function tellsItsVersion(user: User): Promise<void> {
  const { version } = JSON.parse(
    await readFile(join(user.folder, PACKAGE, 'package.json'), 'utf8'),
  );
  assert.deepEqual(await user.program(['--version']), { stdout: `${version}\n`, stderr: '' });
}

async function helps(user: User): Promise<void> {
  const { stdout, stderr } = await user.program(['--help']);
  assert.match(stdout, /^Usage: worker-chart-export .*^ {2}run-local /ms);
  assert.equal(stderr, '');
}

async function doesTheMainJob(user: User): Promise<void> {
  const { stdout, stderr } = await user.program([...RUN, ...JSON_SUMMARY]);
  const summary = summaryOn(stdout);
  assert.deepEqual(
    [summary.status, summary.itemsCount, summary.failuresCount],
    ['SUCCEEDED', 5, 0],
  );
  const manifest = await new CliWorkspace(user.folder).manifest(summary.outputsManifestGcsUri);
  assert.equal(manifest.items.length, 5);
  onlyLogs(stderr);
}

async function worksOnGcp(user: User, host: string | undefined): Promise<string> {
  if (host === undefined) return NO_CLOUD;
  const cloud = await Cloud.open(host);
  try {
    const { stdout, stderr } = await user.program(
      [...RUN, ...JSON_SUMMARY, ...cloud.flags],
      cloud.env,
    );
    const summary = summaryOn(stdout);
    assert.deepEqual(
      [summary.status, summary.itemsCount, summary.backend],
      ['SUCCEEDED', 5, 'gcp'],
    );
    assert.equal(cloud.pictures, 5);
    assert.deepEqual(cloud.violations, []);
    onlyLogs(stderr);
  } finally {
    await cloud.close();
  }
  return 'a run on gcp (emulators)';
}

/** The version that is tested; what npm warns of there is its own affair, and told. */
async function addFramework(user: User, { isOffline }: Place, node: string): Promise<string> {
  const lock = JSON.parse(await readFile(join(REPOSITORY, 'package-lock.json'), 'utf8'));
  const { version } = lock.packages[`node_modules/${FRAMEWORK}`];
  const { folder } = user;
  const warned = await install([`${FRAMEWORK}@${version}`], { folder, isOffline, node });
  const told = warned.map((name) => `, whose ${name} says that it does not support this Node`);
  return `the framework ${version}${told.join('')}`;
}

async function isImported(user: User): Promise<void> {
  const source = `
    const functions = await import('worker-chart-export/cloud-event');
    console.log(Object.keys(functions).join());`;
  const { stdout, stderr } = await user.module(source, FUNCTION_ENV);
  assert.deepEqual([stdout, stderr], ['workerChartExport,workerChartExportSweep\n', '']);
}

/** Nothing else than the log, and nothing in it that is worse than information. */
function onlyLogs(stderr: string): void {
  const others = stderr.split('\n').filter((line) => line !== '' && !isInformation(line));
  assert.deepEqual(others, []);
}

function isInformation(line: string): boolean {
  return line.startsWith('{') && ['INFO', 'DEBUG'].includes(JSON.parse(line).severity);
}
