import type { StatusRow } from '../../../contract/status-json.ts'
import { keyOf } from '../live/key.ts'
import { STATUS_WORD, STATUSES } from '../parts/words.ts'
import type { Group } from './wish.ts'

/** A line of the list: a target, the title of a repository, or the card of what several targets have in common. */
export type Line =
  | { readonly kind: 'target'; readonly key: string; readonly row: StatusRow }
  | { readonly kind: 'repo'; readonly key: string; readonly title: string; readonly about: string }
  | Card

/** Targets whose drift is the same, or that have none and the same status. */
export interface Card {
  readonly kind: 'card'
  readonly key: string
  /** As it stands in the address when it is open. */
  readonly id: string
  /** Null where nothing drifted. */
  readonly driftId: string | null
  /** At least one; worst first. */
  readonly members: readonly StatusRow[]
  /** The lines of its members follow. */
  readonly isOpen: boolean
}

/** Lays rows out under their groups, in the order in which the rows come; without groups just one after the other. */
export function linesOf(rows: readonly StatusRow[], group: Group, open: readonly string[] = []): Line[] {
  if (group === 'none') return rows.map(targetLine)
  if (group === 'repo') {
    return [...groupedBy(rows, ({ repo }) => repo)].flatMap(([repo, members]) => [
      repoLine(repo, members),
      ...members.map(targetLine),
    ])
  }
  const isOpen = new Set(open)
  return [...groupedBy(rows, ({ drift_id, sync_status }) => drift_id ?? sync_status)]
    .map(([id, members]): Card => {
      const driftId = members[0]?.drift_id ?? null
      return { kind: 'card', key: `card ${id}`, id, driftId, members, isOpen: isOpen.has(id) }
    })
    .sort((a, b) => rankOf(a) - rankOf(b) || b.members.length - a.members.length) // what most servers share is first
    .flatMap((card) => (card.isOpen ? [card, ...card.members.map(targetLine)] : [card]))
}

function groupedBy(rows: readonly StatusRow[], nameOf: (row: StatusRow) => string): Map<string, StatusRow[]> {
  const groups = new Map<string, StatusRow[]>()
  for (const row of rows) {
    const name = nameOf(row)
    const members = groups.get(name)
    if (members === undefined) groups.set(name, [row])
    else members.push(row)
  }
  return groups
}

// A row never changes, so neither does its line: ten thousand need not be made anew for each key that is typed.
const targetLines = new WeakMap<StatusRow, Line>()

function targetLine(row: StatusRow): Line {
  const known = targetLines.get(row)
  if (known !== undefined) return known
  const line: Line = { kind: 'target', key: keyOf(row), row }
  targetLines.set(row, line)
  return line
}

function repoLine(repo: string, members: readonly StatusRow[]): Line {
  return { kind: 'repo', key: `repo ${repo}`, title: repo, about: statusWords(members) }
}

/** How many there are of each status: `3 out of sync, 2 unknown`. */
export function statusWords(members: readonly StatusRow[]): string {
  return STATUSES.map((status) => [status, members.filter((row) => row.sync_status === status).length] as const)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${STATUS_WORD[status].toLowerCase()}`)
    .join(', ')
}

/** Drift that is there first, then drift that was last seen, then what is not known, then what is well. */
function rankOf({ driftId, members: [worst] }: Card): number {
  if (worst === undefined || worst.sync_status === 'OUT_OF_SYNC') return 0
  if (driftId !== null) return 1
  return worst.sync_status === 'UNKNOWN' ? 2 : 3
}
