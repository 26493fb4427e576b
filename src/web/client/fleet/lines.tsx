import { memo } from 'react'
import { Link } from 'wouter'
import type { StatusRow } from '../../../contract/status-json.ts'
import { CAUSE_WORD } from '../parts/cause.ts'
import { FreshnessMark, Status } from '../parts/status.tsx'
import { Time } from '../parts/time.tsx'
import { countOf, whyUnknown } from '../parts/words.ts'
import type { Line } from './groups.ts'

/** Where a target has its page. */
export function pathOf({ repo, server }: Pick<StatusRow, 'repo' | 'server'>): string {
  return `/targets/${encodeURIComponent(repo)}/${encodeURIComponent(server)}`
}

interface TargetProps {
  readonly row: StatusRow
  readonly isSelected: boolean
}

export const TargetLine = memo(function TargetLine({
  row,
  index,
  isSelected,
}: TargetProps & { readonly index: number }) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={`line target ${row.sync_status}${isSelected ? ' selected' : ''}`}
    >
      <span role="cell" className="c-status">
        <Status status={row.sync_status} /> <FreshnessMark freshness={row.freshness} />
      </span>
      <span role="cell" className="c-target">
        <Link href={pathOf(row)} className="stretched" title={whatIsCut(row)}>
          {row.server}
        </Link>
        <span className="dim">{row.repo}</span>
      </span>
      <span role="cell" className="c-drift">
        <Drift row={row} />
      </span>
      <span role="cell" className="c-since">
        <span className="label">since </span>
        <Time at={row.since} form="two-lines" />
      </span>
      <span role="cell" className="c-check">
        <span className="label">checked </span>
        <Time at={row.last_check} form="two-lines" />
      </span>
    </div>
  )
})

export const Tile = memo(function Tile({ row, isSelected }: TargetProps) {
  return (
    <div role="listitem" className={`tile ${row.sync_status}${isSelected ? ' selected' : ''}`}>
      <Link href={pathOf(row)} className="stretched" title={whatIsCut(row)}>
        {row.server}
      </Link>
      <span className="dim">{row.repo}</span>
      <span>
        <Status status={row.sync_status} /> <FreshnessMark freshness={row.freshness} />
      </span>
      <span className="c-drift">
        <Drift row={row} />
      </span>
      <span className="dim">
        since <Time at={row.since} form="two-lines" />
      </span>
    </div>
  )
})

export function GroupLine({
  line,
  isTable,
}: {
  readonly line: Extract<Line, { kind: 'group' }>
  readonly isTable: boolean
}) {
  const text = (
    <>
      <b>{line.title}</b> <span className="dim">{line.about}</span>
    </>
  )
  if (!isTable) return <div className="line group">{text}</div>
  return (
    <div role="row" className="line group">
      <span role="cell">{text}</span>
    </div>
  )
}

/** Texts that a row may have no room for, to be seen on hovering: the link lies over all of the row. */
function whatIsCut({ drifted_files, modified_by }: StatusRow): string | undefined {
  if (drifted_files === null) return undefined
  return modified_by === null ? drifted_files : `${drifted_files}\nchanged by ${modified_by}`
}

/** In which files; or why that is not known. */
function Drift({ row }: { readonly row: StatusRow }) {
  const why = whyUnknown(row)
  const isPart = row.checked !== null && row.total !== null && row.checked < row.total
  return (
    <>
      {why !== '' && <span className="why">{why}</span>}
      {row.drift_count > 0 && (
        <span className="files">
          {why !== '' && 'last seen: '}
          <b>{countOf(row.drift_count, 'file')}</b> <code>{row.drifted_files}</code>
        </span>
      )}
      {row.modified_by !== null && <span className="dim">changed by {row.modified_by}</span>}
      {why === '' && row.drift_count === 0 && !isPart && <span className="dim">none</span>}
      {row.cause !== null && <span className="dim">{CAUSE_WORD[row.cause]}</span>}
      {row.checks_disagree === 1 && <span className="why">⚠ the fast and the full check disagree</span>}
      {isPart && (
        <span className="why">
          only {row.checked} of {row.total} checked
        </span>
      )}
    </>
  )
}
