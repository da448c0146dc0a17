import type { ChartsConfig } from '../../config/charts-config.js';
import type { Snapshot } from '../../library/snapshots/snapshot.js';
import { Snapshots } from '../../library/snapshots/snapshots.js';
import type { Logger } from '../../log/logger.js';
import { openBackend } from '../../worker/open-backend.js';
import { toLines } from '../lines.js';
import { shortPath } from '../templates/template-files.js';
import type { Told } from '../told-command.js';
import { writePicture } from './picture.js';
import { snapshotLines } from './snapshot-view.js';

/** Tells of one chart, and writes its picture where that is asked for: exit 1 where it is gone. */
export async function toldChart(
  snapshot: Snapshot,
  config: ChartsConfig,
  cwd: string,
  logger: Logger,
): Promise<Told> {
  const [bucket = '', ...name] = snapshot.uri.slice('gs://'.length).split('/');
  // Local files are always at hand; in the cloud nobody is asked for what is not needed.
  const isNeeded = config.backend === 'local' || config.out !== undefined;
  const backend = isNeeded
    ? await openBackend({ ...config, bucket, touchesObjects: true }, 'read', logger)
    : undefined;
  try {
    const localPath = backend?.artifacts.localPath(name.join('/'));
    const lines = snapshotLines(snapshot, localPath && shortPath(localPath, cwd));
    const json = { snapshot: { ...snapshot, localPath: localPath ?? null } };
    if (config.out === undefined || !backend) {
      return { exitCode: 0, text: toLines(lines), json: { ...json, out: null } };
    }
    const png = await new Snapshots(backend).image(snapshot);
    if (!png) {
      const message = `the picture is gone: ${snapshot.uri}`;
      return {
        exitCode: 1,
        text: toLines([...lines, message]),
        json: { ...json, out: null, error: { code: 'PICTURE_GONE', message } },
      };
    }
    await writePicture(config.out, png);
    return {
      exitCode: 0,
      text: toLines([...lines, `wrote    ${shortPath(config.out, cwd)}`]),
      json: { ...json, out: config.out },
    };
  } finally {
    await backend?.close();
  }
}
