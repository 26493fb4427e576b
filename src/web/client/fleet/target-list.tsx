import { useEffect, useRef, useState } from 'react'
import { useServerNow } from '../parts/time.tsx'
import { zoneWords } from '../parts/time-words.ts'
import { useZone } from '../parts/zone.ts'
import type { Line } from './groups.ts'
import { Shelves } from './shelves.tsx'
import type { InList } from './use-place.ts'
import { useWidth } from './use-width.ts'
import type { View } from './wish.ts'

interface Props {
  readonly lines: readonly Line[]
  readonly view: View
  readonly fold: (id: string) => void
  readonly place: InList
}

const TILE_WIDTH = 300

/** Targets as a table or as tiles. */
export function TargetList({ lines, view, fold, place }: Props) {
  const list = useRef<HTMLDivElement>(null)
  const width = useWidth(list)
  const columns = view === 'table' ? 1 : Math.max(1, Math.floor(width / TILE_WIDTH))
  const [returnTo, setReturnTo] = useState(place.returnTo)
  useEffect(() => {
    if (width > 0) setReturnTo(null) // who changes the layout afterwards is where he is
  }, [width])
  const isTable = view === 'table'
  return (
    <div
      ref={list}
      className={isTable ? 'list table' : 'list tiles'}
      role={isTable ? 'table' : 'list'}
      aria-label="Targets"
      aria-rowcount={isTable ? lines.length + 1 : undefined}
    >
      {isTable && lines.some(({ kind }) => kind === 'target') && <Head />}
      {/* Another layout has other heights: what was measured before is forgotten with it. */}
      {(isTable || width > 0) && (
        <Shelves
          key={`${view} ${columns}`}
          lines={lines}
          columns={columns}
          isTable={isTable}
          place={{ ...place, returnTo }}
          fold={fold}
        />
      )}
    </div>
  )
}

function Head() {
  const zone = zoneWords(useZone(), useServerNow())
  return (
    <div role="rowgroup" className="head">
      <div role="row" className="line">
        {['Status', 'Target', 'Drift'].map((name) => (
          <span role="columnheader" key={name}>
            {name}
          </span>
        ))}
        <span role="columnheader" title="When the first check that said so began; of silence, when the grace was over">
          Since · {zone}
        </span>
        <span role="columnheader" title="When the newest check began">
          Last check · {zone}
        </span>
      </div>
    </div>
  )
}
