import { Agent, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { crc32cOf } from '../../src/artifacts/gcs/crc32c.js';
import { type BoundJob, CHART, type Clients, chartUrl } from './work.js';

/** Over `node:http`, with sockets that are kept. */
export function bareClients(job: BoundJob): Clients & { close(): void } {
  const agent = new Agent({ keepAlive: true });

  const post = (url: string, body: string | Buffer, headers: Record<string, string>) =>
    new Promise<Buffer>((resolve, reject) => {
      const call = request(url, { method: 'POST', agent, headers });
      call.once('error', reject);
      call.once('response', (response: IncomingMessage) => {
        const read = buffer(response);
        if (response.statusCode === 200) read.then(resolve, reject);
        else read.then((said) => reject(new Error(`${response.statusCode} ${said}`)), reject);
      });
      call.end(body);
    });

  return {
    draw: () =>
      post(chartUrl(job), JSON.stringify(CHART), {
        'content-type': 'application/json',
        'x-api-key': job.apiKey,
      }),
    store: async (name, contentType, body) => {
      const boundary = 'between-two-parts';
      const resource = JSON.stringify({ contentType, crc32c: crc32cOf(body) });
      const head = `--${boundary}\r\ncontent-type: application/json\r\n\r\n${resource}\r\n--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`;
      const query = `uploadType=multipart&ifGenerationMatch=0&name=${encodeURIComponent(name)}`;
      await post(
        `${job.storage}/upload/storage/v1/b/${job.bucket}/o?${query}`,
        Buffer.concat([Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--`)]),
        { 'content-type': `multipart/related; boundary=${boundary}` },
      );
    },
    close: () => agent.destroy(),
  };
}
