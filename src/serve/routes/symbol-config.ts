import type { FastifyInstance } from 'fastify';
import type { ChartSymbol } from '../../contracts/documents.js';
import { checkSymbol } from '../../library/symbols/check-symbol.js';
import { idProblem } from '../../library/symbols/symbol-draft.js';
import { answers, json } from '../answers.js';
import type { DoorDeps } from '../door-deps.js';
import { HttpProblem, Unfit } from '../problems.js';

const PATH = '/api/charts/config/:symbol';

/** What the library knows of a symbol. */
export function addSymbolConfig(app: FastifyInstance, { library, inTurn }: DoorDeps): void {
  const { symbols } = library;
  const params = {
    type: 'object',
    required: ['symbol'],
    properties: { symbol: { type: 'string', description: 'Its id, an alias or its name.' } },
  };

  app.get<{ Params: { symbol: string } }>(
    PATH,
    {
      schema: {
        operationId: 'getSymbolConfig',
        summary: 'What is drawn of a symbol, and in which timeframes',
        params,
        response: answers({ 200: json('SymbolConfig', 'The symbol.') }, 404, 422),
      },
    },
    ({ params: { symbol: name } }) =>
      inTurn(async () => {
        const found = await symbols.find(name);
        if (!found) {
          const shown = JSON.stringify(name.slice(0, 60));
          throw new HttpProblem('SYMBOL_NOT_FOUND', `${shown} is no known symbol`);
        }
        const { symbol } = found;
        if (found.kind === 'broken') {
          const message = `chart_symbols/${symbol} cannot be used: ${found.errors.join('; ')}`;
          throw new HttpProblem('VALIDATION_FAILED', message, { errors: found.errors });
        }
        return { symbol, origin: found.origin, config: found.document };
      }),
  );

  app.put<{ Params: { symbol: string }; Body: ChartSymbol }>(
    PATH,
    {
      schema: {
        operationId: 'putSymbolConfig',
        summary: 'Write a symbol, in place of what was known of it',
        params,
        body: { $ref: 'ChartSymbol#' },
        response: answers({ 200: json('SymbolConfig', 'As it is now.') }, 413, 415, 422),
      },
    },
    ({ params: { symbol: name }, body }) =>
      inTurn(async () => {
        const symbol = (await symbols.find(name))?.symbol ?? name;
        const problem = idProblem(symbol);
        if (problem !== undefined) throw new HttpProblem('VALIDATION_FAILED', problem);
        const checked = checkSymbol(body);
        if (!checked.ok) throw new Unfit(checked.errors);
        await symbols.put(symbol, checked.value);
        return { symbol, origin: 'stored', config: checked.value };
      }),
  );
}
