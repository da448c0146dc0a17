import { mkdir, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { emptyFolder } from '../cli-run.js';
import { GOOGLE_CERTIFICATE, GOOGLE_CERTIFICATE_KEY } from './certificate.js';

type Cleanup = (undo: () => Promise<void>) => void;

/** The emulator knows it as its owner's. */
const TOKEN = 'owner';

export interface StandInGoogle {
  /** Where each service's calls go on to; change it at will. */
  firestorePort: number;
  storagePort: number;
  /** What the sign-in answers; 200: it grants a token. */
  signInStatus: number;
  /** What a program needs to be led here, without emulator variables. */
  readonly env: Readonly<Record<string, string>>;
  /** For a program that takes `--import` of its own. */
  readonly preload: readonly string[];
  /** Puts what `gcloud auth application-default login` would write into a home. */
  logIn(home: string): Promise<void>;
}

/**
 * Firestore, Cloud Storage and Google's sign-in under their real names, by TLS and ALPN as there;
 * what answers behind is an emulator and a fake.
 */
export async function standInGoogle(
  onTestFinished: Cleanup,
  ports: Pick<StandInGoogle, 'firestorePort' | 'storagePort'>,
): Promise<StandInGoogle> {
  const signIn = createHttpServer((request, response) => {
    request.resume();
    const isGranted = google.signInStatus === 200;
    const body = isGranted
      ? { access_token: TOKEN, token_type: 'Bearer', expires_in: 3_600 }
      : { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' };
    response.writeHead(google.signInStatus, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => signIn.listen(0, '127.0.0.1', resolve));

  const sockets = new Set<Socket>();
  const server = createServer({
    cert: GOOGLE_CERTIFICATE,
    key: GOOGLE_CERTIFICATE_KEY,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket: TLSSocket & { servername?: string }) => {
    const upstream = connect(portOf(socket.servername ?? ''), '127.0.0.1');
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  const portOf = (name: string) => {
    if (name.startsWith('firestore.')) return google.firestorePort;
    if (name.startsWith('storage.')) return google.storagePort;
    return (signIn.address() as AddressInfo).port;
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const authority = join(await emptyFolder(onTestFinished), 'authority.pem');
  await writeFile(authority, GOOGLE_CERTIFICATE);
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    signIn.closeAllConnections();
    await Promise.all(
      [server, signIn].map((one) => new Promise<void>((resolve) => one.close(() => resolve()))),
    );
  });
  const google: StandInGoogle = {
    ...ports,
    signInStatus: 200,
    env: {
      STAND_IN_GOOGLE: String((server.address() as AddressInfo).port),
      NODE_EXTRA_CA_CERTS: authority,
      // Nobody asks this machine whether it is one of Google's.
      METADATA_SERVER_DETECTION: 'none',
    },
    preload: [new URL('./direct.mjs', import.meta.url).href],
    logIn: async (home) => {
      const folder = join(home, '.config', 'gcloud');
      await mkdir(folder, { recursive: true });
      const person = {
        type: 'authorized_user',
        client_id: 'a.apps.googleusercontent.com',
        client_secret: 'not-a-secret',
        refresh_token: 'not-a-token',
      };
      const file = join(folder, 'application_default_credentials.json');
      await writeFile(file, JSON.stringify(person));
    },
  };
  return google;
}
