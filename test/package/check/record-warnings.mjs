// Preloaded: what is warned of is written to WARNINGS_FILE, also where nobody listens any more.
import { appendFileSync } from 'node:fs';

const emit = process.emit;
process.emit = function recorded(event, ...facts) {
  if (event === 'warning') appendFileSync(process.env.WARNINGS_FILE, `${facts[0]?.stack}\n`);
  return emit.call(this, event, ...facts);
};
