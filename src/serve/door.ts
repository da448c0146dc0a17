import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import type { JsonObject } from '../contracts/documents.js';
import { reasonOf } from '../failures.js';
import type { Logger } from '../log/logger.js';
import { type Redactor, redactJson } from '../log/redact.js';
import { byToken, fromThisMachine } from './admission.js';
import { addChecks } from './checks.js';
import type { DoorDeps } from './door-deps.js';
import { listen } from './listening.js';
import { answerNoRequest } from './no-request.js';
import { addOpenApi, openApiOf } from './openapi.js';
import { HttpProblem, problemOf } from './problems.js';
import { tell } from './request-log.js';
import { addCleanup } from './routes/cleanup.js';
import { addGenerate } from './routes/generate.js';
import { addHealth } from './routes/health.js';
import { addSnapshots } from './routes/snapshots.js';
import { addSymbolConfig } from './routes/symbol-config.js';
import { addUsage } from './routes/usage.js';
import { Turns } from './turns.js';

export interface DoorSettings {
  /** `undefined`: nobody but this machine is answered. */
  readonly token: string | undefined;
  /** From one address. */
  readonly requestsPerMinute: number;
  /** For one order. */
  readonly timeoutMs: number;
}

export interface DoorOn extends Pick<DoorDeps, 'library' | 'lookAtStore'> {
  readonly logger: Logger;
  readonly redact: Redactor;
}

/** The library behind HTTP. */
export interface Door {
  /** Resolves to its URL. Rejects with `ConfigError` where nobody may listen. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  /**
   * No new connections; what is in flight may take so long to finish, and is then cut. `cut`:
   * something was.
   */
  close(finishMs: number): Promise<'finished' | 'cut'>;
  readonly openApi: JsonObject;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Nobody has to show a token, and it is not counted. */
    isOpen?: boolean;
  }
  interface FastifyReply {
    /** What it was answered, where that is a problem. */
    problem?: HttpProblem;
  }
}

const BODY_BYTES = 65_536;
/** For a whole request to come in, and for its headers. */
const RECEIVE_MS = 30_000;
const HEADERS_MS = 10_000;
/** Without a request on a connection; longer ones only delay the end. */
const KEEP_ALIVE_MS = 5_000;
const MOST_CONNECTIONS = 1_000;
const TURNS = { atOnce: 32, waiting: 128, waitMs: 10_000 };
/** What was cut has so long to give back what it took. */
const CUT_MS = 2_000;

/** Opens the door, not yet listening. */
export async function openDoor(
  { library, lookAtStore, logger, redact }: DoorOn,
  { token, requestsPerMinute, timeoutMs }: DoorSettings,
): Promise<Door> {
  const turns = new Turns(TURNS);
  let isStopping = false;

  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES,
    requestTimeout: RECEIVE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Nobody drips an answer out for ever: longer than any work takes.
    connectionTimeout: timeoutMs + 60_000,
    http: { headersTimeout: HEADERS_MS },
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // Answered in our own words, in a hook.
    return503OnClosing: false,
    // The longest id of a snapshot has 148 characters.
    routerOptions: { maxParamLength: 400 },
    frameworkErrors: (error, request, reply) => answerProblem(error, request, reply),
    clientErrorHandler: answerNoRequest,
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  app.removeContentTypeParser('text/plain');

  const answerProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const problem = problemOf(error);
    if (problem.code === 'INTERNAL_ERROR' && !(error instanceof HttpProblem)) {
      const stack = error instanceof Error ? (error.stack ?? null) : null;
      logger.debug('internal_error', reasonOf(error), { stack, requestId: request.id });
      logger.error('infrastructure_error', `a bug in this worker: ${reasonOf(error)}`);
    }
    reply.problem = problem;
    const { retryAfterSeconds } = problem.more;
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
    if (problem.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer');
    // Here too: no hook sees the answer to a URL that is none.
    const body = redactJson(problem.body(), redact);
    reply.code(problem.status).type('application/problem+json').send(body);
  };
  app.setErrorHandler(answerProblem);
  app.setNotFoundHandler(({ method, url }) => {
    const [path = ''] = url.slice(0, 200).split('?');
    throw new HttpProblem('NOT_FOUND', `there is no ${method} ${path}`);
  });

  addChecks(app);
  await app.register(rateLimit, {
    global: false,
    max: requestsPerMinute,
    timeWindow: 60_000,
    allowList: ({ routeOptions: { config } }) => config.isOpen === true,
    errorResponseBuilder: (_, { max, ttl }) => tooMany(max, ttl),
  });
  // Before the token is looked at: who tries them out is counted too.
  app.addHook('onRequest', app.rateLimit());
  const admit = token === undefined ? fromThisMachine : byToken(token);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    if (isStopping) throw stopping();
    if (request.routeOptions.config.isOpen !== true) admit(request);
    const { headers } = request;
    // Clients name a type also of no body (axios: of a form), which is none then.
    const hasBody = 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
    if (!hasBody) delete headers['content-type'];
  });
  // The one sink of what is answered; pictures are bytes, and hold no key.
  app.addHook('preSerialization', async (_request, _reply, payload) => redactJson(payload, redact));
  app.addHook('onSend', async (_request, reply) => {
    if (isStopping) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => tell(request, reply, logger));

  await addOpenApi(app);
  const deps: DoorDeps = {
    library,
    lookAtStore,
    inTurn: (work) => turns.run(work),
    timeoutMs,
  };
  addGenerate(app, deps);
  addSnapshots(app, deps);
  addUsage(app, deps);
  addSymbolConfig(app, deps);
  addCleanup(app, deps);
  addHealth(app, deps);
  app.get('/openapi.json', { schema: { hide: true } }, async () => openApiOf(app));
  await app.ready();

  return {
    openApi: openApiOf(app),
    listen: (at) => listen(app, at),
    close: async (finishMs) => {
      isStopping = true;
      const ended = Promise.all([app.close(), turns.idle()]);
      if (await isOverWithin(finishMs, ended)) return 'finished';
      turns.cut(stopping());
      await isOverWithin(CUT_MS, ended);
      app.server.closeAllConnections();
      return 'cut';
    },
  };
}

function tooMany(max: number, ttlMs: number): HttpProblem {
  const resetsAt = new Date(Date.now() + ttlMs).toISOString();
  const message = `one address may send ${max} requests a minute; try again at ${resetsAt}`;
  return new HttpProblem('TOO_MANY_REQUESTS', message, {
    details: { resetsAt },
    retryAfterSeconds: Math.max(1, Math.ceil(ttlMs / 1_000)),
  });
}

function stopping(): HttpProblem {
  const message = 'the server is being stopped; try again';
  return new HttpProblem('STOPPING', message, { retryAfterSeconds: 5 });
}

/** `false`: it was not over by then; a rejection is one. */
async function isOverWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer));
}
