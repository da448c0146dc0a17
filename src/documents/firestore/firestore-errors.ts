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
export function meaningOf(error: unknown, { projectId, database }: DatabaseName): CallFailure {
  if (error instanceof TypeError) throw error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const words = oneLine(String(message ?? error));
  const where = `Firestore database ${database} of project ${projectId}`;
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
            message: `there is no ${where}: name another with --project or --database, or create it`,
          };
    case CODE.permissionDenied:
      return {
        kind: 'misconfigured',
        message: `${where} may not be used with these credentials: grant them roles/datastore.user (${words})`,
      };
    case CODE.unauthenticated:
      return {
        kind: 'misconfigured',
        message:
          'Google does not accept these credentials: run "gcloud auth application-default login" again, or mend GOOGLE_APPLICATION_CREDENTIALS',
      };
    case CODE.invalidArgument:
    case CODE.outOfRange:
    case CODE.unimplemented:
      return { kind: 'rejected', message: `${where}: ${words}` };
    case CODE.deadlineExceeded:
      return { kind: 'unclear', message: `${where} does not answer` };
    case CODE.resourceExhausted:
      return { kind: 'unclear', message: `${where}: its quota is used up (${words})` };
    default:
      return { kind: 'unclear', message: `${where} cannot be reached: ${words}` };
  }
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
