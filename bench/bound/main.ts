import { bareClients } from './bare.js';
import { type BoundJob, work } from './work.js';

/** `node main.mjs '<job>'` prints how long the work took, with nothing but Node. */
const job = JSON.parse(process.argv[2] ?? '{}') as BoundJob;
const clients = bareClients(job);
const since = performance.now();
await work(job, clients);
process.stdout.write(JSON.stringify({ durationMs: performance.now() - since }));
clients.close();
