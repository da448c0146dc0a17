import { readFileSync, writeFileSync } from 'node:fs';

// Linux counts into a child's `maxRSS` what its parent held when it forked; VmHWM is its own.
function peakKilobytes() {
  if (process.platform === 'linux') {
    const [, kilobytes] = /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kilobytes !== undefined) return Number(kilobytes);
  }
  return process.resourceUsage().maxRSS;
}

process.on('exit', () => writeFileSync(process.env.PEAK_MEMORY_FILE, String(peakKilobytes())));
