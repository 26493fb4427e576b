import { CLOCK_SKEW_MS, MAX_FILES } from './limits.ts'
import { formatTime, parseTime } from './time.ts'

/**
 * Where the fields of a report cannot be true together. Looks only at fields that are well formed by themselves, so
 * that a report with other mistakes gets all of them named at once.
 */
export function contradictionsIn(value: unknown): { pointer: string; detail: string }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const { sync_status, drift_count, files, files_truncated, error, coverage, cause } = value as Record<string, unknown> // an object
  const found: { pointer: string; detail: string }[] = []

  const fileCount = Array.isArray(files) ? files.length : undefined
  const mayDiffer = files_truncated === true && fileCount === MAX_FILES

  if (sync_status === 'SYNCED' && fileCount !== undefined && fileCount > 0) {
    found.push({ pointer: '/files', detail: 'must be empty when sync_status is "SYNCED"' })
  }
  if (sync_status === 'OUT_OF_SYNC' && fileCount === 0) {
    found.push({ pointer: '/files', detail: 'must name what differs when sync_status is "OUT_OF_SYNC"' })
  }
  if (sync_status === 'UNKNOWN') {
    if (fileCount !== undefined && fileCount > 0) {
      found.push({ pointer: '/files', detail: 'must be empty when sync_status is "UNKNOWN": nothing was found out' })
    }
    if (error === undefined) {
      found.push({ pointer: '/error', detail: 'is missing: "UNKNOWN" must say why the check could not be trusted' })
    }
  } else if (error !== undefined && typeof sync_status === 'string') {
    found.push({ pointer: '/error', detail: 'only goes with sync_status "UNKNOWN": a check that failed found nothing' })
  }
  if (typeof drift_count === 'number' && fileCount !== undefined && drift_count !== fileCount) {
    if (!mayDiffer) {
      found.push({
        pointer: '/drift_count',
        detail: `must be the number of files (${fileCount}); got ${drift_count}`,
      })
    } else if (drift_count < fileCount) {
      found.push({ pointer: '/drift_count', detail: `must not be below the number of files (${fileCount})` })
    }
  }
  if (files_truncated === true && fileCount !== undefined && fileCount !== MAX_FILES) {
    found.push({ pointer: '/files_truncated', detail: `only goes with ${MAX_FILES} files; got ${fileCount}` })
  }
  return [
    ...found,
    ...causeContradictions(sync_status, cause),
    ...coverageContradictions(sync_status, coverage),
    ...fullCheckContradictions(value),
  ]
}

/** A server that is as in Git has changed in no way but as Git did. */
function causeContradictions(status: unknown, cause: unknown): { pointer: string; detail: string }[] {
  if (cause === undefined || status === 'OUT_OF_SYNC') return []
  if (status === 'SYNCED' && cause !== 'SAME_EDIT') {
    return [{ pointer: '/cause', detail: 'can only be "SAME_EDIT" when sync_status is "SYNCED"' }]
  }
  if (status !== 'UNKNOWN') return []
  return [{ pointer: '/cause', detail: 'does not go with sync_status "UNKNOWN": nothing was found out' }]
}

/** Who checked nothing of something has found nothing out, and what was not checked is part of the total. */
function coverageContradictions(status: unknown, coverage: unknown): { pointer: string; detail: string }[] {
  if (typeof coverage !== 'object' || coverage === null) return []
  const { checked, total, unchecked, watched, unwatched } = coverage as Record<string, unknown> // an object
  if (typeof checked !== 'number' || typeof total !== 'number') return []
  if (checked > total) {
    return [{ pointer: '/coverage/checked', detail: `must not be above total (${total}); got ${checked}` }]
  }
  const watchContradiction = watchContradictionIn(checked, watched, unwatched)
  if (watchContradiction !== null) return [watchContradiction]
  if (status === 'SYNCED' && checked === 0 && total > 0) {
    return [{ pointer: '/sync_status', detail: `must be "UNKNOWN" when nothing of ${total} was checked` }]
  }
  // The reporter counts each of them in total; it may name fewer, of a list that was cut. SYNCED would hide the rest.
  if (status === 'SYNCED' && Array.isArray(unchecked) && unchecked.length > total - checked) {
    const detail = `must not be more than total less checked (${total - checked}); got ${unchecked.length}`
    return [{ pointer: '/coverage/unchecked', detail }]
  }
  return []
}

/** What the fast check watches, the full check has checked; each that it does not watch may be named once. */
function watchContradictionIn(checked: number, watched: unknown, unwatched: unknown) {
  if (typeof watched !== 'number') {
    const isAlone = Array.isArray(unwatched) && unwatched.length > 0
    return isAlone ? { pointer: '/coverage/watched', detail: 'is missing: unwatched goes with it' } : null
  }
  if (watched > checked) {
    return { pointer: '/coverage/watched', detail: `must not be above checked (${checked}); got ${watched}` }
  }
  if (Array.isArray(unwatched) && unwatched.length > checked - watched) {
    const detail = `must not be more than checked less watched (${checked - watched}); got ${unwatched.length}`
    return { pointer: '/coverage/unwatched', detail }
  }
  return null
}

/** The full check that a report stands on may be a part of its check, repeated where a host was in use: not what came after. */
function fullCheckContradictions(report: object): { pointer: string; detail: string }[] {
  const { last_check, duration_ms, coverage } = report as Record<string, unknown> // an object
  if (typeof coverage !== 'object' || coverage === null || !('full_check_at' in coverage)) return []
  const { full_check_at } = coverage
  const began = typeof last_check === 'string' ? parseTime(last_check) : null
  const full = typeof full_check_at === 'string' ? parseTime(full_check_at) : null
  if (began === null || full === null) return []
  const tookMs = typeof duration_ms === 'number' && Number.isSafeInteger(duration_ms) ? Math.max(0, duration_ms) : 0
  if (full.getTime() <= began.getTime() + tookMs + CLOCK_SKEW_MS) return []
  const end = formatTime(new Date(began.getTime() + tookMs))
  return [
    {
      pointer: '/coverage/full_check_at',
      detail: `is ${full_check_at}, more than 5 minutes after the check that stands on it was over, ${end}`,
    },
  ]
}
