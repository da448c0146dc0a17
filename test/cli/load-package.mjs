// Preloaded: loads the package that PACKAGE names, by import or by require.
import { createRequire } from 'node:module';

const name = process.env.PACKAGE;
if (process.env.LOAD_BY === 'require') createRequire(import.meta.url)(name);
else await import(name);
