import { type Answer, json, refusal } from './answers.js';
import type { FakeChartImg } from './fake-chart-img.js';
import type { FaultRule } from './faults.js';

export const CONTROL = '/__fake/';

/**
 * The same fake for tests in other processes: `GET /__fake/state` tells what was asked of it, `POST
 * /__fake/faults` adds a rule, `DELETE` removes all, `POST /__fake/clock {"now": …}` sets the clock.
 */
export function control(method: string, path: string, body: Buffer, fake: FakeChartImg): Answer {
  switch (`${method} ${path}`) {
    case `GET ${CONTROL}state`:
      return json(200, {
        counts: fake.counts,
        requests: fake.requests,
        connections: fake.connections,
      });
    case `POST ${CONTROL}faults`:
      fake.faults.add(JSON.parse(body.toString('utf8')) as FaultRule);
      return json(200, {});
    case `DELETE ${CONTROL}faults`:
      fake.faults.clear();
      return json(200, {});
    case `POST ${CONTROL}clock`:
      fake.setClock((JSON.parse(body.toString('utf8')) as { now: number }).now);
      return json(200, {});
    default:
      return refusal(404, 'no such control');
  }
}
