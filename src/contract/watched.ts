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
