import { useEffect, useState } from 'react'
import type { StatusRow } from '../../../contract/status-json.ts'
import type { TargetDetails } from '../../../contract/target.ts'
import { howWords } from './how.ts'
import { pathOf } from './lines.tsx'

/** A file of a difference, and how it differs. */
export interface Change {
  readonly name: string
  readonly path: string
  readonly how: string
}

export const FILES_SHOWN = 3

// Equal ids mean equal files that differ in the same way, so what one target says of them is true of all of them for ever.
const changes = new Map<string, readonly Change[]>()
const MOST_KEPT = 1_000

// What a fast wheel passes is not asked for.
const ASK_AFTER_MS = 150

/** What the first files of a drift are and how they differ, asked of one target that has it. Null until that is known. */
export function useChanges(driftId: string | null, { repo, server }: StatusRow): readonly Change[] | null {
  const [, setAnswered] = useState<string | null>(null)
  const known = driftId === null ? undefined : changes.get(driftId)
  const isAsked = driftId !== null && known === undefined
  useEffect(() => {
    if (!isAsked) return
    const stop = new AbortController()
    const timer = setTimeout(async () => {
      try {
        await ask(driftId, { repo, server }, stop.signal)
        setAnswered(driftId)
      } catch {
        // Then the card says what the row says: which files, and not how.
      }
    }, ASK_AFTER_MS)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [isAsked, driftId, repo, server])
  return known ?? null
}

async function ask(driftId: string, target: Pick<StatusRow, 'repo' | 'server'>, signal: AbortSignal): Promise<void> {
  const response = await fetch(new URL(`api/v1${pathOf(target)}`, document.baseURI), { signal, cache: 'no-cache' })
  if (!response.ok) return
  const { status, files }: TargetDetails = await response.json()
  if (status.drift_id !== driftId) return // it has just become another
  const [oldest] = changes.keys()
  if (changes.size >= MOST_KEPT && oldest !== undefined) changes.delete(oldest)
  changes.set(
    driftId,
    files.slice(0, FILES_SHOWN).map((file) => ({ name: file.name, path: file.path ?? file.name, how: howWords(file) })),
  )
}
