import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject } from '../../contracts/documents.js';
import type { DocumentStore, Reading, StoredDocument } from '../../documents/document-store.js';
import { paths } from '../../documents/paths.js';
import { type Run, stepOf } from '../../engine/flow-run.js';
import type { Logger } from '../../log/logger.js';

/** What the file says of a step that it and the live document both have. */
const GIVEN_FIELDS = ['timeframe', 'inputs'] as const;

/**
 * The live flow run with the file's `scope.symbol`, timeframes and inputs; status and dependencies
 * are the live document's. A difference is logged, once. Commits go through as they are: they name
 * their fields, and none of these is among them.
 */
export function givenView(documents: DocumentStore, given: Run, logger: Logger): DocumentStore {
  const path = paths.flowRun(given.runId);
  const told = new Set<string>();
  const tell = (field: string) => {
    if (told.has(field)) return;
    told.add(field);
    logger.warn(
      'flow_run_differs',
      `${field} differs between the file and the live flow run; the file's is used`,
      {
        field,
      },
    );
  };
  return {
    async read(wanted): Promise<Reading> {
      const reading = await documents.read(wanted);
      const live = reading.get(path);
      const shown: StoredDocument | undefined = live && {
        ...live,
        data: overlaid(live.data, given, tell),
      };
      return { ...reading, get: (asked) => (asked === path ? shown : reading.get(asked)) };
    },
    commit: (writes) => documents.commit(writes),
    list: (collection, page) => documents.list(collection, page),
  };
}

function overlaid(live: JsonObject, given: Run, tell: (field: string) => void): JsonObject {
  const { scope } = given.data;
  const symbol = isJsonObject(scope) ? scope.symbol : undefined;
  const liveScope = isJsonObject(live.scope) ? live.scope : {};
  if (symbol !== liveScope.symbol) tell('scope.symbol');
  if (!isJsonObject(live.steps)) return live;
  const steps = Object.entries(live.steps).map(([stepId, step]) => {
    const mine = stepOf(given, stepId);
    if (!mine || !isJsonObject(step) || step.stepType !== 'CHART_EXPORT') return [stepId, step];
    const fields = GIVEN_FIELDS.map((field) => {
      if (!isDeepStrictEqual(mine[field], step[field]))
        tell(`steps[${JSON.stringify(stepId)}].${field}`);
      return [field, mine[field]];
    });
    return [stepId, { ...step, ...Object.fromEntries(fields) }];
  });
  return { ...live, scope: { ...liveScope, symbol }, steps: Object.fromEntries(steps) };
}
