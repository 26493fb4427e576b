import { useEffect, useRef, useState } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import type { TransitionRow } from '../../../contract/row-lists.ts'
import { pathOf } from '../fleet/lines.tsx'
import { useFleet } from '../live/use-fleet.ts'
import { useKeys } from '../parts/keys.ts'
import { momentIn } from '../parts/moment-in.ts'
import { PastBanner } from '../parts/past-banner.tsx'
import { Reported } from '../parts/reported.tsx'
import { Status } from '../parts/status.tsx'
import { ShownMoment, Time, useServerNow } from '../parts/time.tsx'
import { uniqueKeys } from '../parts/unique-keys.ts'
import { useJson } from '../parts/use-json.ts'
import { STATUS_WORD, STATUSES } from '../parts/words.ts'

const DAY_MS = 86_400_000
const SPANS = { '1': '24 hours', '7': '7 days', '30': '30 days' } as const
const SHOWN = 500

// A busy fleet changes many times a second; nobody reads that fast.
const ASK_EVERY_MS = 2_000

/** Which status became which, the newest first. */
export function ActivityPage() {
  const [path, navigate] = useLocation()
  const query = new URLSearchParams(useSearch())
  const search = query.get('q') ?? ''
  const status = STATUSES.find((one) => one === query.get('status')) ?? ''
  const days = Object.keys(SPANS).find((one) => one === query.get('days')) ?? '1'
  const { rows, clockAheadMs } = useFleet()
  const at = momentIn(query, Date.now() + clockAheadMs)
  const version = useAtMostEvery(ASK_EVERY_MS, rows)
  const now = Math.floor(useServerNow() / 60_000) * 60_000
  const from = (at ?? now) - DAY_MS * Number(days)
  const until = at === null ? '' : `&to=${at + 1}`
  const asked = useJson<readonly TransitionRow[]>(`api/v1/transitions?from=${from}${until}&limit=${SHOWN}`, version)

  const field = useRef<HTMLInputElement>(null)
  useKeys({
    '/': (event) => {
      event.preventDefault()
      field.current?.focus()
    },
    Escape: ({ target }) => {
      if (target !== field.current) return
      change('q', '')
      field.current?.blur()
    },
  })

  function change(name: string, value: string) {
    if (value === '') query.delete(name)
    else query.set(name, value)
    navigate(`${path}?${query}`, { replace: true })
  }
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const shown = (asked.value ?? [])
    .filter((one) => status === '' || one.to_status === status)
    .filter(({ repo, server }) => words.every((word) => `${repo}\n${server}`.toLowerCase().includes(word)))
    .toReversed()
  const keys = uniqueKeys(shown.map(({ time, repo, server }) => `${time} ${repo} ${server}`))

  return (
    <div className={at === null ? undefined : 'past'}>
      {at !== null && <PastBanner at={at} onNow={() => change('at', '')} />}
      <h1>Activity</h1>
      <p className="dim">In the order in which this server came to know of it.</p>
      <search className="toolbar">
        <input
          ref={field}
          type="search"
          aria-label="Search targets"
          aria-keyshortcuts="/"
          placeholder="Search targets  ( / )"
          value={search}
          onChange={({ target }) => change('q', target.value)}
        />
        <select aria-label="Became" value={status} onChange={({ target }) => change('status', target.value)}>
          <option value="">Every change</option>
          {STATUSES.map((one) => (
            <option key={one} value={one}>
              Became {STATUS_WORD[one]}
            </option>
          ))}
        </select>
        <select aria-label="How far back" value={days} onChange={({ target }) => change('days', target.value)}>
          {Object.entries(SPANS).map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </select>
      </search>
      {asked.error !== null && (
        <p className="problem">
          <Reported text={asked.error} hasLines />
        </p>
      )}
      {asked.value !== null && shown.length === 0 && (
        <p className="dim">
          {asked.value.length > 0 ? 'Nothing of what changed matches.' : 'Nothing changed in this time.'}
        </p>
      )}
      <ShownMoment value={at}>
        <ol className="activity">
          {shown.map((one, index) => (
            <li key={keys[index]}>
              <span>
                known <Time at={one.time} />
                <br />
                <span className="dim">
                  {one.first_check === null ? (
                    'because no report came in time'
                  ) : (
                    <>
                      by a check of <Time at={one.first_check} form="time" />
                    </>
                  )}
                </span>
              </span>
              <span>
                <Link href={`${pathOf(one)}?at=${Date.parse(one.time)}`}>{one.server}</Link>{' '}
                <span className="dim">{one.repo}</span>
              </span>
              <span className="change-of-status">
                <span className="dim">
                  {one.from_status === null ? 'first known as' : `${STATUS_WORD[one.from_status]} →`}
                </span>{' '}
                <Status status={one.to_status} />
              </span>
            </li>
          ))}
        </ol>
      </ShownMoment>
      {(asked.value?.length ?? 0) >= SHOWN && (
        <p className="dim">
          The newest {SHOWN} changes{at !== null && ' before that moment'}.
        </p>
      )}
    </div>
  )
}

/** A value as it is now, and then not before some time has passed. */
function useAtMostEvery<Value>(ms: number, value: Value): Value {
  const [shown, setShown] = useState(value)
  const latest = useRef(value)
  latest.current = value
  useEffect(() => {
    const timer = setInterval(() => setShown(latest.current), ms)
    return () => clearInterval(timer)
  }, [ms])
  return shown
}
