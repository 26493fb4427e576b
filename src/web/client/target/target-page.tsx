import { useEffect, useState } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import type { StatusJson } from '../../../contract/status-json.ts'
import type { TargetDetails } from '../../../contract/target.ts'
import { FleetLink } from '../fleet/fleet-link.tsx'
import { pathOf } from '../fleet/lines.tsx'
import { keyOf } from '../live/key.ts'
import { useFleet } from '../live/use-fleet.ts'
import { momentIn } from '../parts/moment-in.ts'
import { PastBanner } from '../parts/past-banner.tsx'
import { Reported } from '../parts/reported.tsx'
import { ShownMoment, useServerNow } from '../parts/time.tsx'
import { momentOf, timeWords, zoneWords } from '../parts/time-words.ts'
import { useJson } from '../parts/use-json.ts'
import { useZone } from '../parts/zone.ts'
import { shownNow, shownThen } from './shown.ts'
import { TargetFacts } from './target-facts.tsx'
import { type Days, daysIn, TargetHistory } from './target-history.tsx'

interface Props {
  readonly repo: string
  readonly server: string
}

/** Everything of one target, now or at any moment before. */
export function TargetPage({ repo, server }: Props) {
  const [, navigate] = useLocation()
  const query = new URLSearchParams(useSearch())
  const days = daysIn(query)

  // Its row is another object whenever the server said something new of it.
  const { rows, clockAheadMs } = useFleet()
  const at = momentIn(query, Date.now() + clockAheadMs)
  const row = rows.find((one) => keyOf(one) === keyOf({ repo, server }))
  const names = new URLSearchParams({ repo, server })
  const now = useJson<TargetDetails>(at === null ? `api/v1${pathOf({ repo, server })}` : null, row)
  const then = useJson<StatusJson>(at === null ? null : `status.json?${names}&at=${at}`, at)

  function show(moment: number | null, span: Days = days) {
    const wished = new URLSearchParams()
    if (moment !== null) wished.set('at', String(moment))
    if (span !== 1) wished.set('days', String(span))
    navigate(wished.size === 0 ? pathOf({ repo, server }) : `${pathOf({ repo, server })}?${wished}`, {
      replace: moment === at, // another span is no page to go back to
    })
  }
  // Its row is told at once, its details have to be asked for: what is known already must not wait for them.
  const shown =
    at === null
      ? now.value && { ...shownNow(now.value), row: row ?? now.value.status }
      : then.value && shownThen(then.value)
  const isBehind =
    at === null && row !== undefined && now.value !== null && row.last_check !== now.value.status.last_check
  const error = at === null ? now.error : then.error
  const isUnknown = at === null ? now.isMissing : then.value !== null && shown === null

  return (
    <article className={at === null ? 'target-page' : 'target-page past'}>
      <p className="way">
        <FleetLink>Fleet</FleetLink> /{' '}
        <Link href={`/?repo=${encodeURIComponent(repo)}`}>
          <Reported text={repo} />
        </Link>{' '}
        /{' '}
        <b>
          <Reported text={server} />
        </b>
      </p>
      {at === null && query.has('at') && (
        <p className="problem" role="status">
          The address asks for a moment that is none, or has not come yet. This is now.
        </p>
      )}
      {at !== null && (
        <PastBanner at={at} onNow={() => show(null)}>
          <Link href={`/activity?at=${at}`}>What changed before it</Link>
        </PastBanner>
      )}
      <div className="title-and-moment">
        <h1>
          <Reported text={server} />
        </h1>
        <Moment at={at} onPick={show} />
      </div>
      {error !== null && (
        <p className="problem">
          <Reported text={error} hasLines />
        </p>
      )}
      {isUnknown && (
        <p>
          {at === null ? 'There is no report of this target.' : 'Nothing was known of this target then.'}{' '}
          <Link href="/">To the fleet</Link>
        </p>
      )}
      {isBehind && (
        <p className="dim" role="status">
          Asking for the details of the newest report; the files below are those of the one before.
        </p>
      )}
      <ShownMoment value={at}>
        {shown !== null && <TargetFacts shown={shown} />}
        <TargetHistory
          names={names}
          version={at === null ? row : at}
          at={at}
          driftSince={shown !== null ? shown.row.drift_since : isUnknown ? null : undefined}
          days={days}
          onPick={show}
          onDays={(span) => show(at, span)}
        />
      </ShownMoment>
    </article>
  )
}

/** The time machine, by keyboard. */
function Moment({ at, onPick }: { readonly at: number | null; readonly onPick: (at: number | null) => void }) {
  const zone = useZone()
  const now = useServerNow()
  const [text, setText] = useState('')
  useEffect(() => setText(at === null ? '' : timeWords(zone, at).replace(' ', 'T')), [at, zone])
  return (
    <form
      className="moment-form"
      onSubmit={(event) => {
        event.preventDefault()
        onPick(momentOf(zone, text))
      }}
    >
      <label>
        Show it as it was at{' '}
        <input type="datetime-local" step="1" value={text} onChange={({ target }) => setText(target.value)} />{' '}
        <span className="dim">{zoneWords(zone, momentOf(zone, text) ?? now)}</span>
      </label>
      <button type="submit">Show</button>
    </form>
  )
}
