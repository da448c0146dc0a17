import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GoogleAuth } from 'google-auth-library';

export interface FakeSignIn {
  /** A real client of google-auth-library that exchanges its token on the loopback. */
  readonly auth: GoogleAuth;
  /** How often a token was asked for. */
  count(): number;
  close(): Promise<void>;
}

/** A workload identity's token exchange that answers with a status and, on 200, with the token. */
export async function startFakeSignIn(token: string, status = 200): Promise<FakeSignIn> {
  let count = 0;
  const server = createServer((request, response) => {
    count++;
    request.resume();
    const granted = {
      access_token: token,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 3_600,
    };
    const body = status === 200 ? granted : { error: 'invalid_grant', error_description: token };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = await mkdtemp(join(tmpdir(), 'sign-in-'));
  const file = join(folder, 'subject-token');
  await writeFile(file, 'subject-token');
  const credentials = {
    type: 'external_account',
    audience:
      '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/token`,
    credential_source: { file },
  };
  const scopes = 'https://www.googleapis.com/auth/cloud-platform';
  const auth = new GoogleAuth({ projectId: 'p', credentials, scopes });
  const close = async () => {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    await rm(folder, { recursive: true });
  };
  return { auth, count: () => count, close };
}
