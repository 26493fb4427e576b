import { useMemo } from 'react'
import { useLocation, useSearch } from 'wouter'
import { queryOf, type Wish, wishIn } from './wish.ts'

/** The wish in the address of the page, and how to change it. */
export function useWish(): readonly [Wish, (change: Partial<Wish>) => void] {
  const [path, navigate] = useLocation()
  const search = useSearch()
  const wish = useMemo(() => wishIn(new URLSearchParams(search)), [search])
  function change(part: Partial<Wish>) {
    const query = queryOf({ ...wish, ...part })
    navigate(query === '' ? path : `${path}?${query}`, { replace: true })
  }
  return [wish, change]
}
