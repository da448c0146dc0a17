import { type Answer, failure, json } from './answers.js';
import type { FakeStorage } from './fake-storage.js';
import type { FaultRule } from './faults.js';
import { resourceOf } from './object-store.js';

/**
 * The same fake for tests in other processes: `GET /__fake/state` tells what was asked of it and,
 * with `?bucket=`, what it holds; `POST /__fake/faults` adds a rule, `DELETE` removes all.
 */
export function control(method: string, target: string, body: Buffer, fake: FakeStorage): Answer {
  const { pathname, searchParams } = new URL(target, 'http://fake');
  switch (`${method} ${pathname}`) {
    case 'GET /__fake/state': {
      const bucket = searchParams.get('bucket') ?? '';
      const objects = fake.objects(bucket).map((object) => resourceOf(bucket, object));
      return json(200, { requests: fake.requests, violations: fake.violations, objects });
    }
    case 'POST /__fake/faults':
      fake.faults.add(JSON.parse(body.toString('utf8')) as FaultRule);
      return json(200, {});
    case 'DELETE /__fake/faults':
      fake.faults.clear();
      return json(200, {});
    default:
      return failure(404, 'notFound', 'no such control');
  }
}
