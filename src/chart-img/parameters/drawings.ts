import type { Example } from './example.js';

// Chart-IMG API documentation, v2 Advanced Chart, as of 2025-11-26. Input values are those of its
// examples; style keys are the ones it documents.

interface Drawing {
  readonly input: Readonly<Record<string, Example>>;
  readonly override: readonly string[];
}

// biome-ignore format: one drawing a line
export const DRAWINGS: Readonly<Record<string, Drawing>> = {
  'Arrow Mark Down': { input: { datetime: '2022-12-14T00:00:00.000Z', price: 18700, text: 'EXAMPLE' }, override: ['fontBold', 'fontSize'] },
  'Arrow Mark Up': { input: { datetime: '2022-12-30T00:00:00.000Z', price: 16000, text: 'EXAMPLE' }, override: ['fontBold'] },
  'Arrow Marker': { input: { startDatetime: '2022-12-05T00:00:00.000Z', startPrice: 20600, endDatetime: '2023-01-08T00:00:00.000Z', endPrice: 17600, text: 'Big Arrow!' }, override: ['fontSize'] },
  Callout: { input: { startDatetime: '2023-01-09T00:00:00.000Z', startPrice: 17718, endDatetime: '2022-12-13T00:00:00.000Z', endPrice: 20500, text: 'EXAMPLE' }, override: ['fontBold', 'fontSize'] },
  'Date Price Range': { input: { startDatetime: '2023-01-01T00:00:00.000Z', startPrice: 16499, endDatetime: '2023-01-18T00:00:00.000Z', endPrice: 21650 }, override: ['fontSize'] },
  'Date Range': { input: { startDatetime: '2023-01-01T00:00:00.000Z', startPrice: 16333, endDatetime: '2023-02-09T00:00:00.000Z', endPrice: 18000 }, override: ['extendBottom', 'extendTop', 'fontSize'] },
  'Fib Retracement': { input: { startDatetime: '2022-12-30T05:00:00.000Z', startPrice: 16333, endDatetime: '2023-02-02T05:00:00.000Z', endPrice: 24255 }, override: ['extendLines', 'level7'] },
  'Horizontal Line': { input: { price: 16333, text: 'Line #1' }, override: ['fontSize', 'horzLabelAlign', 'lineColor', 'lineStyle', 'lineWidth', 'textColor'] },
  'Long Position': { input: { startDatetime: '2023-02-09T00:00:00.000Z', entryPrice: 22400, targetPrice: 24000, stopPrice: 22100 }, override: [] },
  'Order Line': { input: { text: 'BUY ORDER #2', quantity: '0.30 BTC', price: 22615 }, override: ['bodyBackgroundColor', 'lineSpace', 'quantityBackgroundColor'] },
  Rectangle: { input: { startDatetime: '2024-03-01T00:00:00.000Z', startPrice: 52000, endDatetime: '2024-05-10T00:00:00.000Z', endPrice: 60000, text: 'RECTANGLE ZONE' }, override: ['fontBold', 'horzLabelAlign', 'lineColor', 'showLabel', 'vertLabelAlign'] },
  'Short Position': { input: { startDatetime: '2023-02-08T00:00:00.000Z', endDatetime: '2023-02-15T00:00:00.000Z', entryPrice: 23400, targetPrice: 21800, stopPrice: 23800 }, override: [] },
  Text: { input: { datetime: '2022-12-01T00:00:00.000Z', price: 20000, text: 'This is example' }, override: ['fontBold', 'fontSize'] },
  'Trend Line': { input: { startDatetime: '2025-01-13T00:00:00.000Z', startPrice: 91000, endDatetime: '2025-01-25T00:00:00.000Z', endPrice: 102600, text: 'TREND LILNE' }, override: ['fontBold', 'fontSize', 'lineWidth', 'showLabel'] },
  'Vertical Line': { input: { datetime: '2023-01-01T17:00:00.000Z', text: 'Line Example' }, override: ['fontSize', 'vertLabelAlign'] },
};
