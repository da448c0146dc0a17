// Turns schemas/*.schema.json into src/contracts/generated: TypeScript types and ready-made
// validators. Nothing generated is committed, so neither can drift from the schemas, and no
// schema is compiled while the program runs (one compile costs as much as Node's own start).
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import addFormats from 'ajv-formats';
import { compile } from 'json-schema-to-typescript';

const here = new URL('./', import.meta.url);
const generated = new URL('../src/contracts/generated/', import.meta.url);

/**
 * File → exported validator → the schema, or the part of one, that it checks. In several files, so
 * that a step does not load what is the chart library's, or is published for others to check with.
 */
const FILES = {
  validators: {
    runId: 'flow_run.schema.json#/$defs/runId',
    stepId: 'flow_run.schema.json#/$defs/stepId',
    symbol: 'flow_run.schema.json#/$defs/symbol',
    chartTemplateId: 'flow_run.schema.json#/$defs/chartTemplateId',
    chartExportStep: 'flow_run.schema.json#/$defs/chartExportStep',
    chartTemplate: 'chart_template.schema.json',
    accounts: 'accounts.schema.json',
    manifest: 'charts_outputs_manifest.schema.json',
  },
  'published-validators': {
    flowRun: 'flow_run.schema.json',
    runSummary: 'run_summary.schema.json',
  },
  'library-validators': {
    chartSnapshot: 'chart_snapshot.schema.json',
    snapshotId: 'chart_snapshot.schema.json#/$defs/id',
    chartSymbol: 'chart_symbol.schema.json',
    librarySymbol: 'chart_symbol.schema.json#/$defs/id',
  },
};

const names = (await readdir(here)).filter((name) => name.endsWith('.schema.json')).sort();
const schemas = await Promise.all(
  names.map(async (name) => JSON.parse(await readFile(new URL(name, here), 'utf8'))),
);

const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  code: { source: true, esm: true },
});
addFormats.default(ajv, ['date-time']);
for (const schema of schemas) ajv.addSchema(schema);

// A step's own type hides behind if/then, which the type generator passes over.
const { $defs } = schemas.find(({ title }) => title === 'FlowRun');
const typed = [...schemas, { ...$defs.chartExportStep, $defs }];
const types = await Promise.all(
  typed.map((schema) =>
    compile(structuredClone(schema), schema.title, {
      bannerComment: '',
      cwd: here.pathname,
      format: false,
      declareExternallyReferenced: true,
    }),
  ),
);

await mkdir(generated, { recursive: true });
for (const [file, validators] of Object.entries(FILES)) {
  await writeFile(new URL(`${file}.ts`, generated), moduleOf(validators));
}
await writeFile(new URL('types.ts', generated), types.join('\n'));

function moduleOf(validators) {
  // Ajv's ESM output still calls require() for its few run-time helpers, which no bundler follows.
  const helpers = new Map();
  const code = standaloneCode
    .default(ajv, validators)
    .replace('"use strict";', '')
    .replaceAll(/require\("([^"]+)"\)/g, (_, name) => {
      if (!helpers.has(name)) helpers.set(name, `helper${helpers.size}`);
      return `exportsOf(${helpers.get(name)})`;
    });
  return [
    '// @ts-nocheck: made from schemas/ by schemas/compile.mjs',
    ...Array.from(helpers, ([name, local]) => `import * as ${local} from '${name}.js';`),
    // They are CommonJS with a default export, which Node and the tests' runner see one level apart.
    'const exportsOf = (helper) => (helper.default?.__esModule ? helper.default : helper);',
    code,
    '',
  ].join('\n');
}
