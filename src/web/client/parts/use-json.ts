import { useEffect, useState } from 'react'

export interface Asked<Value> {
  /** The newest answer; the one before it while the next is awaited. */
  readonly value: Value | null
  readonly error: string | null
  readonly isMissing: boolean
}

/**
 * Asks for JSON, and again whenever `version` changes. What another address answered is dropped at once.
 *
 * @param path Below the product's own address; null asks for nothing.
 */
export function useJson<Value>(path: string | null, version: unknown): Asked<Value> {
  const [answer, setAnswer] = useState<Asked<Value> & { readonly path: string | null }>({ ...NOTHING, path: null })
  // biome-ignore lint/correctness/useExhaustiveDependencies: another version is why it is asked again
  useEffect(() => {
    if (path === null) return
    const stop = new AbortController()
    ask<Value>(path, AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)])).then(
      (asked) => setAnswer({ ...asked, path }),
      (error: unknown) => {
        if (stop.signal.aborted) return
        const words = wordsFor(error)
        setAnswer((before) => ({ ...(before.path === path ? before : NOTHING), path, error: words }))
      },
    )
    return () => stop.abort()
  }, [path, version])
  return answer.path === path ? answer : NOTHING
}

// What browsers say of a connection that fails is another thing in each.
function wordsFor(error: unknown): string {
  if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) {
    return 'The server cannot be reached now.'
  }
  return error instanceof Error ? error.message : String(error)
}

// Whoever waits longer must see that something is wrong.
const PATIENCE_MS = 15_000

const NOTHING = { value: null, error: null, isMissing: false }

async function ask<Value>(path: string, signal: AbortSignal): Promise<Asked<Value>> {
  const response = await fetch(new URL(path, document.baseURI), { signal, cache: 'no-cache' })
  if (response.status === 404) return { ...NOTHING, isMissing: true }
  if (response.ok) return { ...NOTHING, value: await response.json() }
  const problem: { readonly detail?: string } = await response.json().catch(() => ({}))
  throw new Error(problem.detail ?? `The server answered with HTTP ${response.status}`)
}
