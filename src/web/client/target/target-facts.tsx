import { type ReactNode, useContext } from 'react'
import { CAUSE_WORD } from '../parts/cause.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { Reported } from '../parts/reported.tsx'
import { Status } from '../parts/status.tsx'
import { ShownMoment, Time, useShownNow } from '../parts/time.tsx'
import { agoWords, beforeWords, durationWords } from '../parts/time-words.ts'
import { uniqueKeys } from '../parts/unique-keys.ts'
import { countOf, FRESHNESS_MEANS, FRESHNESS_WORD, unknownSentence } from '../parts/words.ts'
import { FileList } from './file-list.tsx'
import { OnsetWindow } from './onset-window.tsx'
import type { Shown } from './shown.ts'
import { watchedWords } from './watched.ts'

/** What is known of a target: its status, how sure that is, and the files that differ. */
export function TargetFacts({ shown }: { readonly shown: Shown }) {
  const isPast = useContext(ShownMoment) !== null
  const { row, files, filesTruncated, error, unchecked, revision, pipelineUrl, disagreement } = shown
  const why = unknownSentence(row)
  const said = error?.message ?? row.error_message ?? row.error_code
  return (
    <>
      <p className="headline">
        <Status status={row.sync_status} isLarge />
        {isPast && <span className="mark of-past">at that moment</span>}
        {row.drift_count > 0 && (
          <span>
            {row.sync_status === 'UNKNOWN' ? 'last seen with ' : ''}
            <b>{countOf(row.drift_count, 'drifted file')}</b>
          </span>
        )}
        {row.cause !== null && <span>{CAUSE_WORD[row.cause]}</span>}
        {row.since !== null && (
          <span>
            since <Time at={row.since} />
          </span>
        )}
      </p>
      {why !== '' && (
        <p className="problem">
          {why}
          {row.reason === 'check_failed' && said !== null && (
            <>
              {'\n'}
              <Reported text={said} hasLines />
            </>
          )}
        </p>
      )}
      {disagreement !== null && (
        <p className="problem" role="alert">
          The fast check and the full check disagree
          {disagreement !== '' && (
            <>
              : <Reported text={disagreement} hasLines />
            </>
          )}
        </p>
      )}
      <dl className="facts-list">
        <Fact name="Last check">
          <Time at={row.last_check} />
        </Fact>
        <Fact name="Freshness">
          {row.freshness === null ? (
            <span className="dim">not known</span>
          ) : (
            <>
              {FRESHNESS_WORD[row.freshness]}
              {isPast && ' at that moment'}: {FRESHNESS_MEANS[row.freshness]}
            </>
          )}
          {row.contact_age_seconds !== null && <NextDue shown={shown} />}
        </Fact>
        {row.drift_since !== null && (
          <Fact name="Drift began">
            <OnsetWindow after={row.last_clean} before={row.drift_since} />
          </Fact>
        )}
        {row.checked !== null && row.total !== null && (
          <Fact name="Coverage">
            {row.checked} of {row.total} checked
            <Tasks tasks={unchecked} what="not checked" />
            <Watched shown={shown} />
          </Fact>
        )}
        {revision !== null && (
          <Fact name="Compared with">
            <Linked url={revision.url}>
              <code>
                <Reported text={revision.commit.slice(0, 12)} />
              </code>
            </Linked>
            {revision.branch !== undefined && (
              <>
                {' '}
                on <Reported text={revision.branch} />
              </>
            )}{' '}
            <CopyButton text={revision.commit} what="the commit" />
          </Fact>
        )}
        {pipelineUrl !== null && (
          <Fact name="Pipeline">
            <Linked url={pipelineUrl}>the run that checked</Linked>
          </Fact>
        )}
        {row.checks !== null && (
          <Fact name="Checks">
            {row.checks === 1 ? 'one has said so' : `${countOf(row.checks, 'check')} in a row have said so`}
            {row.missed_checks !== null && row.missed_checks > 0 && <>, {row.missed_checks} that were due stayed out</>}
          </Fact>
        )}
      </dl>
      <h2>
        {row.sync_status === 'UNKNOWN' && files.length > 0 ? 'Files that differed when last seen' : 'Files that differ'}
      </h2>
      <FileList
        files={files}
        isTruncated={filesTruncated}
        count={row.drift_count}
        isKnown={row.sync_status !== 'UNKNOWN'}
      />
    </>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Tasks({ tasks, what }: { readonly tasks: Shown['unchecked']; readonly what: string }) {
  if (tasks.length === 0) return null
  const keys = uniqueKeys(tasks.map(({ name, reason }) => `${name} ${reason}`))
  return (
    <details>
      <summary>
        {tasks.length} {what}
      </summary>
      <ul>
        {tasks.map(({ name, reason }, index) => (
          <li key={keys[index]}>
            <code>
              <Reported text={name} />
            </code>{' '}
            <Reported text={reason.replaceAll('_', ' ')} />
          </li>
        ))}
      </ul>
    </details>
  )
}

/** How much of it the fast check sees, and how old the rest is. */
function Watched({ shown: { row, unwatched, fullCheckAt } }: { readonly shown: Shown }) {
  const now = useShownNow()
  const isPast = useContext(ShownMoment) !== null
  const atThen = row.full_check_age_seconds === null ? null : 1_000 * row.full_check_age_seconds
  const ageMs = fullCheckAt === null ? atThen : now - Date.parse(fullCheckAt)
  const words = watchedWords(row, ageMs === null ? null : isPast ? beforeWords(ageMs) : agoWords(ageMs))
  if (words === null) return null
  return (
    <div>
      {words}
      <Tasks tasks={unwatched} what="only by the full check" />
    </div>
  )
}

/** A report can hold any address: only those that a browser opens as a page become links. */
function Linked({ url, children }: { readonly url: string | undefined; readonly children: ReactNode }) {
  if (url === undefined || !/^https?:\/\//i.test(url)) return children
  return (
    <a href={url} rel="noreferrer noopener">
      {children}
    </a>
  )
}

function NextDue({ shown: { row } }: { readonly shown: Shown }) {
  const now = useShownNow()
  const isPast = useContext(ShownMoment) !== null
  if (row.last_check === null || row.freshness !== 'FRESH') return null
  const dueInMs = Date.parse(row.last_check) + 1_000 * row.interval_seconds - now
  const words = dueInMs <= 0 ? 'next due now' : `next due in ${durationWords(dueInMs)}`
  const wordsThen = dueInMs <= 0 ? 'next due at that moment' : `next due ${durationWords(dueInMs)} after that moment`
  return <span className="dim"> · {isPast ? wordsThen : words}</span>
}
