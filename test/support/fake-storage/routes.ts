/** `permissions` is the question which of them the caller holds. */
export type RequestKind = 'list' | 'look' | 'download' | 'put' | 'delete' | 'permissions';

export interface Route {
  readonly kind: RequestKind;
  readonly bucket: string;
  /** Of the object; empty where the request is about none. */
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
}

/** The query parameters that we know how to obey; the service would ignore a mistyped one. */
const PARAMETERS: Readonly<Record<RequestKind, readonly string[]>> = {
  list: ['prefix', 'delimiter', 'maxResults', 'pageToken'],
  look: [],
  download: ['alt', 'generation'],
  put: ['uploadType', 'name', 'ifGenerationMatch'],
  delete: ['ifGenerationMatch'],
  permissions: ['permissions'],
};

/** Which call of the JSON API this is, or what is wrong with it. */
export function parseRoute(method: string, target: string): Route | { readonly wrong: string } {
  const url = new URL(target, 'http://fake');
  const found = matchPath(method, url);
  if (!found) return { wrong: `unknown route ${method} ${url.pathname}` };
  const names = [...url.searchParams.keys()];
  const unknown = names.filter((name) => !PARAMETERS[found.kind].includes(name));
  if (unknown.length > 0) return { wrong: `${found.kind}: unknown parameter ${unknown.join()}` };
  if (found.kind !== 'permissions' && new Set(names).size < names.length) {
    return { wrong: `${found.kind}: a parameter came twice` };
  }
  const query = Object.fromEntries(
    names.map((name) => [name, url.searchParams.getAll(name).join()]),
  );
  const name = found.kind === 'put' ? (query.name ?? '') : found.name;
  return { kind: found.kind, bucket: found.bucket, name, query };
}

function matchPath(method: string, { pathname, searchParams }: URL) {
  const upload = /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(pathname);
  if (upload) return method === 'POST' ? parts('put', upload) : undefined;
  // With STORAGE_EMULATOR_HOST the client leaves out `/storage/v1`.
  const path = pathname.replace(/^\/storage\/v1\//, '/');
  const permissions = /^\/b\/([^/]+)\/iam\/testPermissions$/.exec(path);
  if (permissions) return method === 'GET' ? parts('permissions', permissions) : undefined;
  const list = /^\/b\/([^/]+)\/o$/.exec(path);
  if (list) return method === 'GET' ? parts('list', list) : undefined;
  const object = /^\/b\/([^/]+)\/o\/([^/]+)$/.exec(path);
  if (object && method === 'DELETE') return parts('delete', object);
  if (object && method === 'GET') {
    return parts(searchParams.get('alt') === 'media' ? 'download' : 'look', object);
  }
  return undefined;
}

function parts(kind: RequestKind, [, bucket = '', name = '']: RegExpExecArray) {
  return { kind, bucket: decodeURIComponent(bucket), name: decodeURIComponent(name) };
}
