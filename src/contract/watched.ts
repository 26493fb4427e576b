import type { ReportBody } from './report.ts'

/** Of what was compared: how much the fast check watches, and how much only the full check sees. */
export function watchedOf({ coverage }: ReportBody): {
  readonly watched: number | null
  readonly unwatched: number | null
} {
  const watched = coverage?.watched
  if (coverage === undefined || watched === undefined) return { watched: null, unwatched: null }
  return { watched, unwatched: coverage.checked - watched }
}

/** A status stands on less than all: of `of` declared or compared tasks, so many were. */
export interface CoverageGap {
  readonly done: number
  readonly of: number
  readonly what: 'checked' | 'watched'
}

/** Null when everything is checked, and watched where that is told. */
export function coverageGapOf({ coverage }: ReportBody): CoverageGap | null {
  if (coverage === undefined) return null
  const { checked, total, watched = checked } = coverage
  if (checked < total) return { done: checked, of: total, what: 'checked' }
  return watched < checked ? { done: watched, of: checked, what: 'watched' } : null
}
