import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useSearch } from 'wouter/use-browser-location'
import { endReturn, keepPlace, type Place, placeToReturnTo, scrollByOurselves } from './way-back.ts'

/** Says which line of the list is the first to be seen. */
export type SeenFirst = () => Place['first']

export interface InList {
  /** The key of a target or a card. */
  readonly selected: string | null
  readonly select: (key: string) => void
  /** Where somebody was who comes back; null for who does not. */
  readonly returnTo: Place['first']
  /** Filled in by the list. */
  readonly seen: RefObject<SeenFirst | null>
}

/**
 * Where somebody is in the list, kept when the page is left. For the page itself: what stands above the list is taken
 * out of the document before the list is.
 */
export function usePlace(): InList {
  const [returnTo] = useState(placeToReturnTo)
  const [selected, select] = useState(returnTo?.selected ?? null)
  const seen = useRef<SeenFirst>(null)
  const latest = useRef({ selected, search: '' })
  latest.current = { selected, search: useSearch() }
  useLayoutEffect(() => () => keepPlace({ ...latest.current, first: seen.current?.() ?? null }), [])
  useLayoutEffect(scrollByOurselves, [])
  useEffect(endReturn, [])
  return { selected, select, returnTo: returnTo?.first ?? null, seen }
}
