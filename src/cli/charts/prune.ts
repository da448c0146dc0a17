import { parsePlaceConfig } from '../../config/run-config.js';
import { counted } from '../../counted.js';
import { kilobytes } from '../../kilobytes.js';
import { Snapshots } from '../../library/snapshots/snapshots.js';
import { openBackend } from '../../worker/open-backend.js';
import { toLines } from '../lines.js';
import { toldCommand } from '../told-command.js';

/** The command `charts prune`. */
export const pruneCharts = toldCommand(async ({ flags }, { logger, signal }, { env, cwd }) => {
  const config = parsePlaceConfig(flags, env, cwd, { bucket: true });
  const options = {
    purge: flags.purge === true,
    dryRun: flags.dryRun === true,
    force: flags.force === true,
  };
  const access = options.dryRun ? 'read' : 'write-if-there';
  const backend = await openBackend(config, access, logger);
  try {
    // A bucket that may not be used would look like one whose pictures are gone already.
    await backend.artifacts.probe();
    const report = await new Snapshots(backend).prune(options, signal);
    const { expired, bytes, kept, elsewhere, purged, invalid } = report;
    const would = options.dryRun ? 'would delete' : 'deleted';
    const lines = [
      `${would} ${counted(expired, 'expired picture')}, ${kilobytes(bytes)}`,
      ...(options.purge
        ? [`${would} ${counted(purged, 'document')} of charts without a picture`]
        : []),
      ...(kept > 0
        ? [
            `kept ${counted(kept, 'expired picture')} that a manifest still names; --force deletes them too`,
          ]
        : []),
      ...(elsewhere > 0
        ? [
            `left ${counted(elsewhere, 'expired picture')} in other buckets: name these with --charts-bucket`,
          ]
        : []),
      ...(invalid > 0 ? [`passed over ${counted(invalid, 'document')} that cannot be read`] : []),
    ];
    return { exitCode: 0, text: toLines(lines), json: { ...report, dryRun: options.dryRun } };
  } finally {
    await backend.close();
  }
});
