import type { Cause } from '../contract/report.ts'
import type { CheckErrorCode } from '../drift/check-error.ts'
import { hintFor, printable } from '../drift/check-error.ts'
import type { FileFacts } from '../drift/evidence.ts'
import { readablePath } from '../drift/file-name.ts'
import type { Drift, Verdict } from '../drift/judge.ts'

type Paint = (text: string, color: keyof typeof COLORS) => string

const COLORS = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const
export const STATUS_COLORS = { SYNCED: 'green', OUT_OF_SYNC: 'red', UNKNOWN: 'yellow' } as const
const MARKS = { modified: '~', metadata: '~', missing: '-', extra: '+' } as const
const MAX_SHOWN = 200

export function painter(color: boolean): Paint {
  return (text, name) => (color ? `\u001b[${COLORS[name]}m${text}\u001b[0m` : text)
}

/** Shows verdicts like a plan: a line for each server, one for each file that differs, and a summary. */
export function plan(verdicts: readonly Verdict[], paint: Paint, now = new Date()): string {
  return [...verdicts.flatMap((verdict) => planOf(verdict, paint, now)), '', summary(verdicts)].join('\n')
}

function planOf(verdict: Verdict, paint: Paint, now: Date): string[] {
  const { host, status, error, drift, coverage, check } = verdict
  const unchecked = coverage?.unchecked ?? []
  const how = [
    ...(coverage === null || unchecked.length === 0 ? [] : [`${coverage.checked} of ${coverage.total} checked`]),
    ...howChecked(verdict, now),
  ].join(', ')
  return [
    `${paint(printable(host), 'bold')}: ${paint(status, STATUS_COLORS[status])}${how && paint(`  (${how})`, 'dim')}`,
    ...(check?.disagreement
      ? [`    ${paint('The two checks disagree', 'yellow')}: ${printable(check.disagreement)}`]
      : []),
    ...(error === null ? [] : [`    ${error.code}: ${error.message}`, `    ${hint(error.code, paint)}`]),
    ...drift.slice(0, MAX_SHOWN).map((entry) => `    ${driftLine(entry)}`),
    ...(drift.length > MAX_SHOWN ? [`    … and ${drift.length - MAX_SHOWN} more`] : []),
    ...unchecked
      .slice(0, MAX_SHOWN)
      .map(({ name, reason }) =>
        paint(`    ? ${printable(name)} (not checked: ${reason.replaceAll('_', ' ')})`, 'dim'),
      ),
  ]
}

/** In which way, when there are two. */
function howChecked({ check, coverage }: Verdict, now: Date): string[] {
  if (check === undefined) return []
  const { watched, checked = 0, fullCheckAt } = coverage ?? {}
  const share = watched === undefined ? [] : [`${watched} of ${checked} tasks watched`]
  if (check.method === 'full') {
    const uncertified = check.uncertified === undefined ? [] : [`not certified: ${printable(check.uncertified)}`]
    return ['full check', ...share, ...uncertified]
  }
  return [
    'fast',
    ...share,
    ...(fullCheckAt === undefined ? [] : [`full check ${ago(now.getTime() - fullCheckAt.getTime())}`]),
  ]
}

export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 90) return `${seconds} s ago`
  return seconds < 90 * 60 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`
}

const CAUSES = {
  SERVER_CHANGED: 'changed on the server',
  PENDING_DEPLOY: 'waiting for deploy',
  BOTH: 'changed on the server and in Git',
  SAME_EDIT: 'same edit on both sides',
} as const satisfies Record<Cause, string>

function hint(code: CheckErrorCode, paint: Paint): string {
  return paint(`→ ${hintFor(code)}`, 'dim')
}

function driftLine({ path_base64, task, change, expected, actual, cause, modified_by }: Drift): string {
  const what = path_base64 === null ? printable(task) : readablePath(Buffer.from(path_base64, 'base64'))
  const details = [
    ...(change === 'missing' || change === 'extra' ? [change] : []),
    ...(path_base64 === null ? ['resource'] : []),
    ...differences(expected, actual),
    ...(cause ? [CAUSES[cause]] : []),
    ...(modified_by === undefined ? [] : [`by ${printable(modified_by)}`]),
  ]
  return `${MARKS[change]} ${what}${details.length > 0 ? ` (${details.join(', ')})` : ''}`
}

/** What of mode, owner, group and type the server has otherwise than Git, as `mode 0600, Git says 0644`. */
function differences(expected: FileFacts, actual: FileFacts): string[] {
  return (['type', 'mode', 'owner', 'group'] as const).flatMap((fact) => {
    const [is, should] = [actual[fact], expected[fact]].map((value) => value && printable(value))
    if (is === undefined || is === should) return []
    if (should === undefined) return fact === 'type' ? [`is a ${is}`] : []
    return [`${fact} ${is}, Git says ${should}`]
  })
}

function summary(verdicts: readonly Verdict[]): string {
  const drifted = verdicts.filter(({ status }) => status === 'OUT_OF_SYNC')
  const unknown = verdicts.filter(({ status }) => status === 'UNKNOWN')
  const unchecked = verdicts.reduce((sum, { coverage }) => sum + (coverage?.unchecked.length ?? 0), 0)
  const files = drifted.reduce((sum, { drift }) => sum + drift.length, 0)
  const where = drifted.length === 1 ? printable(drifted[0]?.host ?? '') : `${drifted.length} servers`
  return [
    drifted.length > 0 ? `Drift: ${files} ${files === 1 ? 'file' : 'files'} on ${where}.` : null,
    unknown.length > 0
      ? `Not known: ${unknown.length} of ${verdicts.length} ${verdicts.length === 1 ? 'server' : 'servers'}.`
      : null,
    drifted.length > 0 || unknown.length > 0
      ? null
      : unchecked === 0
        ? `No drift: ${verdicts.length === 1 ? 'the server matches' : `all ${verdicts.length} servers match`} Git.`
        : 'No drift in what was checked.',
    unchecked > 0 ? `Not checked: ${unchecked} ${unchecked === 1 ? 'task' : 'tasks'}.` : null,
  ]
    .filter((part) => part !== null)
    .join(' ')
}
