import type { DriftedFile } from '../contract/report.ts'
import type { StatusJson, StatusRow } from '../contract/status-json.ts'
import type { Freshness } from '../domain/freshness.ts'
import type { SyncStatus } from '../domain/report.ts'
import { escapeHtml, reportedHtml } from './escape.ts'
import { POLICY, STYLE } from './style.ts'

const REFRESH_SECONDS = 5

// The page is for reading; whoever wants all 5,000 names of a target asks /status.json.
const FILES_SHOWN = 10

export interface Shown {
  /** Of a huge fleet the worst targets only. */
  readonly status: StatusJson
  /** Of all targets. */
  readonly counts: Readonly<Record<SyncStatus, number>>
  /** What is recorded cannot be read any more. */
  readonly isBehind: boolean
  /** What to try when there is nothing to show. */
  readonly example: string
}

/** The page: which server differs from Git, in which files, and how fresh that knowledge is. Plain HTML, no scripts. */
export function renderPage({ status, counts, isBehind, example }: Shown): { html: string; policy: string } {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${REFRESH_SECONDS}">
<title>${title(counts)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>gitops-status</h1>
<p>${summary(counts)} <small>As of ${escapeHtml(readable(status.generated_at))}; refreshes every ${REFRESH_SECONDS} s.</small></p>${isBehind ? BEHIND : ''}
</header>
<main>
${status.items.length === 0 ? nothingYet(example) : table(status, totalOf(counts) - status.items.length)}
</main>
</body>
</html>
`
  return { html, policy: POLICY }
}

const BEHIND = `
<p role="alert"><strong>This server cannot read its database.</strong> What was reported since then is not shown here.</p>`

function title({ OUT_OF_SYNC }: Shown['counts']): string {
  return OUT_OF_SYNC > 0 ? `(${OUT_OF_SYNC}) gitops-status` : 'gitops-status'
}

function summary(counts: Shown['counts']): string {
  if (totalOf(counts) === 0) return 'Nothing has reported yet.'
  return `${counts.OUT_OF_SYNC} out of sync, ${counts.UNKNOWN} unknown, ${counts.SYNCED} synced.`
}

function totalOf({ OUT_OF_SYNC, UNKNOWN, SYNCED }: Shown['counts']): number {
  return OUT_OF_SYNC + UNKNOWN + SYNCED
}

function nothingYet(example: string): string {
  return `<p>Waiting for the first report. Send one:</p>
<pre>${escapeHtml(example)}</pre>`
}

function table(status: StatusJson, more: number): string {
  const filesOf = filesByTarget(status)
  return `<div class="wide"><table>
<thead><tr>${COLUMNS.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>
<tbody>
${status.items.map((row) => tableRow(row, filesOf.get(keyOf(row)) ?? [])).join('\n')}
</tbody>
</table></div>${more > 0 ? `\n<p>And ${more} more, none of them worse: <code>/status.json</code> has them all.</p>` : ''}`
}

function tableRow(row: StatusRow, files: readonly DriftedFile[]): string {
  const cells = [
    `<span><span class="${row.sync_status}">${ICON[row.sync_status]} ${row.sync_status}</span>${why(row)}${coverage(row)}${disagreement(row)}</span>`,
    reportedHtml(row.server),
    reportedHtml(row.repo),
    String(row.drift_count),
    fileList(files, row.drift_count),
    lastCheck(row),
    row.freshness === null ? '' : FRESHNESS[row.freshness],
  ]
  // On a narrow screen each cell is a line of its own, and says what it is.
  return `<tr>${cells.map((cell, column) => `<td data-label="${COLUMNS[column]}">${cell}</td>`).join('')}</tr>`
}

const COLUMNS = ['Status', 'Server', 'Repository', 'Drift', 'Files', 'Last check', 'Freshness']

const ICON = { SYNCED: '✓', OUT_OF_SYNC: '✗', UNKNOWN: '?' } satisfies Record<SyncStatus, string>

const FRESHNESS = {
  FRESH: 'fresh',
  LATE: 'late: a report is due',
  STALE: 'stale: nothing came in time',
} satisfies Record<Freshness, string>

function lastCheck({ age_seconds, last_check }: StatusRow): string {
  if (age_seconds === null || last_check === null) return ''
  const time = `<time datetime="${escapeHtml(last_check)}">${escapeHtml(readable(last_check))}</time>`
  return `<span>${escapeHtml(ago(age_seconds))}<br><small>${time}</small></span>`
}

function why(row: StatusRow): string {
  switch (row.reason) {
    case 'check_failed':
      return `<small class="why">check failed: ${reportedHtml(shorten(row.error_message ?? row.error_code ?? ''))}</small>`
    case 'stale':
      return `<small class="why">${row.last_known_status === null ? 'never known' : `was ${row.last_known_status} when last heard of`}</small>`
    default:
      return ''
  }
}

/** A SYNCED that looked at a part only must not look like one that looked at everything. */
function coverage({ checked, total }: StatusRow): string {
  return checked === null || total === null || checked === total
    ? ''
    : `<small class="why">${checked} of ${total} checked</small>`
}

function disagreement({ checks_disagree }: StatusRow): string {
  return checks_disagree === 1 ? '<small class="why">the fast and the full check disagree</small>' : ''
}

function fileList(files: readonly DriftedFile[], driftCount: number): string {
  const shown = files.slice(0, FILES_SHOWN).map(({ name, change }) => {
    const how = change === undefined ? '' : ` <small>${CHANGE[change]}</small>`
    return `<li><code>${reportedHtml(shorten(name))}</code>${how}</li>`
  })
  const more = driftCount - shown.length
  if (more > 0) shown.push(`<li><small>and ${more} more</small></li>`)
  return shown.length > 0 ? `<ul>${shown.join('')}</ul>` : ''
}

const CHANGE = {
  modified: 'modified',
  missing: 'missing',
  extra: 'extra: not in Git',
  metadata: 'mode or owner',
} satisfies Record<NonNullable<DriftedFile['change']>, string>

function filesByTarget({ items, files }: StatusJson): Map<string, DriftedFile[]> {
  const [only] = items
  const byTarget = new Map<string, DriftedFile[]>()
  for (const file of files) {
    const { repo = only?.repo, server = only?.server } = file
    const key = `${repo} ${server}`
    const listed = byTarget.get(key)
    if (listed === undefined) byTarget.set(key, [file])
    else listed.push(file)
  }
  return byTarget
}

function keyOf({ repo, server }: StatusRow): string {
  return `${repo} ${server}`
}

function shorten(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300).toWellFormed()}…` : text
}

/** 2026-04-21T10:30:00Z as people read it; another zone stays as it was sent. */
function readable(time: string): string {
  return time.replace(/^(.{10})T(.*)Z$/, '$1 $2 UTC')
}

function ago(seconds: number): string {
  if (seconds < 1) return 'now'
  if (seconds < 120) return `${seconds} s ago`
  if (seconds < 2 * 3_600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3_600)} h ago`
  return `${Math.floor(seconds / 86_400)} days ago`
}
