import type { ChartSymbol } from '../../contracts/documents.js';

/** Where nobody says which. */
export const INTRADAY_AND_UP: readonly string[] = [
  '5m',
  '15m',
  '30m',
  '1h',
  '4h',
  '1D',
  '1W',
  '1M',
];

function symbol(
  assetClass: ChartSymbol['assetClass'],
  tradingViewSymbol: string,
  name: string,
  ...aliases: string[]
): ChartSymbol {
  return {
    name,
    ...(aliases.length > 0 && { aliases }),
    tradingViewSymbol,
    enabled: true,
    assetClass,
    timeframes: [...INTRADAY_AND_UP],
  };
}

/** What charts on demand know before anybody wrote a document; one of the same id goes before. */
export const STARTER_SET: ReadonlyMap<string, ChartSymbol> = new Map([
  ['DAX', symbol('index', 'XETR:DAX', 'DAX 40', '^GDAXI')],
  ['DJI', symbol('index', 'DJCFD:DJI', 'Dow Jones Industrial Average', '^DJI')],
  ['EURGBP', symbol('forex', 'OANDA:EURGBP', 'Euro / British Pound')],
  ['EURUSD', symbol('forex', 'OANDA:EURUSD', 'Euro / US Dollar')],
  ['NDX', symbol('index', 'NASDAQ:NDX', 'Nasdaq 100', '^NDX')],
]);
