import type { StatusRow } from '../../../contract/status-json.ts'
import { keyOf } from '../live/key.ts'
import { countOf, STATUS_WORD, STATUSES } from '../parts/words.ts'
import type { Group } from './wish.ts'

/** A line of the list: a target, or what several of them have in common. */
export type Line =
  | { readonly kind: 'target'; readonly key: string; readonly row: StatusRow }
  | { readonly kind: 'group'; readonly key: string; readonly title: string; readonly about: string }

/** Lays rows out under their groups, in the order in which the rows come; without groups just one after the other. */
export function linesOf(rows: readonly StatusRow[], group: Group): Line[] {
  if (group === 'none') return rows.map(targetLine)
  const groups = new Map<string, StatusRow[]>()
  for (const row of rows) {
    const name = group === 'repo' ? row.repo : `${row.sync_status} ${row.drift_id ?? ''}`
    const members = groups.get(name)
    if (members === undefined) groups.set(name, [row])
    else members.push(row)
  }
  const all = [...groups.values()]
  // The change that most servers share stands first.
  if (group === 'drift') all.sort((a, b) => rankOf(a) - rankOf(b) || b.length - a.length)
  return all.flatMap((members) => [
    group === 'repo' ? repoLine(members) : driftLine(members),
    ...members.map(targetLine),
  ])
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

function repoLine(members: readonly StatusRow[]): Line {
  const repo = members[0]?.repo ?? ''
  const counts = STATUSES.map((status) => [status, members.filter((row) => row.sync_status === status).length] as const)
  const about = counts.filter(([, count]) => count > 0).map(([status, count]) => `${count} ${STATUS_WORD[status]}`)
  return { kind: 'group', key: `repo ${repo}`, title: repo, about: about.join(', ').toLowerCase() }
}

function driftLine(members: readonly StatusRow[]): Line {
  const [first] = members
  const servers = countOf(members.length, 'target')
  const key = `drift ${first?.sync_status} ${first?.drift_id}`
  if (first === undefined || first.drift_id === null) {
    return {
      kind: 'group',
      key,
      title: first === undefined ? '' : STATUS_WORD[first.sync_status],
      about: servers,
    }
  }
  const what = `${countOf(first.drift_count, 'file')}: ${first.drifted_files}`
  const title = members.length === 1 ? what : `The same change on ${servers}`
  return { kind: 'group', key, title, about: members.length === 1 ? servers : what }
}

/** Drift first, then what is not known, then what is well. */
function rankOf([first]: readonly StatusRow[]): number {
  if (first === undefined) return STATUSES.length
  return STATUSES.indexOf(first.sync_status)
}
