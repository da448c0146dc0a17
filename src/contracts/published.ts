import type { FlowRun, RunSummary } from './documents.js';
import * as compiled from './generated/published-validators.js';
import { validator } from './validate.js';

// The program itself reads of a flow run what it needs, and writes its summary: it checks neither.
export const validateFlowRun = validator<FlowRun>(compiled.flowRun);
export const validateRunSummary = validator<RunSummary>(compiled.runSummary);
