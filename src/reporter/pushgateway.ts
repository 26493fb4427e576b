import type { ReportBody } from '../contract/report.ts'
import { printable } from '../drift/check-error.ts'
import { type Failure, type PostOptions, post } from './post.ts'
import { redactor } from './redact.ts'

/** A Prometheus Pushgateway that is still told, during a move, what it was told before. */
export interface Pushgateway {
  readonly url: string
  /** `user:password` */
  readonly auth: string | null
  readonly job: string
  /** The name under which dashboards and rules know the sync status. */
  readonly metric: string
  /** What SYNCED is there; OUT_OF_SYNC is the other one. */
  readonly syncedValue: 0 | 1
}

export type Push = { readonly kind: 'pushed'; readonly httpStatus: number } | Failure

const LAST_CHECK = 'gitops_sync_last_check_timestamp_seconds'
const LAST_SUCCESS = 'gitops_sync_last_success_timestamp_seconds'
/** What the sync status cannot be called: these are ours, or the Pushgateway's own. */
export const TAKEN_METRICS = [LAST_CHECK, LAST_SUCCESS, 'push_time_seconds', 'push_failure_time_seconds']

/** Pushes one report to the group of its target. */
export async function push(
  report: ReportBody,
  gateway: Pushgateway,
  userAgent: string,
  options: PostOptions,
): Promise<Push> {
  const tried = await pushAs('untyped', report, gateway, userAgent, options)
  // One type for one name, says the Pushgateway. A curl in a pipeline pushes untyped, a client library a gauge:
  // what is there already decides.
  if (tried.kind !== 'refused' || tried.httpStatus !== 400) return tried
  return pushAs('gauge', report, gateway, userAgent, options)
}

function pushAs(
  type: 'untyped' | 'gauge',
  report: ReportBody,
  gateway: Pushgateway,
  userAgent: string,
  options: PostOptions,
): Promise<Push> {
  const { url, auth, job } = gateway
  return post<Push>(
    {
      // POST, not PUT: it replaces the series of these names only. PUT would take away the time of the last success
      // when a check fails, and what an old step pushed into the same group.
      url: `${url}/metrics${groupPath({ job, repo: report.repo, instance: report.server })}`,
      headers: {
        'content-type': 'text/plain; version=0.0.4; charset=utf-8',
        'user-agent': userAgent,
        ...(auth !== null && basicAuth(auth)),
      },
      body: exposition(report, gateway, type),
      redact: redactor(auth === null ? [] : [auth, auth.slice(auth.indexOf(':') + 1)]),
      accept,
      reasonIn: (text) => printable(text).slice(0, 1_000) || 'no reason given',
      whom: 'the Pushgateway',
    },
    options,
  )
}

export function basicAuth(auth: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
}

function accept(httpStatus: number, text: string): Push | null {
  if (httpStatus < 200 || httpStatus > 299) return null
  return text.trim() === ''
    ? { kind: 'pushed', httpStatus }
    : {
        kind: 'failed',
        reason: `something other than a Pushgateway answered HTTP ${httpStatus} (a proxy, a login page?)`,
      }
}

/** The path of a group. Only what means itself in a path is written as it is; all else in the Pushgateway's base64. */
export function groupPath(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) =>
      /^[A-Za-z0-9_-][A-Za-z0-9_.:-]*$/.test(value)
        ? `/${name}/${value}`
        : `/${name}@base64/${Buffer.from(value).toString('base64url')}`,
    )
    .join('')
}

/**
 * What is not known is not a number: NaN. The old value would stay for ever, a missing series looks like a server that
 * is gone, and both 0 and 1 would be a lie. `== 0` and `== 1` are both false of it.
 */
export function exposition(
  { sync_status, last_check }: ReportBody,
  { metric, syncedValue }: Pushgateway,
  type: 'untyped' | 'gauge',
): string {
  const value = { SYNCED: syncedValue, OUT_OF_SYNC: 1 - syncedValue, UNKNOWN: 'NaN' }[sync_status]
  const checkedAt = Date.parse(last_check) / 1000
  return [
    ...(type === 'gauge' ? [`# TYPE ${metric} gauge`] : []),
    `${metric} ${value}`,
    `# HELP ${LAST_CHECK} When the newest drift check began.`,
    `# TYPE ${LAST_CHECK} gauge`,
    `${LAST_CHECK} ${checkedAt}`,
    ...(sync_status === 'UNKNOWN'
      ? []
      : [
          `# HELP ${LAST_SUCCESS} When the newest drift check began that found out whether the server is in sync.`,
          `# TYPE ${LAST_SUCCESS} gauge`,
          `${LAST_SUCCESS} ${checkedAt}`,
        ]),
    '',
  ].join('\n')
}
