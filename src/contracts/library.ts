import type { ChartSnapshot, ChartSymbol } from './documents.js';
import * as compiled from './generated/library-validators.js';
import { allowed } from './ids.js';
import { validator } from './validate.js';

/** Stricter than a flow run's symbol, which is only ever a part of a name. */
export const isLibrarySymbol = allowed(compiled.librarySymbol);
export const isSnapshotId = allowed(compiled.snapshotId);

export const validateChartSnapshot = validator<ChartSnapshot>(compiled.chartSnapshot);
export const validateChartSymbol = validator<ChartSymbol>(compiled.chartSymbol);
