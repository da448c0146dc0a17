import { relative } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';
import { type ProofSuite, suiteOf } from './suites.js';
import type { TestEnd } from './tally.js';

const TESTS = new URL('..', import.meta.url).pathname;

/** Gathers how each test ended, by suite, and how long a suite took from its first file to its last. */
export class ProofReporter implements Reporter {
  readonly #ends = new Map<ProofSuite, TestEnd[]>();
  readonly #spans = new Map<ProofSuite, { fromMs: number; toMs: number }>();
  /** Errors of no test, which Vitest would fail its run for: what came after them proves nothing. */
  readonly strays: string[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  onTestModuleStart(module: TestModule): void {
    const suite = suiteIn(module);
    if (suite && !this.#spans.has(suite)) {
      this.#spans.set(suite, { fromMs: performance.now(), toMs: performance.now() });
    }
  }

  onTestCaseResult(test: TestCase): void {
    const suite = suiteIn(test.module);
    if (!suite) return;
    const { state } = test.result();
    const ends = this.#ends.get(suite) ?? [];
    ends.push({ name: test.fullName, state, proof: test.meta().proof });
    this.#ends.set(suite, ends);
    if (state !== 'failed') return;
    const reasons = test.result().errors?.map(({ message }) => message);
    this.#say(`FAILED ${suite.name}: ${test.fullName}\n  ${reasons?.join('\n  ') ?? ''}`);
  }

  onTestModuleEnd(module: TestModule): void {
    const suite = suiteIn(module);
    const span = suite && this.#spans.get(suite);
    if (!suite || !span) return;
    span.toMs = performance.now();
    // A file that cannot be loaded has no test that could fail.
    for (const { message } of module.errors()) {
      const ends = this.#ends.get(suite) ?? [];
      const name = `${relative(TESTS, module.moduleId)}: ${message}`;
      this.#ends.set(suite, [...ends, { name, state: 'failed', proof: undefined }]);
      this.#say(`FAILED ${suite.name}: ${name}`);
    }
    this.#say(`${suite.name}: ${relative(TESTS, module.moduleId)}`);
  }

  onTestRunEnd(_: readonly TestModule[], errors: readonly SerializedError[]): void {
    for (const { message } of errors) {
      this.strays.push(message);
      this.#say(`FAILED outside of a test: ${message}`);
    }
  }

  endsOf(suite: ProofSuite): readonly TestEnd[] {
    return this.#ends.get(suite) ?? [];
  }

  secondsOf(suite: ProofSuite): number {
    const span = this.#spans.get(suite);
    return span ? (span.toMs - span.fromMs) / 1_000 : 0;
  }
}

function suiteIn({ moduleId }: TestModule): ProofSuite | undefined {
  return suiteOf(relative(TESTS, moduleId).replaceAll('\\', '/'));
}
