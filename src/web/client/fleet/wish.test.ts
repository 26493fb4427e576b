import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { aDriftedRow, aRow } from '../../../../test/web/a-row.ts'
import { CAUSE_NAMES, FRESHNESSES, STATUSES } from '../parts/words.ts'
import { chosenOf, GROUPS, hasMorePersons, isFiltered, queryOf, toggled, VIEWS, type Wish, wishIn } from './wish.ts'

const NOTHING = wishIn(new URLSearchParams())

const aWish: fc.Arbitrary<Wish> = fc.record(
  {
    search: fc.string({ unit: 'grapheme' }),
    repo: fc.string(),
    server: fc.string(),
    status: fc.subarray([...STATUSES]),
    freshness: fc.subarray([...FRESHNESSES]),
    cause: fc.subarray([...CAUSE_NAMES]),
    who: fc.string(),
    group: fc.constantFrom(...GROUPS),
    view: fc.constantFrom(...VIEWS),
    open: fc.array(fc.stringMatching(/^[\w-]{1,12}$/)),
  },
  { noNullPrototype: true },
)

describe('a wish', () => {
  it('comes back from an address as it went in', () => {
    fc.assert(
      fc.property(aWish, (wish) => assert.deepEqual(wishIn(new URL(`http://x/?${queryOf(wish)}`).searchParams), wish)),
    )
  })

  it('for everything leaves the address bare', () => {
    assert.equal(queryOf(NOTHING), '')
    assert.equal(isFiltered(NOTHING), false)
  })

  it('takes what an address says wrongly as not said', () => {
    const query = 'status=SYNCED,synced,__proto__,&freshness=ROTTEN&cause=%00&group=constructor&view=&x=1&q=&open=,'
    assert.deepEqual(wishIn(new URLSearchParams(query)), { ...NOTHING, status: ['SYNCED'] })
  })

  it('adds a word to a list, and takes it out the next time', () => {
    assert.deepEqual(toggled(toggled(['LATE'], 'STALE'), 'LATE'), ['STALE'])
  })
})

describe('the rows for a wish', () => {
  const rows = [
    aRow({ server: 'a-fine' }),
    aRow({ server: 'b-late', freshness: 'LATE', revision: '4a1c9d2e' }),
    aRow({ server: 'c-silent', sync_status: 'UNKNOWN', freshness: 'STALE', reason: 'stale' }),
    {
      ...aDriftedRow('d-drifted', 'rsyslog.d/30-Lab.conf'),
      modified_by: 'Bob, eve and 2 more',
      cause: 'SERVER_CHANGED' as const,
    },
    aRow({
      server: 'e-failed',
      sync_status: 'UNKNOWN',
      reason: 'check_failed',
      error_code: 'unreachable',
      error_message: 'No route to host',
    }),
    aRow({ repo: 'web', server: 'a-fine' }),
  ]
  const found = (query: string) => chosenOf(rows, wishIn(new URLSearchParams(query))).rows.map(({ server }) => server)

  it('stand worst first, and by name among equals', () => {
    assert.deepEqual(found(''), ['d-drifted', 'c-silent', 'e-failed', 'a-fine', 'b-late', 'a-fine'])
  })

  const CASES: Readonly<Record<string, readonly string[]>> = {
    'status=OUT_OF_SYNC,SYNCED': ['d-drifted', 'a-fine', 'b-late', 'a-fine'],
    'freshness=LATE,STALE': ['c-silent', 'b-late'],
    'cause=check_failed': ['e-failed'],
    'cause=stale,check_failed': ['c-silent', 'e-failed'],
    'cause=server_changed': ['d-drifted'],
    'cause=pending_deploy': [],
    'who=eve': ['d-drifted'],
    'who=ev': [],
    'q=bob': ['d-drifted'],
    'repo=web': ['a-fine'],
    'server=a-fine': ['a-fine', 'a-fine'],
    'repo=rsyslog&server=a-fine': ['a-fine'],
    'q=30-lab': ['d-drifted'],
    'q=NO+ROUTE': ['e-failed'],
    'q=host+no': ['e-failed'],
    'q=unreachable': ['e-failed'],
    'q=4A1C': ['b-late'],
    'q=null': [],
    'q=.*': [],
    'q=fine&status=SYNCED&repo=rsyslog': ['a-fine'],
    'q=fine&status=UNKNOWN': [],
  }
  for (const [query, servers] of Object.entries(CASES)) {
    it(`are found by ${query}`, () => assert.deepEqual(found(query), servers))
  }

  it('are found by a name that a row has no room for, where the server knows of it', () => {
    const wish = { ...NOTHING, who: 'mallory' }
    assert.deepEqual(chosenOf(rows, wish).rows, [])
    const found = chosenOf(rows, wish, new Set(['rsyslog d-drifted']))
    assert.deepEqual(
      found.rows.map(({ server }) => server),
      ['d-drifted'],
    )
    assert.deepEqual(rows.filter(hasMorePersons), found.rows)
  })
})

