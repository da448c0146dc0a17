/** What a failed call tells of the store, and of a commit whether it was applied. */
export type CallFailure =
  /** A precondition did not hold, or others wrote at the same time: surely nothing was applied. */
  | { readonly kind: 'refused' }
  /** Nothing that waiting helps against; the words say what to do. */
  | { readonly kind: 'misconfigured'; readonly message: string }
  /** The request itself was not taken: surely nothing was applied. */
  | { readonly kind: 'rejected'; readonly message: string }
  /** No answer, or one that leaves it open. */
  | { readonly kind: 'unclear'; readonly message: string };

/** Which database a sentence speaks of. */
export interface DatabaseName {
  readonly projectId: string;
  readonly database: string;
  readonly emulatorHost?: string | undefined;
}

/** gRPC status codes (google.rpc.Code). */
const CODE = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

/** The meaning of what the client library rejected with, in few words. Throws what is a bug. */
export function meaningOf(error: unknown, name: DatabaseName): CallFailure {
  const { projectId, database, emulatorHost } = name;
  if (error instanceof TypeError) throw error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const words = oneLine(String(message ?? error));
  const place = emulatorHost === undefined ? '' : ` on the emulator at ${emulatorHost}`;
  const where = `Firestore database ${database} of project ${projectId}${place}`;
  if (isSignInRefused(code, words)) return { kind: 'misconfigured', message: SIGN_IN_AGAIN };
  switch (code) {
    case CODE.alreadyExists:
    case CODE.aborted:
      return { kind: 'refused' };
    case CODE.failedPrecondition:
      // A database in Datastore mode answers so to every call.
      return /Datastore Mode/i.test(words)
        ? { kind: 'misconfigured', message: `${where} cannot be used: ${words}` }
        : { kind: 'refused' };
    case CODE.notFound:
      return /no (document|entity)/i.test(words)
        ? { kind: 'refused' }
        : {
            kind: 'misconfigured',
            message: `there is no ${where}: name another (--project or GOOGLE_CLOUD_PROJECT, --database or FIRESTORE_DB), or create it`,
          };
    case CODE.permissionDenied:
      return {
        kind: 'misconfigured',
        message: `${where} may not be used with these credentials: grant them roles/datastore.user (${words})`,
      };
    case CODE.unauthenticated:
      return {
        kind: 'misconfigured',
        message: SIGN_IN_AGAIN,
      };
    case CODE.invalidArgument:
    case CODE.outOfRange:
    case CODE.unimplemented:
      return { kind: 'rejected', message: `${where}: ${words}` };
    case CODE.deadlineExceeded:
      return { kind: 'unclear', message: `${where} does not answer: ${REMEDY}` };
    case CODE.resourceExhausted:
      return { kind: 'unclear', message: `${where}: its quota is used up (${words})` };
    default:
      return {
        kind: 'unclear',
        message: `${where} cannot be reached (${networkReason(words)}): ${REMEDY}`,
      };
  }
}

const SIGN_IN_AGAIN =
  'Google does not accept these credentials: run "gcloud auth application-default login" again, or mend GOOGLE_APPLICATION_CREDENTIALS';

/** A login that ran out: the sign-in's HTTP status then stands where gRPC's code should. */
function isSignInRefused(code: unknown, words: string): boolean {
  const status = Number(code);
  return (
    /metadata from plugin failed/i.test(words) &&
    status >= 400 &&
    status < 500 &&
    status !== 408 &&
    status !== 429
  );
}

const REMEDY = 'check the network and the server, then run again';

/** The library's words for a connection name its own parts, and quote errors within errors. */
const NETWORK_REASONS: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, 'the connection was refused'],
  [/ECONNRESET|EPIPE/, 'the connection was cut'],
  [/No connection established/, 'no connection came about'],
  [/EHOSTUNREACH|ENETUNREACH/, 'there is no way to its host'],
  [/Name resolution failed|ENOTFOUND|EAI_AGAIN/, 'its name could not be looked up'],
];

function networkReason(words: string): string {
  return NETWORK_REASONS.find(([known]) => known.test(words))?.[1] ?? words;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
