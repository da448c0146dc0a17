export type Severity = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

/** An API: dashboards rest on these names. */
export type EventName =
  | 'local_run_started'
  | 'cloud_event_received'
  | 'cloud_event_parsed'
  | 'cloud_event_ignored'
  | 'cloud_event_noop'
  | 'cloud_event_finished'
  | 'instance_ending'
  | 'cloud_target'
  | 'flow_run_imported'
  | 'flow_run_created'
  | 'flow_run_kept'
  | 'flow_run_differs'
  | 'ready_step_selected'
  | 'depends_on_blocked'
  | 'step_id_passed_over'
  | 'run_id_passed_over'
  | 'core_start'
  | 'core_noop_already_final'
  | 'claim_attempt'
  | 'interrupted'
  | 'lease_lost'
  | 'lease_released'
  | 'lease_closed'
  | 'step_running_long'
  | 'sweep_finished'
  | 'watch_timed_out'
  | 'chart_template_warning'
  | 'chart_api_call_start'
  | 'chart_api_call_finished'
  | 'chart_api_mock_missing'
  | 'chart_api_quota_warning'
  | 'chart_api_account_set_aside'
  | 'chart_api_usage_claim_conflict'
  | 'chart_api_limit_exceeded'
  | 'quota_not_returned'
  | 'chart_waiting'
  | 'chart_reused'
  | 'chart_cache_unavailable'
  | 'chart_failed'
  | 'chart_stored'
  | 'recording_not_saved'
  | 'chart_size_differs'
  | 'manifest_kept'
  | 'manifest_written'
  | 'step_completed'
  | 'finalize_failed'
  | 'report_incomplete'
  | 'scratch_run'
  | 'http_listening'
  | 'http_request'
  | 'http_stopped'
  | 'config_warning'
  | 'config_error'
  | 'infrastructure_error'
  | 'internal_error';

export interface LogEvent {
  readonly severity: Severity;
  readonly event: EventName;
  /** One sentence for people. */
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Where events end: JSON lines, or words on a terminal. Never throws. */
export type LogSink = (event: LogEvent) => void;

/** Hands events to the sink, with the fields that its scope knows. */
export class Logger {
  readonly #sink: LogSink;
  readonly #scope: Readonly<Record<string, unknown>>;

  constructor(sink: LogSink, scope: Readonly<Record<string, unknown>> = {}) {
    this.#sink = sink;
    this.#scope = scope;
  }

  with(scope: Readonly<Record<string, unknown>>): Logger {
    return new Logger(this.#sink, { ...this.#scope, ...scope });
  }

  debug(event: EventName, message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#emit('DEBUG', event, message, fields);
  }

  info(event: EventName, message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#emit('INFO', event, message, fields);
  }

  warn(event: EventName, message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#emit('WARNING', event, message, fields);
  }

  error(event: EventName, message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#emit('ERROR', event, message, fields);
  }

  #emit(
    severity: Severity,
    event: EventName,
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void {
    this.#sink({ severity, event, message, fields: { ...this.#scope, ...fields } });
  }
}
