/** What a request is for: commits go by what they do to a step, since heartbeats shift counts. */
export type CallName =
  | 'read'
  | 'query'
  | 'create'
  | 'claim'
  | 'quota'
  | 'beat'
  | 'settle'
  | 'release';

/** By what stands in the request to be read: names, and the values of the fields that are set. */
export function callName(path: string, body: Buffer): CallName {
  if (path.endsWith(':batchGet')) return 'read';
  if (path.endsWith(':runQuery')) return 'query';
  if (!path.endsWith(':commit')) throw new Error(`${path} is not expected here`);
  const text = body.toString();
  if (!text.includes('/step_leases/')) return 'create';
  if (/SUCCEEDED|FAILED/.test(text)) return 'settle';
  if (text.includes('RELEASED')) return 'release';
  if (text.includes('RUNNING')) return 'claim';
  return text.includes('/chart_img_accounts_usage/') ? 'quota' : 'beat';
}
