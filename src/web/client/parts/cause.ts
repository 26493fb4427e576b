import type { StatusRow } from '../../../contract/status-json.ts'

type Cause = NonNullable<StatusRow['cause']>

/** What has changed since the last deploy, in the words that the command line uses. */
export const CAUSE_WORD: Readonly<Record<Cause, string>> = {
  SERVER_CHANGED: 'changed on the server',
  PENDING_DEPLOY: 'waiting for deploy',
  BOTH: 'changed on the server and in Git',
  SAME_EDIT: 'same edit on both sides',
}

export const CAUSE_MEANS: Readonly<Record<Cause, string>> = {
  SERVER_CHANGED: 'The server is not as it was deployed; Git still is',
  PENDING_DEPLOY: 'Git has moved on; the server is as it was deployed',
  BOTH: 'Neither the server nor Git is as it was deployed',
  SAME_EDIT: 'The same edit on both sides, which nobody deployed',
}
