import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useImperativeHandle, useLayoutEffect, useMemo, useRef } from 'react'
import { useLocation } from 'wouter'
import { useKeys } from '../parts/keys.ts'
import { DriftCard } from './drift-card.tsx'
import type { Line } from './groups.ts'
import { pathOf, RepoLine, TargetLine, Tile } from './lines.tsx'
import type { InList } from './use-place.ts'
import { FROM_FLEET } from './way-back.ts'

interface Props {
  readonly lines: readonly Line[]
  /** How many stand side by side. */
  readonly columns: number
  readonly isTable: boolean
  readonly place: InList
  /** Shows or hides the targets of a card. */
  readonly fold: (id: string) => void
}

// Until they are on the screen and measured.
const ROW_HEIGHT = 57
const TILE_HEIGHT = 174
const REPO_HEIGHT = 61
const CARD_HEIGHT = 132

// The bar at the top lies over the list.
const BAR_HEIGHT = 60

// Beyond the screen on either side: what a fast wheel passes between two frames.
const OVERSCAN = 6

/** The lines that fit on the screen, of as many as there are. */
export function Shelves({ lines, columns, isTable, place, fold }: Props) {
  const { selected, select, returnTo, seen } = place
  const list = useRef<HTMLDivElement>(null)
  const shelves = useMemo(() => shelvesOf(lines, columns), [lines, columns])
  const virtual = useWindowVirtualizer({
    count: shelves.length,
    estimateSize: (index) => {
      const kind = shelves[index]?.[0]?.kind
      if (kind === 'repo') return REPO_HEIGHT
      if (kind === 'card') return CARD_HEIGHT
      return isTable ? ROW_HEIGHT : TILE_HEIGHT
    },
    overscan: OVERSCAN,
    scrollPaddingStart: BAR_HEIGHT,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => shelves[index]?.[0]?.key ?? index,
  })

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the list appears; then it is scrolled by hand
  useLayoutEffect(() => {
    const at = shelves.findIndex((shelf) => shelf.some(({ key }) => key === returnTo?.key))
    if (returnTo === null || at === -1) return
    return whileItSettles(() => {
      const line = list.current?.querySelector(`[data-index="${at}"]`)?.getBoundingClientRect().top
      const guess = (list.current?.getBoundingClientRect().top ?? 0) + (virtual.measurementsCache[at]?.start ?? 0)
      const off = (line ?? guess - virtual.options.scrollMargin) - returnTo.top
      scrollBy(0, off)
      return line !== undefined && Math.abs(off) < 1
    })
  }, [])
  useImperativeHandle(seen, () => () => {
    for (const shelf of list.current?.querySelectorAll<HTMLElement>('.shelf') ?? []) {
      const { top, bottom } = shelf.getBoundingClientRect()
      const key = shelves[Number(shelf.dataset.index)]?.[0]?.key
      if (bottom > BAR_HEIGHT && key !== undefined) return { key, top }
    }
    return null
  })

  const [, navigate] = useLocation()
  function move(step: number) {
    const stops = lines.filter(({ kind }) => kind !== 'repo')
    const at = stops.findIndex(({ key }) => key === selected)
    const next = stops[Math.min(stops.length - 1, Math.max(0, at + step))]
    if (next === undefined) return
    select(next.key)
    virtual.scrollToIndex(shelves.findIndex((shelf) => shelf.includes(next)))
  }
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: (event) => {
      const line = lines.find(({ key }) => key === selected)
      const isOnControl = event.target instanceof Element && event.target.closest('a, button') !== null
      if (isOnControl) return
      if (line?.kind === 'target') navigate(pathOf(line.row), { state: FROM_FLEET })
      else if (line?.kind === 'card') fold(line.id)
    },
  })

  return (
    <div
      ref={list}
      role={isTable ? 'rowgroup' : 'presentation'}
      className="shelves"
      style={{ height: virtual.getTotalSize() }}
    >
      {virtual.getVirtualItems().map(({ index, key, start }) => (
        <div
          key={key}
          ref={virtual.measureElement}
          data-index={index}
          role="presentation"
          className="shelf"
          style={{
            transform: `translateY(${start - virtual.options.scrollMargin}px)`,
            gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
          }}
        >
          {shelves[index]?.map((line) =>
            line.kind === 'repo' ? (
              <RepoLine key={line.key} line={line} isTable={isTable} />
            ) : line.kind === 'card' ? (
              <DriftCard
                key={line.key}
                card={line}
                index={index}
                isTable={isTable}
                isSelected={line.key === selected}
                fold={fold}
              />
            ) : isTable ? (
              <TargetLine key={line.key} row={line.row} index={index} isSelected={line.key === selected} />
            ) : (
              <Tile key={line.key} row={line.row} isSelected={line.key === selected} />
            ),
          )}
        </div>
      ))}
    </div>
  )
}

const MOST_FRAMES = 30
const STILL_FRAMES = 3

/** Calls it now and in each frame until it was well for some of them: lines are measured once they are drawn. */
function whileItSettles(adjust: () => boolean): () => void {
  let [frames, still, frame] = [0, 0, 0]
  function look() {
    still = adjust() ? still + 1 : 0
    if (still < STILL_FRAMES && ++frames < MOST_FRAMES) frame = requestAnimationFrame(look)
  }
  look()
  return () => cancelAnimationFrame(frame)
}

/** Lines side by side where there is room for several; a title and a card have their own. */
function shelvesOf(lines: readonly Line[], columns: number): Line[][] {
  const shelves: Line[][] = []
  let open: Line[] = []
  for (const line of lines) {
    if (line.kind !== 'target') {
      shelves.push([line])
      open = []
    } else if (open.length === 0 || open.length >= columns) {
      open = [line]
      shelves.push(open)
    } else open.push(line)
  }
  return shelves
}
