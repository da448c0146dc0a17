import { ApiRefusal, property, readTrouble, text } from '../../google/api-errors.js';

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

/** The meaning of what a call rejected with, in few words. Throws what is a bug. */
export function meaningOf(error: unknown, name: DatabaseName): CallFailure {
  if (error instanceof TypeError) throw error;
  const where = placeOf(name);
  if (error instanceof ApiRefusal) return readRefusal(error, where);
  const trouble = readTrouble(error);
  if (trouble.kind === 'credentials') return { kind: 'misconfigured', message: SIGN_IN_AGAIN };
  return unclear(`${where} cannot be reached (${trouble.reason})`);
}

/** By the names of google.rpc.Code; the HTTP status tells less, and all where there is no name. */
function readRefusal({ status, body }: ApiRefusal, where: string): CallFailure {
  // The calls that answer with a list put their error into one, too.
  const error = property(Array.isArray(body) ? body[0] : body, 'error');
  const words = oneLine(text(property(error, 'message')));
  switch (text(property(error, 'status')) || `HTTP ${status}`) {
    case 'ALREADY_EXISTS':
    case 'ABORTED':
      return { kind: 'refused' };
    case 'FAILED_PRECONDITION':
      // A database in Datastore mode answers so to every call.
      return /Datastore Mode/i.test(words)
        ? { kind: 'misconfigured', message: `${where} cannot be used: ${words}` }
        : { kind: 'refused' };
    case 'NOT_FOUND':
      return /no (document|entity)/i.test(words)
        ? { kind: 'refused' }
        : {
            kind: 'misconfigured',
            message: `there is no ${where}: name another (--project or GOOGLE_CLOUD_PROJECT, --database or FIRESTORE_DB), or create it`,
          };
    case 'PERMISSION_DENIED':
      return {
        kind: 'misconfigured',
        message: `${where} may not be used with these credentials: grant them roles/datastore.user (${words})`,
      };
    case 'UNAUTHENTICATED':
    case 'HTTP 401':
      return { kind: 'misconfigured', message: SIGN_IN_AGAIN };
    case 'INVALID_ARGUMENT':
    case 'OUT_OF_RANGE':
    case 'UNIMPLEMENTED':
      return { kind: 'rejected', message: `${where}: ${words}` };
    case 'DEADLINE_EXCEEDED':
      return unclear(`${where} does not answer`);
    case 'RESOURCE_EXHAUSTED':
      return { kind: 'unclear', message: `${where}: its quota is used up (${words})` };
    default:
      return unclear(`${where} cannot be reached (${words || `HTTP ${status}`})`);
  }
}

const SIGN_IN_AGAIN =
  'Google does not accept these credentials: run "gcloud auth application-default login" again, or mend GOOGLE_APPLICATION_CREDENTIALS';

function unclear(sentence: string): CallFailure {
  return {
    kind: 'unclear',
    message: `${sentence}: check the network and the server, then run again`,
  };
}

function placeOf({ projectId, database, emulatorHost }: DatabaseName): string {
  const place = emulatorHost === undefined ? '' : ` on the emulator at ${emulatorHost}`;
  return `Firestore database ${database} of project ${projectId}${place}`;
}

function oneLine(given: string): string {
  const line = given.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
