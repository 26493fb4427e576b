import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef } from 'react'
import { useLocation } from 'wouter'
import { useKeys } from '../parts/keys.ts'
import type { Line } from './groups.ts'
import { GroupLine, pathOf, TargetLine, Tile } from './lines.tsx'

interface Props {
  readonly lines: readonly Line[]
  /** How many stand side by side. */
  readonly columns: number
  readonly isTable: boolean
  /** The key of a target. */
  readonly selected: string | null
  readonly select: (key: string) => void
}

// Until they are on the screen and measured.
const ROW_HEIGHT = 57
const TILE_HEIGHT = 174
const GROUP_HEIGHT = 61

// Beyond the screen on either side: what a fast wheel passes between two frames.
const OVERSCAN = 6

/** The lines that fit on the screen, of as many as there are. */
export function Shelves({ lines, columns, isTable, selected, select }: Props) {
  const list = useRef<HTMLDivElement>(null)
  const shelves = useMemo(() => shelvesOf(lines, columns), [lines, columns])
  const virtual = useWindowVirtualizer({
    count: shelves.length,
    estimateSize: (index) =>
      shelves[index]?.[0]?.kind === 'group' ? GROUP_HEIGHT : isTable ? ROW_HEIGHT : TILE_HEIGHT,
    overscan: OVERSCAN,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => shelves[index]?.[0]?.key ?? index,
  })

  const [, navigate] = useLocation()
  function move(step: number) {
    const targets = lines.filter(({ kind }) => kind === 'target')
    const at = targets.findIndex(({ key }) => key === selected)
    const next = targets[Math.min(targets.length - 1, Math.max(0, at + step))]
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
      if (line?.kind === 'target' && !isOnControl) navigate(pathOf(line.row))
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
            line.kind === 'group' ? (
              <GroupLine key={line.key} line={line} isTable={isTable} />
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

/** Lines side by side where there is room for several; a group's title has its own. */
function shelvesOf(lines: readonly Line[], columns: number): Line[][] {
  const shelves: Line[][] = []
  let open: Line[] = []
  for (const line of lines) {
    if (line.kind === 'group') {
      shelves.push([line])
      open = []
    } else if (open.length === 0 || open.length >= columns) {
      open = [line]
      shelves.push(open)
    } else open.push(line)
  }
  return shelves
}
