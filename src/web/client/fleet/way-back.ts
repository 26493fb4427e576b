import { useLocation } from 'wouter'

// Everybody who looks into a target comes back to the list: to the same list, at the same line. Going back in the
// history does that for the list; who is further away than one step is shown it as it was left, which is kept here for
// each tab, over reloads too.

/** Where in the list somebody was. */
export interface Place {
  /** What was wished for then: it is no place in another list. */
  readonly search: string
  /** The first line to be seen, and how far below the top of the window it began. */
  readonly first: { readonly key: string; readonly top: number } | null
  readonly selected: string | null
}

const [SEARCH, PLACE] = ['fleet search', 'fleet place']

/** What an entry of the history says of how somebody came to it. */
export const FROM_FLEET = { isFromFleet: true } as const
const RETURN = { isReturn: true } as const

let isPopped = false

/** To be called before the first page is drawn. */
export function watchHistory(): void {
  addEventListener('popstate', () => {
    isPopped = true
  })
  addEventListener('pushState', () => {
    isPopped = false
  })
}

/**
 * To be called while the list is on show; ends with what it returns. Where a browser scrolls to when one goes back is a
 * number of pixels, and what lies above the screen is as high as it was guessed until it was measured: we go back to the
 * line. The mode is that of an entry of the history, and the next one begins with the same.
 */
export function scrollByOurselves(): () => void {
  const byBrowser = () => {
    history.scrollRestoration = 'auto'
  }
  history.scrollRestoration = 'manual'
  addEventListener('pagehide', byBrowser) // of a reload the browser knows better
  return () => {
    removeEventListener('pagehide', byBrowser)
    byBrowser()
  }
}

/** Somebody came to this page for the first time: where the one before was scrolled to means nothing here. */
export function isNewPage(): boolean {
  return !isPopped && !isReturn()
}

export function keepSearch(search: string): void {
  keep(SEARCH, search)
}

export function keepPlace(place: Place): void {
  keep(PLACE, JSON.stringify(place))
}

/** Null for who did not come back to the list that was left. */
export function placeToReturnTo(): Place | null {
  if (isNewPage()) return null
  const place = kept<Place>(PLACE)
  return place?.search === location.search ? place : null
}

/** From now on it is a page like any other, which is where it was when it is loaded anew. */
export function endReturn(): void {
  if (isReturn()) history.replaceState(null, '')
}

function isReturn(): boolean {
  return history.state?.isReturn === true
}

/** The fleet as it was left in this tab; of who was not there, all of it. */
export function fleetAsLeft(): string {
  return `/${read(SEARCH) ?? ''}`
}

/** Goes there. */
export function useWayBack(): () => void {
  const [, navigate] = useLocation()
  return () => {
    if (history.state?.isFromFleet === true) history.back()
    else navigate(fleetAsLeft(), { state: RETURN })
  }
}

function keep(name: string, text: string): void {
  try {
    sessionStorage.setItem(name, text)
  } catch {
    // A browser that keeps nothing: then the way back leads to all of the fleet.
  }
}

function read(name: string): string | null {
  try {
    return sessionStorage.getItem(name)
  } catch {
    return null
  }
}

function kept<Value>(name: string): Value | null {
  const text = read(name)
  return text === null ? null : JSON.parse(text) // we wrote it
}
