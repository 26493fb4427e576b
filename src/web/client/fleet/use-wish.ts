import { useCallback, useMemo } from 'react'
import { useLocation } from 'wouter'
import { useSearch } from 'wouter/use-browser-location'
import { queryOf, type Wish, wishIn } from './wish.ts'

export type ChangeWish = (change: Partial<Wish>) => void

/** The wish in the address of the page, and how to change it. */
export function useWish(): readonly [Wish, ChangeWish] {
  const [path, navigate] = useLocation()
  const search = useSearch() // not the router's, which decodes it once too often
  const wish = useMemo(() => wishIn(new URLSearchParams(search)), [search])
  const change = useCallback(
    (part: Partial<Wish>) => {
      const before = wishIn(new URLSearchParams(location.search))
      const query = queryOf({ ...before, ...part })
      if (query === queryOf(before)) return
      // What was chosen is taken back by going back. Nobody wants to go back letter by letter, or fold by fold.
      const isOnTheWay = Object.keys(part).every((name) => name === 'search' || name === 'open')
      navigate(query === '' ? path : `${path}?${query}`, { replace: isOnTheWay })
    },
    [path, navigate],
  )
  return [wish, change]
}
