import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { useKeys } from '../parts/keys.ts'
import { useServerNow } from '../parts/time.tsx'
import { zoneWords } from '../parts/time-words.ts'
import { useZone } from '../parts/zone.ts'
import type { Line } from './groups.ts'
import { GroupLine, pathOf, TargetLine, Tile } from './lines.tsx'
import { useWidth } from './use-width.ts'
import type { View } from './wish.ts'

interface Props {
  readonly lines: readonly Line[]
  readonly view: View
}

const TILE_WIDTH = 300
const ROW_HEIGHT = 57
const TILE_HEIGHT = 174
const GROUP_HEIGHT = 61

/** The lines that fit on the screen, of as many as there are. */
export function TargetList({ lines, view }: Props) {
  const list = useRef<HTMLDivElement>(null)
  const width = useWidth(list)
  const columns = view === 'table' ? 1 : Math.max(1, Math.floor(width / TILE_WIDTH))
  const shelves = useMemo(() => shelvesOf(lines, columns), [lines, columns])
  const virtual = useWindowVirtualizer({
    count: shelves.length,
    estimateSize: (index) => heightOf(shelves[index], view),
    overscan: 12,
    scrollMargin: list.current?.offsetTop ?? 0,
    // Of another layout too, because it has other heights.
    getItemKey: (index) => `${view} ${columns} ${shelves[index]?.[0]?.key}`,
  })

  const [selected, setSelected] = useState<string | null>(null)
  const [, navigate] = useLocation()
  const targets = useMemo(() => lines.filter((line) => line.kind === 'target'), [lines])
  function move(step: number) {
    const at = targets.findIndex(({ key }) => key === selected)
    const next = targets[Math.min(targets.length - 1, Math.max(0, at + step))]
    if (next === undefined) return
    setSelected(next.key)
    virtual.scrollToIndex(shelves.findIndex((shelf) => shelf.includes(next)))
  }
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: (event) => {
      const line = targets.find(({ key }) => key === selected)
      const isOnControl = event.target instanceof Element && event.target.closest('a, button') !== null
      if (line?.kind === 'target' && !isOnControl) navigate(pathOf(line.row))
    },
  })

  const zone = zoneWords(useZone(), useServerNow())
  const isTable = view === 'table'
  return (
    <div
      className={isTable ? 'list table' : 'list tiles'}
      role={isTable ? 'table' : 'list'}
      aria-label="Targets"
      aria-rowcount={isTable ? lines.length + 1 : undefined}
    >
      {isTable && (
        <div role="rowgroup" className="head">
          <div role="row" className="line">
            {['Status', 'Target', 'Drift', `Since · ${zone}`, `Last check · ${zone}`].map((name) => (
              <span role="columnheader" key={name}>
                {name}
              </span>
            ))}
          </div>
        </div>
      )}
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

function heightOf(shelf: readonly Line[] | undefined, view: View): number {
  if (shelf?.[0]?.kind === 'group') return GROUP_HEIGHT
  return view === 'table' ? ROW_HEIGHT : TILE_HEIGHT
}
