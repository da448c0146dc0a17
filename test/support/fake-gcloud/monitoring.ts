import { readFileSync } from 'node:fs';
import type { Command } from './command.js';
import { type Alert, add, type Metric, Refused, type State, settle, there } from './state.js';

export const MONITORING: readonly Command[] = [
  {
    path: 'logging metrics list',
    positionals: 0,
    flags: {},
    api: 'logging',
    run: ({ state }) =>
      Object.entries(state.metrics).map(([name, metric]) => ({ name, ...metric })),
  },
  {
    path: 'logging metrics create',
    positionals: 1,
    flags: { '--config-from-file': 'value' },
    api: 'logging',
    run: ({ state, positionals: [name = ''], text }) => {
      add(state.metrics, name, metricIn(text('--config-from-file')));
    },
  },
  {
    path: 'logging metrics update',
    positionals: 1,
    flags: { '--config-from-file': 'value' },
    api: 'logging',
    run: ({ state, positionals: [name = ''], text }) => {
      there(state.metrics, name);
      state.metrics[name] = metricIn(text('--config-from-file'));
    },
  },
  {
    path: 'alpha monitoring policies list',
    positionals: 0,
    flags: {},
    api: 'monitoring',
    run: ({ state }) => Object.entries(state.alerts).map(([name, alert]) => ({ name, ...alert })),
  },
  {
    path: 'alpha monitoring policies create',
    positionals: 0,
    flags: { '--policy-from-file': 'value', '--notification-channels': 'value' },
    api: 'monitoring',
    run: ({ state, given, text }) => {
      settle(state, 'Cannot find metric that matches type');
      const name = `projects/${state.project}/alertPolicies/${Object.keys(state.alerts).length + 1}`;
      const alert = alertIn(state, text('--policy-from-file'));
      add(state.alerts, name, withChannels(alert, given['--notification-channels']));
    },
  },
  {
    path: 'alpha monitoring policies update',
    positionals: 1,
    flags: { '--policy-from-file': 'value', '--set-notification-channels': 'value' },
    api: 'monitoring',
    run: ({ state, positionals: [name = ''], given, text }) => {
      there(state.alerts, name);
      const alert = alertIn(state, text('--policy-from-file'));
      state.alerts[name] = withChannels(alert, given['--set-notification-channels']);
    },
  },
];

function metricIn(file: string): Metric {
  const metric: Metric = JSON.parse(readFileSync(file, 'utf8'));
  const keys = metric.metricDescriptor.labels.map(({ key }) => key);
  if (keys.join() !== Object.keys(metric.labelExtractors).join()) {
    throw new Refused('each label needs its extractor');
  }
  return metric;
}

function alertIn(state: State, file: string): Alert {
  const alert: Alert = JSON.parse(readFileSync(file, 'utf8'));
  for (const {
    conditionThreshold: { filter, denominatorFilter = filter },
  } of alert.conditions) {
    for (const of of [filter, denominatorFilter]) {
      there(state.metrics, /logging\.googleapis\.com\/user\/(\w+)/.exec(of)?.[1] ?? of);
    }
  }
  return alert;
}

function withChannels(
  alert: Alert,
  channels: string | readonly string[] | true | undefined,
): Alert {
  if (channels === undefined) return alert;
  return { ...alert, notificationChannels: String(channels).split(',') };
}
