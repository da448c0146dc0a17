import { type Check, verdict } from './check.js';
import { asSaid, runNpm } from './process.js';

interface Vulnerability {
  readonly name: string;
  readonly severity: string;
  readonly range: string;
  /** `true`: within the ranges of package.json; an object: by another version of that package. */
  readonly fixAvailable: boolean | Fix;
}

interface Fix {
  readonly name: string;
  readonly version: string;
  readonly isSemVerMajor: boolean;
}

/** HTTP statuses of a registry that has no such service. */
const NOT_OFFERED: ReadonlySet<unknown> = new Set([404, 405, 501]);

/** Fails for what `npm audit fix` would mend. A mend that breaks is told: it may want a newer Node. */
export function audit(part: string, flags: readonly string[] = []): Check {
  return {
    name: `audit:${part}`,
    find: async ({ isOffline }) => {
      if (isOffline) return { status: 'SKIPPED', detail: '--offline: the registry was not asked' };
      // It ends with 1 for a vulnerability too.
      const { stdout, stderr } = await runNpm(['audit', '--json', ...flags]).catch(asSaid);
      const report = JSON.parse(stdout || '{}');
      if (report.vulnerabilities === undefined) {
        const why = report.message ?? report.error?.summary ?? stderr;
        // Whoever publishes has to know; a mirror without this service keeps nobody from the rest.
        const isNotOffered = NOT_OFFERED.has(report.statusCode) && !process.env.CI;
        return isNotOffered
          ? { status: 'SKIPPED', detail: `this registry knows no audits: ${why}` }
          : { status: 'FAILED', problems: [`the registry could not be asked: ${why}`] };
      }
      return judged(Object.values(report.vulnerabilities));
    },
  };
}

function judged(vulnerabilities: readonly Vulnerability[]) {
  const told = vulnerabilities.map(
    (one) => `${one.name} ${one.range}: ${one.severity}, ${mendOf(one.fixAvailable)}`,
  );
  const mendable = vulnerabilities.filter(({ fixAvailable }) =>
    typeof fixAvailable === 'object' ? !fixAvailable.isSemVerMajor : fixAvailable,
  );
  const detail = `${vulnerabilities.length} known, none of them can be mended`;
  return verdict(mendable.length > 0 ? told : [], detail, told.join('\n') || undefined);
}

function mendOf(fix: boolean | Fix): string {
  if (typeof fix === 'boolean') return fix ? 'npm audit fix mends it' : 'nothing mends it yet';
  return `mended by ${fix.name}@${fix.version}${fix.isSemVerMajor ? ', which breaks' : ''}`;
}
