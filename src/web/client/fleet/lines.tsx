import { Fragment, memo } from 'react'
import { Link } from 'wouter'
import type { StatusRow } from '../../../contract/status-json.ts'
import { visibleText } from '../../visible-text.ts'
import { CAUSE_WORD } from '../parts/cause.ts'
import { FilePath } from '../parts/file-path.tsx'
import { Reported } from '../parts/reported.tsx'
import { FreshnessMark, Status } from '../parts/status.tsx'
import { Time } from '../parts/time.tsx'
import { countOf, numberWords, whyUnknown } from '../parts/words.ts'
import type { Line } from './groups.ts'
import { FROM_FLEET } from './way-back.ts'

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
        <Status status={row.sync_status} /> <FreshnessMark freshness={row.freshness} /> <Coverage row={row} />
      </span>
      <span role="cell" className="c-target">
        <Link href={pathOf(row)} state={FROM_FLEET} className="stretched" title={whatIsCut(row)}>
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
      <Link href={pathOf(row)} state={FROM_FLEET} className="stretched" title={whatIsCut(row)}>
        {row.server}
      </Link>
      <span className="dim">{row.repo}</span>
      <span className="c-status">
        <Status status={row.sync_status} /> <FreshnessMark freshness={row.freshness} /> <Coverage row={row} />
      </span>
      <span className="c-drift">
        <Drift row={row} />
      </span>
      <span className="dim when">
        since <Time at={row.since} form="two-lines" />
      </span>
      <span className="dim when">
        checked <Time at={row.last_check} form="two-lines" />
      </span>
    </div>
  )
})

export function RepoLine({
  line,
  isTable,
}: {
  readonly line: Extract<Line, { kind: 'repo' }>
  readonly isTable: boolean
}) {
  const text = (
    <>
      <b>
        <Reported text={line.title} />
      </b>{' '}
      <span className="dim">
        <Reported text={line.about} />
      </span>
    </>
  )
  return isTable ? (
    <div role="row" className="line group">
      <span role="cell">{text}</span>
    </div>
  ) : (
    <div role="listitem" className="line group">
      {text}
    </div>
  )
}

/** Texts that a row may have no room for, to be seen on hovering: the link lies over all of the row. */
function whatIsCut({ drifted_files, modified_by }: StatusRow): string | undefined {
  if (drifted_files === null) return undefined
  return visibleText(modified_by === null ? drifted_files : `${drifted_files}\nchanged by ${modified_by}`, true)
}

/** In which files; or why that is not known. */
function Drift({ row }: { readonly row: StatusRow }) {
  const why = whyUnknown(row)
  return (
    <>
      {why !== '' && (
        <span className="why">
          <Reported text={why} hasLines />
        </span>
      )}
      {row.drift_count > 0 && (
        <span className="files">
          {why !== '' && 'last seen: '}
          <b>{countOf(row.drift_count, 'file')}</b> <DriftedFiles text={row.drifted_files ?? ''} />
        </span>
      )}
      {row.modified_by !== null && (
        <span className="dim">
          changed by <Reported text={row.modified_by} />
        </span>
      )}
      {why === '' && row.drift_count === 0 && <span className="dim">none</span>}
      {row.cause !== null && <span className="dim">{CAUSE_WORD[row.cause]}</span>}
      {row.checks_disagree === 1 && <span className="why">⚠ the fast and the full check disagree</span>}
    </>
  )
}

/** The names that a row has room for, as they come. */
export function DriftedFiles({ text }: { readonly text: string }) {
  return (
    <code>
      {text.split(', ').map((name, n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are parts of one text
        <Fragment key={n}>
          {n > 0 && ', '}
          <FilePath path={name} />
        </Fragment>
      ))}
    </code>
  )
}

/** A status that stands on a part of what Git declares must not look like one that stands on all of it. */
function Coverage({ row: { checked, total, watched, unwatched } }: { readonly row: StatusRow }) {
  if (checked === null) return null
  const isPart = total !== null && checked < total
  const isWatchedInPart = watched !== null && unwatched !== null && unwatched > 0
  return (
    <>
      {isPart && (
        <span className="coverage">
          only {numberWords(checked)} of {numberWords(total)} checked
        </span>
      )}
      {isWatchedInPart && (
        <span
          className={2 * watched < checked ? 'coverage' : 'coverage dim'}
          title={`The fast check watches ${numberWords(watched)}; of the other ${numberWords(unwatched)} the status is that of the last full check`}
        >
          {numberWords(watched)} of {numberWords(checked)} watched
        </span>
      )}
    </>
  )
}
