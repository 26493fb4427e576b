import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Path64 } from '../snapshot/host-snapshot.ts'
import { isRecord, parseJson } from '../untrusted-json.ts'
import { isFileError } from './baseline-file.ts'
import type { Deploy } from './cause.ts'
import { readOwnFile, Untrusted } from './state-directory.ts'

/** One run of a playbook that was no check, as the callback plugin recorded it for a host that it ended well on. */
interface DeployRecord {
  /** Of Git; null: it is not known, or something was not committed, or only a part of the playbook ran. */
  readonly commit: string | null
  /** Not recorded by every version: then it is when it was finished. */
  readonly startedAt: Date
  readonly finishedAt: Date
  readonly paths: ReadonlySet<Path64>
}

/** @returns what is recorded about a path of one host, since a time. */
export function recordedDeploys(
  stateDirectory: string,
  { repository, host, commit }: { readonly repository: string; readonly host: string; readonly commit: string | null },
): (path: Path64, since: Date) => Deploy {
  const records = readRecords(join(stateDirectory, 'deploys'), prefixOf(repository, host))
  return (path, since) => {
    const later = records.filter(({ finishedAt }) => finishedAt > since)
    const last = newest(later.filter(({ paths }) => paths.has(path)))
    if (last !== null && commit !== null && last.commit === commit) return 'current'
    // One that does not name the path may have been of a commit without it. Runs that name none deploy nothing.
    if (later.some(({ paths }) => paths.size > 0)) return 'other'
    return records.some(({ paths }) => paths.has(path)) ? 'none' : 'not_recorded'
  }
}

/** When a path was rolled out, in seconds since 1970 by the clock of whoever deployed; the newest run of each playbook. */
export function deployTimes(
  stateDirectory: string,
  { repository, host }: { readonly repository: string; readonly host: string },
): (path: Path64) => readonly { readonly from: number; readonly to: number }[] {
  const records = readRecords(join(stateDirectory, 'deploys'), prefixOf(repository, host))
  return (path) =>
    records.flatMap(({ startedAt, finishedAt, paths }) =>
      paths.has(path) ? [{ from: startedAt.getTime() / 1_000, to: finishedAt.getTime() / 1_000 }] : [],
    )
}

function newest(records: readonly DeployRecord[]): DeployRecord | null {
  return records.reduce<DeployRecord | null>(
    (last, record) => (last === null || record.finishedAt > last.finishedAt ? record : last),
    null,
  )
}

/** Begins the names of a host's records. The callback plugin makes the same. */
function prefixOf(repository: string, host: string): string {
  return createHash('sha256').update(`${repository}\0${host}`).digest('hex').slice(0, 32)
}

// One for each playbook that deploys to the host.
const MAX_RECORDS = 100

function readRecords(directory: string, prefix: string): DeployRecord[] {
  try {
    const names = readdirSync(directory).filter((name) => name.startsWith(prefix) && name.endsWith('.json'))
    return names.slice(0, MAX_RECORDS).flatMap((name) => {
      const record = parseRecord(readOwnFile(join(directory, name)) ?? '')
      return record === null ? [] : [record]
    })
  } catch (error) {
    // A cause that is not known: nothing else stands on these records.
    if (error instanceof Untrusted || isFileError(error)) return []
    throw error
  }
}

function parseRecord(text: string): DeployRecord | null {
  const value = parseJson(text)
  if (!isRecord(value) || value.format !== 1) return null
  const { commit, finished_at, started_at = finished_at, paths } = value
  if (!(commit === null || typeof commit === 'string') || typeof finished_at !== 'string') return null
  if (typeof started_at !== 'string') return null
  if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string')) return null
  const finishedAt = new Date(finished_at)
  const startedAt = new Date(started_at)
  if (Number.isNaN(finishedAt.getTime()) || Number.isNaN(startedAt.getTime())) return null
  return { commit, startedAt, finishedAt, paths: new Set(paths) }
}
