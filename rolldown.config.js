import { resolve } from 'node:path';
import { defineConfig } from 'rolldown';
import license from 'rollup-plugin-license';
import packageJson from './package.json' with { type: 'json' };
import permissiveLicenses from './permissive-licenses.json' with { type: 'json' };

/**
 * What is loaded together lies in one file: the modules that these reach by static imports, less
 * those of the layers above. As sixty files a mock run took half a Node start longer.
 */
const LAYERS = {
  start: ['src/cli/main.ts'],
  run: ['src/cli/run-local.ts', 'src/worker/local-backend.ts'],
  http: ['src/http/client.ts', 'src/http/agent.ts'],
  cloud: ['src/worker/gcp-backend.ts'],
  live: ['src/chart-img/live/live-provider.ts'],
};

const SOURCE = resolve(import.meta.dirname, 'src');

export default defineConfig({
  input: {
    'cli/main': 'src/cli/main.ts',
    'cloud-event/index': 'src/cloud-event/index.ts',
    'library/index': 'src/library/index.ts',
  },
  platform: 'node',
  // Whatever npm installs beside us is loaded from there.
  external: Object.keys({ ...packageJson.dependencies, ...packageJson.peerDependencies }),
  preserveEntrySignatures: 'allow-extension',
  output: {
    dir: 'dist',
    cleanDir: true,
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: { groups: layers() },
    // A file is read, parsed and compiled at each start: a third of its size is a tenth of a mock run.
    minify: true,
  },
  plugins: [
    withoutUnused(),
    requiredBuiltins(),
    asciiOnly(),
    license({
      // Bundled, their notices come along; a licence that is not on the list fails the build.
      thirdParty: {
        allow: {
          test: `(${permissiveLicenses.join(' OR ')})`,
          failOnUnlicensed: true,
          failOnViolation: true,
        },
        output: { file: 'dist/third-party-licenses.txt' },
      },
    }),
  ],
});

/**
 * What a library imports for what nobody does here: HTTP/2, whose wrapper makes a TLS context when it
 * is loaded (35 ms), and subcommands that are programs of their own (5 ms of every start).
 */
const UNUSED = [
  { imported: 'http2-wrapper', by: '/node_modules/got/' },
  { imported: 'node:child_process', by: '/node_modules/commander/' },
];

function withoutUnused() {
  return {
    name: 'without-unused',
    resolveId: (id, importer = '') =>
      UNUSED.some(({ imported, by }) => id === imported && importer.includes(by))
        ? '\0unused'
        : null,
    load: (id) => (id === '\0unused' ? 'module.exports = {};' : null),
  };
}

const REQUIRE = '\0require';
const BUILTIN_IMPORT = /^import (?:\{([^}]*)\}|\* as (\w+)) from '(node:[^']+)';$/gm;

/**
 * An `import` of a built-in module reads all that it exports, of which some is made only when it is
 * read (Web Crypto), and that took 10 ms of a mock run's start. A `require` reads what is used.
 */
function requiredBuiltins() {
  return {
    name: 'required-builtins',
    resolveId: (id) => (id === REQUIRE ? REQUIRE : null),
    load: (id) =>
      id === REQUIRE
        ? `import { createRequire } from 'node:module';
           export const requireBuiltin = createRequire(import.meta.url);`
        : null,
    transform: (code, id) => {
      if (!id.startsWith(SOURCE) || !code.match(BUILTIN_IMPORT)) return null;
      const required = code.replaceAll(BUILTIN_IMPORT, (_, names, all, builtin) => {
        const bound = all ?? `{ ${valuesOf(names).join(', ')} }`;
        return `const ${bound} = requireBuiltin('${builtin}');`;
      });
      return `import { requireBuiltin } from '${REQUIRE}';\n${required}`;
    },
  };
}

/** `type Dir, opendirSync as open` → `opendirSync: open` */
function valuesOf(names) {
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => name.replace(' as ', ': '));
}

/** With one other letter in it a file takes two bytes a letter in memory, and longer to read. */
function asciiOnly() {
  const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return {
    name: 'ascii-only',
    generateBundle: (_, bundle) => {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk') chunk.code = chunk.code.replaceAll(/[^\x00-\x7f]/g, escaped);
      }
    },
  };
}

function layers() {
  let layerOf;
  const names = Object.keys(LAYERS);
  return names.map((layer, index) => ({
    debugName: layer,
    priority: names.length - index,
    name: (id, graph) => {
      layerOf ??= layerOfEach(graph);
      return layerOf.get(id) === layer ? layer : null;
    },
  }));
}

function layerOfEach(graph) {
  const found = new Map();
  for (const [layer, roots] of Object.entries(LAYERS)) {
    const reached = roots.map((root) => resolve(import.meta.dirname, root));
    for (const id of reached) {
      if (found.has(id)) continue;
      found.set(id, layer);
      reached.push(...(graph.getModuleInfo(id)?.importedIds ?? []));
    }
  }
  return found;
}
