import { printable } from '../drift/check-error.ts'
import { readablePath } from '../drift/file-name.ts'
import type { Verdict } from '../drift/judge.ts'
import type { Doing } from '../drift/watch/host-watch.ts'
import type { Console } from './console.ts'
import { ago, type painter, STATUS_COLORS } from './plan.ts'

/** Where a table can be drawn, and again in its place. */
export interface Screen {
  size(): { readonly rows: number; readonly columns: number }
  write(text: string): void
}

export interface WatchScreen {
  told(verdict: Verdict, lookedAt: Date): void
  /** Something that happened, for a person. */
  said(line: string): void
  left(host: string): void
  begun(doing: () => ReadonlyMap<string, Doing>): void
  stop(): void
}

const REDRAW_MS = 500
const MAX_NAMES = 3
const MAX_SAID = 5
const WORST_FIRST = ['OUT_OF_SYNC', 'UNKNOWN', 'SYNCED'] as const

interface Row {
  readonly verdict: Verdict
  readonly lookedAt: Date
  /** Since when it says the same. */
  readonly since: Date
}

/** What a watch shows: a live table on a screen, elsewhere a line for each change. */
export function createWatchScreen({
  repo,
  console,
  paint,
  quiet,
  screen,
  now = () => new Date(),
}: {
  readonly repo: string
  readonly console: Console
  readonly paint: ReturnType<typeof painter>
  readonly quiet: boolean
  readonly screen?: Screen
  readonly now?: () => Date
}): WatchScreen {
  const rows = new Map<string, Row>()
  const said: string[] = []
  let doing: () => ReadonlyMap<string, Doing> = () => new Map()
  let timer: NodeJS.Timeout | null = null

  function say(line: string): void {
    const text = `${clockTime(now())}  ${printable(line)}`
    if (screen === undefined) {
      if (!quiet) console.err(text)
      return
    }
    said.push(text)
    if (said.length > MAX_SAID) said.shift()
  }

  function draw({ size, write }: Screen): void {
    const { rows: height, columns } = size()
    const lines = tableLines({ repo, rows, doing: doing(), now: now(), paint })
    const room = Math.max(1, height - said.length - 2)
    const cut = lines.length > room ? [...lines.slice(0, room - 1), `… and ${lines.length - room + 1} more`] : lines
    const all = [...cut, '', ...said.map((line) => line.slice(0, columns))]
    write(`\u001b[H${all.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`)
  }

  return {
    told(verdict, lookedAt) {
      const before = rows.get(verdict.host)
      const isNews = before === undefined || whatIs(before.verdict) !== whatIs(verdict)
      rows.set(verdict.host, { verdict, lookedAt, since: isNews ? lookedAt : before.since })
      if (!isNews || screen !== undefined || (quiet && verdict.status === 'SYNCED')) return
      console.out(`${clockTime(now())}  ${printable(verdict.host)}: ${verdict.status}${details(verdict)}`)
    },
    said: say,
    left(host) {
      rows.delete(host)
      say(`${host} left the inventory`)
    },
    begun(whatIsDone) {
      doing = whatIsDone
      if (screen === undefined) {
        if (!quiet) console.err(`${clockTime(now())}  watching ${whatIsDone().size} servers`)
        return
      }
      screen.write('\u001b[2J')
      timer = setInterval(() => draw(screen), REDRAW_MS)
    },
    stop() {
      if (timer !== null) clearInterval(timer)
      if (screen !== undefined && timer !== null) draw(screen)
    },
  }
}

function tableLines({
  repo,
  rows,
  doing,
  now,
  paint,
}: {
  readonly repo: string
  readonly rows: ReadonlyMap<string, Row>
  readonly doing: ReadonlyMap<string, Doing>
  readonly now: Date
  readonly paint: ReturnType<typeof painter>
}): string[] {
  const hosts = [...new Set([...doing.keys(), ...rows.keys()])]
  const width = Math.min(40, Math.max(6, ...hosts.map((host) => printable(host).length)))
  const rank = (host: string) => {
    const status = rows.get(host)?.verdict.status
    return status === undefined ? WORST_FIRST.length : WORST_FIRST.indexOf(status)
  }
  const sorted = hosts.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  const counts = WORST_FIRST.flatMap((status) => {
    const count = sorted.filter((host) => rows.get(host)?.verdict.status === status).length
    return count === 0 ? [] : [`${count} ${status}`]
  })
  return [
    `${paint(printable(repo), 'bold')}  ${[`${hosts.length} servers`, ...counts].join(', ')}`,
    '',
    paint([pad('SERVER', width), pad('STATUS', 11), pad('SINCE', 12), pad('SEEN', 10), 'WHAT'].join('  '), 'dim'),
    ...sorted.map((host) => {
      const row = rows.get(host)
      const name = pad(printable(host).slice(0, width), width)
      const busy = doing.get(host) ?? ''
      if (row === undefined) return `${name}  ${pad('', 11)}  ${pad('', 12)}  ${pad('', 10)}  ${paint(busy, 'dim')}`
      const { verdict, since, lookedAt } = row
      const what = [details(verdict).trim(), busy === 'watching' ? '' : busy].filter(Boolean).join('  ')
      return [
        name,
        paint(pad(verdict.status, 11), STATUS_COLORS[verdict.status]),
        pad(ago(now.getTime() - since.getTime()), 12),
        pad(ago(now.getTime() - lookedAt.getTime()), 10),
        what,
      ].join('  ')
    }),
  ]
}

function details({ status, error, drift, check }: Verdict): string {
  const disagreement =
    check?.disagreement === undefined ? '' : `; the two checks disagree: ${printable(check.disagreement)}`
  if (status === 'UNKNOWN') return `  ${error?.code ?? ''}: ${printable(error?.message ?? '')}${disagreement}`
  if (status === 'SYNCED') return disagreement && `  ${disagreement.slice(2)}`
  const names = drift
    .slice(0, MAX_NAMES)
    .map(({ path_base64: path, task }) => (path === null ? printable(task) : readablePath(Buffer.from(path, 'base64'))))
  const more = drift.length > names.length ? ` and ${drift.length - names.length} more` : ''
  const confirmed = check?.method === 'fast' ? ' (not confirmed yet)' : ''
  return `  ${names.join(', ')}${more}${confirmed}${disagreement}`
}

/** What makes it another line. */
function whatIs({ status, error, drift, check }: Verdict): string {
  const isConfirmed = status === 'OUT_OF_SYNC' && check?.method
  return JSON.stringify([status, error?.code, drift.map(({ path_base64, task }) => path_base64 ?? task), isConfirmed])
}

function clockTime(time: Date): string {
  return time.toTimeString().slice(0, 8)
}

function pad(text: string, width: number): string {
  return text.padEnd(width)
}
