import { expect } from 'vitest';
import type { RunSummary } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import { flowRun, jsonFile, type LogLine, runCli } from './cli-run.js';
import { summaryOn } from './cli-workspace.js';
import { BUCKET, GcpScene } from './gcp-scene.js';

export const RUN_ID = '20251221-120000_BTCUSDT_demo';
export const STEP_ID = 'charts:1H:test';

/**
 * The promise is 15 s, of which 2 are for loading the program. Those are not measured: these tests start
 * many processes at once, and on a busy machine that alone takes longer.
 */
const DOOR_SECONDS = 13;

type OnTestFinished = (undo: () => Promise<void>) => void;

export interface AtTheDoor {
  readonly exitCode: number | null;
  readonly summary: RunSummary;
}

/** What the program is sent to, instead of the emulator and the fake; `undefined`: nothing. */
export type EnvChange = Readonly<Record<string, string | undefined>>;

export type EnvOf = (scene: GcpScene, onTestFinished: OnTestFinished) => Promise<EnvChange>;

export interface DoorCase {
  readonly env?: EnvOf;
  readonly flags?: readonly string[];
  /** Whether Firestore has the run; it has. */
  readonly withRun?: boolean;
}

/** Runs the real program on a READY step, and checks what holds whatever is in its way. */
export async function knock(
  { env, flags = [], withRun = true }: DoorCase,
  onTestFinished: OnTestFinished,
): Promise<AtTheDoor> {
  const scene = await GcpScene.open(onTestFinished);
  if (withRun) await scene.put(paths.flowRun(RUN_ID), flowRun());
  const file = await jsonFile(scene.cwd, 'run.json', flowRun());
  const before = await stateOf(scene);
  const given = { ...scene.env, LOG_LEVEL: 'debug', ...(await env?.(scene, onTestFinished)) };
  const known = Object.entries(given).filter((entry): entry is [string, string] => !!entry[1]);
  const { exitCode, stdout, stderr } = await runCli(scene.argv(file, ...flags), {
    cwd: scene.cwd,
    env: Object.fromEntries(known),
  });

  const log = onlyLogLines(stderr);
  const summary = summaryOn(stdout);
  expect(summary.message).toMatch(/^[^\r\n]{10,400}$/);
  expect(summary.message).not.toMatch(/\bat \S+ \(|node:|Error:|bug in this worker/);
  const errors = log.filter(({ severity }) => severity === 'ERROR');
  expect(errors.map(({ message }) => message)).toEqual([summary.message]);
  expect(log.map(({ event }) => event)).not.toContain('chart_api_call_start');
  expect(await stateOf(scene)).toEqual(before);
  expect(secondsOf(log)).toBeLessThan(DOOR_SECONDS);
  return { exitCode, summary };
}

/** Every line is one of the log: no trace, no warning of a library, no unhandled rejection. */
export function onlyLogLines(stderr: string): LogLine[] {
  const lines = stderr.split('\n').filter((line) => line !== '');
  expect(lines.filter((line) => !line.startsWith('{"severity":'))).toEqual([]);
  return lines.map((line) => JSON.parse(line));
}

/** From where it is loaded, and says where it goes, to the sentence that tells why it cannot. */
function secondsOf(log: readonly LogLine[]): number {
  const start = log.find(({ event }) => event === 'cloud_target') ?? log[0];
  return (Date.parse(String(log.at(-1)?.time)) - Date.parse(String(start?.time))) / 1_000;
}

/** Everything that a run could have written; its versions tell of writes that changed nothing. */
async function stateOf({ documents, storage }: GcpScene) {
  const run = (await documents.read([paths.flowRun(RUN_ID)])).get(paths.flowRun(RUN_ID));
  const leases = await documents.list(paths.leases(RUN_ID), { limit: 10 });
  return { run, leases: leases.documents, objects: storage.objects(BUCKET) };
}
