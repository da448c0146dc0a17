// Preloaded: appends the URL of every module that is resolved, by import or by require, to LOADS_FILE.
import { appendFileSync } from 'node:fs';
import Module, { register } from 'node:module';

const record = (url) => appendFileSync(process.env.LOADS_FILE, `${url}\n`);

if (Module.registerHooks) {
  Module.registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      record(resolved.url);
      return resolved;
    },
  });
} else {
  // Node 20 has hooks for imports alone, in a thread of their own.
  const hooks = `
    import { appendFileSync } from 'node:fs';
    export async function resolve(specifier, context, next) {
      const resolved = await next(specifier, context);
      appendFileSync(process.env.LOADS_FILE, resolved.url + '\\n');
      return resolved;
    }`;
  register(`data:text/javascript,${encodeURIComponent(hooks)}`);
  const resolveFilename = Module._resolveFilename;
  Module._resolveFilename = function recorded(...request) {
    const path = resolveFilename.apply(this, request);
    record(path);
    return path;
  };
}
