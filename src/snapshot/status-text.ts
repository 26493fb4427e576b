import type { StatusJson } from '../contract/status-json.ts'
import { formatTime } from '../contract/time.ts'
import type { Freshness } from '../domain/freshness.ts'
import type { SyncStatus } from '../domain/report.ts'
import { RollUp } from './roll-up.ts'
import { isCut, MAX_FILES_SHOWN, MAX_ITEMS } from './status-json.ts'
import { rowOf, type View } from './view.ts'

/** A target's parts of `/status.json` as text. Of a row only the ages change between two reports. */
export interface Fragment {
  readonly freshness: Freshness
  readonly beforeAges: string
  readonly afterAges: string
  /** Its files, each with its target, with commas between them. */
  readonly files: string
  readonly fileCount: number
}

export function fragmentOf(view: View): Fragment {
  const text = JSON.stringify({ ...rowOf(view), age_seconds: -1, contact_age_seconds: -1, full_check_age_seconds: -1 })
  const [beforeAges = '', afterAges = ''] = text.split(AGES)
  const files = view.finding?.report.body.files ?? []
  const { repo, server } = view.record.newest.report.target
  return {
    freshness: view.freshness,
    beforeAges,
    afterAges,
    files: files.map((file) => JSON.stringify({ ...file, repo, server })).join(','),
    fileCount: files.length,
  }
}

/** A target's row of `/status.json` as it shows now. */
export function rowText(view: View, { beforeAges, afterAges }: Fragment): string {
  const ages = `"age_seconds":${view.ageSeconds},"contact_age_seconds":${view.contactAgeSeconds}`
  return `${beforeAges}${ages},"full_check_age_seconds":${view.fullCheckAgeSeconds}${afterAges}`
}

// No age is negative, and inside a JSON string the quotes would be escaped: this stands in a row once.
const AGES = '"age_seconds":-1,"contact_age_seconds":-1,"full_check_age_seconds":-1'

/**
 * Writes `/status.json` for several targets from their fragments: what `statusJsonOf` says, without making an object of
 * anything. Takes the targets in the order of their names.
 */
export class StatusText {
  readonly #rollUp = new RollUp()
  readonly #rows: Record<SyncStatus, string[]> = { OUT_OF_SYNC: [], UNKNOWN: [], SYNCED: [] }
  readonly #files: Record<SyncStatus, Fragment[]> = { OUT_OF_SYNC: [], UNKNOWN: [], SYNCED: [] }
  #fileCount = 0
  #isCut = false

  get count(): number {
    return this.#rollUp.count
  }

  /** The target, when there is one alone. */
  get only(): readonly View[] {
    return this.#rollUp.only
  }

  add(view: View, fragment: Fragment): void {
    this.#rollUp.add(view)
    const rows = this.#rows[view.status]
    if (rows.length < MAX_ITEMS) rows.push(rowText(view, fragment))
    if (fragment.fileCount > 0) {
      this.#files[view.status].push(fragment)
      this.#fileCount += fragment.fileCount
    }
    this.#isCut ||= isCut(view)
  }

  toString(now: Date): string {
    const { count } = this.#rollUp
    const { repo, server, sync_status, drift_count, ...others } = this.#rollUp.result()
    const frame: StatusJson = {
      repo,
      server,
      sync_status,
      drift_count,
      files: [],
      ...others,
      files_truncated: this.#isCut || this.#fileCount > MAX_FILES_SHOWN,
      target_count: count,
      items: [],
      items_truncated: count > MAX_ITEMS,
      generated_at: formatTime(now),
    }
    // Inside a JSON string the quotes would be escaped: each of the two stands in the frame once.
    const [start = '', rest = ''] = JSON.stringify(frame).split('"files":[]')
    const [middle = '', end = ''] = rest.split('"items":[]')
    return `${start}"files":[${this.#filesText()}]${middle}"items":${this.rows()}${end}`
  }

  /** The first rows alone. */
  rows(limit = MAX_ITEMS): string {
    const { OUT_OF_SYNC, UNKNOWN, SYNCED } = this.#rows
    return `[${[...OUT_OF_SYNC, ...UNKNOWN, ...SYNCED].slice(0, limit).join(',')}]`
  }

  #filesText(): string {
    const fragments = [...this.#files.OUT_OF_SYNC, ...this.#files.UNKNOWN, ...this.#files.SYNCED]
    const shown: string[] = []
    let room = MAX_FILES_SHOWN
    for (const { files, fileCount } of fragments) {
      if (fileCount <= room) shown.push(files)
      else if (room > 0) shown.push(JSON.stringify(JSON.parse(`[${files}]`).slice(0, room)).slice(1, -1))
      room -= fileCount
      if (room <= 0) break
    }
    return shown.join(',')
  }
}
