// Registers both functions, workerChartExport and workerChartExportSweep, with the framework.
import 'worker-chart-export/cloud-event';
