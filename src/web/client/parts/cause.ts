import type { StatusRow } from '../../../contract/status-json.ts'

type Cause = NonNullable<StatusRow['cause']>

/** What has changed since the last deploy. */
export const CAUSE_WORD: Readonly<Record<Cause, string>> = {
  SERVER_CHANGED: 'changed on the server',
  PENDING_DEPLOY: 'waiting for deploy',
  BOTH: 'both: changed on the server, and in Git',
  SAME_EDIT: 'same edit on both sides',
}
