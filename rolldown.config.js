import { basename, resolve } from 'node:path';
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
  help: ['src/cli/program.ts'],
  run: ['src/cli/run-local.ts', 'src/worker/local-backend.ts'],
  http: ['src/http/client.ts', 'src/http/agent.ts'],
  cloud: ['src/worker/gcp-backend.ts'],
  live: ['src/chart-img/live/live-provider.ts'],
};

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
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'chunks/[name].cjs',
    codeSplitting: { groups: layers() },
    // Less to read, parse and compile at each start. Lines and names stay: a stack trace of a program
    // that imports us shows them.
    minify: {
      compress: { keepNames: { class: true, function: true } },
      mangle: { keepNames: true },
      codegen: { removeWhitespace: false },
    },
  },
  plugins: [
    withoutUnused(),
    importableEntries(),
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

const UNUSED_ID = '\0unused:';

function withoutUnused() {
  return {
    name: 'without-unused',
    resolveId: (id, importer = '') =>
      UNUSED.some(({ imported, by }) => id === imported && importer.includes(by))
        ? `${UNUSED_ID}${id}`
        : null,
    load: (id) => (id.startsWith(UNUSED_ID) ? 'module.exports = {};' : null),
  };
}

/**
 * Who imports gets what stands in CommonJS. As ES modules every start loads Node's second loader (4 ms
 * of a mock run), and an `import` of a built-in module reads all that it exports, of which some is
 * made only when it is read (Web Crypto, 10 ms).
 */
function importableEntries() {
  return {
    name: 'importable-entries',
    generateBundle(_, bundle) {
      for (const { isEntry, exports, name, fileName } of Object.values(bundle)) {
        if (!isEntry || name === 'cli/main') continue;
        const source = `export { ${exports.join(', ')} } from './${basename(fileName)}';\n`;
        this.emitFile({ type: 'asset', fileName: `${name}.js`, source });
      }
    },
  };
}

/** With one other letter in it a file takes two bytes a letter in memory, and longer to read. */
function asciiOnly() {
  const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return {
    name: 'ascii-only',
    generateBundle: (_, bundle) => {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk') chunk.code = chunk.code.replaceAll(/[\u0080-\uffff]/g, escaped);
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
