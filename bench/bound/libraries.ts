import { Agent } from 'node:http';
import { Storage } from '@google-cloud/storage';
import { got } from 'got';
import { crc32cOf } from '../../src/artifacts/gcs/crc32c.js';
import { FirestoreDocumentStore } from '../../src/documents/firestore/firestore-document-store.js';
import { bareClients } from './bare.js';
import { type BoundJob, CHART, type Clients, chartUrl, type LibraryName, work } from './work.js';

/**
 * The bound with some of the program's libraries in the bare clients' place: what each of them costs
 * by itself. With `firestore` two readings and two commits besides, as a step has.
 */
const job = JSON.parse(process.argv[2] ?? '{}') as BoundJob;
const isWith = (library: LibraryName) => job.libraries.includes(library);
const bare = bareClients(job);
const agent = { http: new Agent({ keepAlive: true }) };
const storage = new Storage({ apiEndpoint: job.storage, retryOptions: { autoRetry: false } });
const target = { projectId: 'demo-bench', database: '(default)', emulatorHost: job.firestore };
const documents = new FirestoreDocumentStore(target);

const clients: Clients = {
  draw: isWith('got')
    ? () => {
        const headers = { 'x-api-key': job.apiKey };
        return got
          .post(chartUrl(job), { agent, json: CHART, headers, retry: { limit: 0 } })
          .buffer();
      }
    : bare.draw,
  store: isWith('storage')
    ? (name, contentType, body) =>
        storage
          .bucket(job.bucket)
          .file(name)
          .save(body, {
            resumable: false,
            validation: false,
            preconditionOpts: { ifGenerationMatch: 0 },
            metadata: { contentType, crc32c: crc32cOf(body) },
          })
    : bare.store,
};

const since = performance.now();
if (isWith('firestore')) await readAndCommit();
await work(job, clients);
if (isWith('firestore')) await readAndCommit();
process.stdout.write(JSON.stringify({ durationMs: performance.now() - since }));
process.exit();

async function readAndCommit(): Promise<void> {
  const path = `flow_runs/${job.bucket}`;
  await documents.read([path]);
  await documents.commit([{ kind: 'patch', path, fields: [[['at'], performance.now()]] }]);
}