describe('the numbers on the filters', () => {
  const rows = [
    aRow({ server: 'fine' }),
    aRow({ server: 'late', freshness: 'LATE' }),
    aRow({ server: 'silent', sync_status: 'UNKNOWN', freshness: 'STALE', reason: 'stale' }),
    { ...aDriftedRow('by-eve'), modified_by: 'eve', cause: 'SERVER_CHANGED' as const },
    { ...aDriftedRow('by-both'), repo: 'web', modified_by: 'bob, eve', cause: 'SERVER_CHANGED' as const },
    aRow({ repo: 'web', server: 'failed', sync_status: 'UNKNOWN', reason: 'check_failed' }),
  ]
  const countsFor = (query: string) => chosenOf(rows, wishIn(new URLSearchParams(query))).counts

  it('are those of the whole fleet while nothing is chosen', () => {
    const { status, freshness, cause, repo, who } = countsFor('')
    assert.deepEqual(status, { OUT_OF_SYNC: 2, UNKNOWN: 2, SYNCED: 2 })
    assert.deepEqual(freshness, { FRESH: 4, LATE: 1, STALE: 1 })
    assert.deepEqual([cause.check_failed, cause.stale, cause.server_changed, cause.pending_deploy], [1, 1, 2, 0])
    assert.deepEqual(
      [...repo],
      [
        ['rsyslog', 4],
        ['web', 2],
      ],
    )
    assert.deepEqual(
      [...who],
      [
        ['eve', 2],
        ['bob', 1],
      ],
    )
  })

  it('count what is left under the other filters, and in a filter of its own choice everything', () => {
    const { status, freshness, cause, repo, who } = countsFor('status=OUT_OF_SYNC&repo=web')
    assert.deepEqual(status, { OUT_OF_SYNC: 1, UNKNOWN: 1, SYNCED: 0 }, 'of web')
    assert.deepEqual(
      [...repo],
      [
        ['rsyslog', 1],
        ['web', 1],
      ],
      'out of sync',
    )
    assert.deepEqual(freshness, { FRESH: 1, LATE: 0, STALE: 0 }, 'both')
    assert.equal(cause.server_changed, 1)
    assert.deepEqual(
      [...who],
      [
        ['bob', 1],
        ['eve', 1],
      ],
    )
  })

  it('count what a search finds only', () => {
    assert.deepEqual(countsFor('q=by-&status=SYNCED').status, { OUT_OF_SYNC: 2, UNKNOWN: 0, SYNCED: 0 })
  })

  it('are, for every word of every filter, how many rows choosing it alone in its filter shows', () => {
    const aQuery = fc
      .record({
        ...{ search: fc.constantFrom('', 'late', 'by'), repo: fc.constantFrom('', 'web', 'none') },
        ...{
          server: fc.constantFrom('', 'fine'),
          status: fc.subarray([...STATUSES]),
          freshness: fc.subarray([...FRESHNESSES]),
        },
        ...{ cause: fc.subarray([...CAUSE_NAMES]), who: fc.constantFrom('', 'eve', 'nobody') },
      })
      .map((filter) => ({ ...NOTHING, ...filter }))
    fc.assert(
      fc.property(aQuery, (wish) => {
        const { counts } = chosenOf(rows, wish)
        const shown = (choice: Partial<Wish>) => chosenOf(rows, { ...wish, ...choice }).rows.length
        for (const one of STATUSES) assert.equal(counts.status[one], shown({ status: [one] }))
        for (const one of FRESHNESSES) assert.equal(counts.freshness[one], shown({ freshness: [one] }))
        for (const one of CAUSE_NAMES) assert.equal(counts.cause[one], shown({ cause: [one] }))
        for (const repo of ['rsyslog', 'web']) assert.equal(counts.repo.get(repo) ?? 0, shown({ repo }))
        for (const { server } of rows) assert.equal(counts.server.get(server) ?? 0, shown({ server }))
        for (const who of ['bob', 'eve']) assert.equal(counts.who.get(who) ?? 0, shown({ who }))
      }),
    )
  })
})
