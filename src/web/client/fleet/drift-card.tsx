import { Fragment, memo, useMemo } from 'react'
import { Link } from 'wouter'
import type { StatusRow } from '../../../contract/status-json.ts'
import { visibleText } from '../../visible-text.ts'
import { CAUSE_WORD } from '../parts/cause.ts'
import { FilePath } from '../parts/file-path.tsx'
import { Reported } from '../parts/reported.tsx'
import { StatusIcon } from '../parts/status.tsx'
import { Time } from '../parts/time.tsx'
import { countOf, numberWords, STATUS_WORD } from '../parts/words.ts'
import { type Card, statusWords } from './groups.ts'
import { DriftedFiles, pathOf } from './lines.tsx'
import { FILES_SHOWN, useChanges } from './use-changes.ts'
import { FROM_FLEET } from './way-back.ts'
import { hasMorePersons, personsOf } from './wish.ts'

const NAMED = 3

interface Props {
  readonly card: Card
  readonly index: number
  readonly isTable: boolean
  readonly isSelected: boolean
  readonly fold: (id: string) => void
}

/** One difference, and all that is known of it together: its targets are named or counted, and follow when it is open. */
export const DriftCard = memo(function DriftCard({ card, index, isTable, isSelected, fold }: Props) {
  const { members, driftId, isOpen } = card
  const [worst] = members
  if (worst === undefined) return null
  const content = (
    <>
      <p className="card-title">
        <button type="button" className="fold" aria-expanded={isOpen} onClick={() => fold(card.id)}>
          <span className="arrow" aria-hidden="true" />
          <span className={`status ${worst.sync_status}`}>
            <StatusIcon status={worst.sync_status} />
          </span>
          {titleOf(card)}
        </button>
        <span className="dim">{aboutOf(card)}</span>
      </p>
      {driftId !== null && <Difference driftId={driftId} members={members} worst={worst} />}
      {!isOpen && (
        <p className="card-targets">
          {members.slice(0, NAMED).map((row, n) => (
            <Fragment key={`${row.repo} ${row.server}`}>
              {n > 0 && ', '}
              <Link href={pathOf(row)} state={FROM_FLEET}>
                <Reported text={row.server} />
              </Link>
              {members.some(({ repo }) => repo !== worst.repo) && (
                <span className="dim">
                  {' '}
                  <Reported text={row.repo} />
                </span>
              )}
            </Fragment>
          ))}
          {members.length > NAMED && (
            <>
              {' and '}
              <button type="button" className="more" onClick={() => fold(card.id)}>
                {numberWords(members.length - NAMED)} more
              </button>
            </>
          )}
        </p>
      )}
    </>
  )
  const className = `card ${worst.sync_status}${isSelected ? ' selected' : ''}`
  if (!isTable) {
    return (
      <div role="listitem" className={className}>
        {content}
      </div>
    )
  }
  return (
    <div role="row" aria-rowindex={index + 2} className={className}>
      <div role="cell" aria-colspan={5}>
        {content}
      </div>
    </div>
  )
})

function titleOf({ driftId, members }: Card): string {
  const targets = countOf(members.length, 'target')
  if (driftId === null) return `${STATUS_WORD[members[0]?.sync_status ?? 'UNKNOWN']}: ${targets}`
  return members.length === 1 ? 'A change on 1 target' : `The same change on ${targets}, as far as their reports say`
}

/** What its title does not say of the statuses of its targets. */
function aboutOf({ driftId, members }: Card): string {
  if (driftId !== null) {
    const words = statusWords(members)
    return words.includes('unknown') ? `${words} now, last seen with it` : ''
  }
  const failed = members.filter(({ reason }) => reason === 'check_failed').length
  const silent = members.filter(({ reason }) => reason === 'stale').length
  return [failed > 0 ? countOf(failed, 'failed check') : '', silent > 0 ? `${numberWords(silent)} silent` : '']
    .filter(Boolean)
    .join(', ')
}

interface DifferenceProps {
  readonly driftId: string
  readonly members: readonly StatusRow[]
  readonly worst: StatusRow
}

/** Which files, how, since when, why and by whom. */
function Difference({ driftId, members, worst }: DifferenceProps) {
  const changes = useChanges(driftId, worst)
  const common = useMemo(() => commonOf(members), [members])
  const more = worst.drift_count - FILES_SHOWN
  return (
    <>
      {changes === null ? (
        <p className="files">
          <b>{countOf(worst.drift_count, 'file')}</b> <DriftedFiles text={worst.drifted_files ?? ''} />
        </p>
      ) : (
        <ul className="files">
          {changes.map(({ name, path, how }, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: tasks may have one name, and the list never changes
            <li key={n} title={visibleText(path)}>
              <code>
                <FilePath path={name} />
              </code>{' '}
              {how !== '' && <span className="change">{how}</span>}
            </li>
          ))}
          {more > 0 && <li className="dim">and {countOf(more, 'more file')}</li>}
        </ul>
      )}
      <p className="dim">
        {common.firstMs !== null && (
          <>
            first found <Time at={common.firstMs} />
          </>
        )}
        {common.causes.map((words) => ` · ${words}`)}
        {common.persons !== '' && (
          <>
            {' '}
            · changed by <Reported text={common.persons} />
          </>
        )}
      </p>
    </>
  )
}

/** What its targets together know of a drift. */
function commonOf(members: readonly StatusRow[]) {
  const causes = new Map<NonNullable<StatusRow['cause']>, number>()
  const persons = new Set<string>()
  let firstMs = Number.POSITIVE_INFINITY
  for (const row of members) {
    const sinceMs = Date.parse(row.drift_since ?? '')
    if (sinceMs < firstMs) firstMs = sinceMs
    if (row.cause !== null) causes.set(row.cause, (causes.get(row.cause) ?? 0) + 1)
    for (const person of personsOf(row)) persons.add(person)
  }
  const named = [...persons].sort().slice(0, NAMED)
  const others = persons.size > NAMED || members.some(hasMorePersons) ? ' and others' : ''
  return {
    firstMs: Number.isFinite(firstMs) ? firstMs : null,
    causes: [...causes].map(([cause, count]) =>
      count === members.length ? CAUSE_WORD[cause] : `${numberWords(count)} ${CAUSE_WORD[cause]}`,
    ),
    persons: named.join(', ') + others,
  }
}
