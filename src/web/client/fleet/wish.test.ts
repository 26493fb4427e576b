import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { aDriftedRow, aRow } from '../../../../test/web/a-row.ts'
import { CAUSE_NAMES, FRESHNESSES, STATUSES } from '../parts/words.ts'
import { chosenOf, GROUPS, isFiltered, queryOf, toggled, VIEWS, type Wish, wishIn } from './wish.ts'

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
    const query = 'status=SYNCED,synced,__proto__,&freshness=ROTTEN&cause=%00&group=constructor&view=&x=1&q='
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

  it('are counted as each status would show them, whichever is chosen', () => {
    const all = { OUT_OF_SYNC: 1, UNKNOWN: 2, SYNCED: 3 }
    assert.deepEqual(chosenOf(rows, NOTHING).counts, all)
    assert.deepEqual(chosenOf(rows, { ...NOTHING, status: ['SYNCED'] }).counts, all)
    assert.deepEqual(chosenOf(rows, { ...NOTHING, repo: 'web', status: ['UNKNOWN'] }).counts, {
      OUT_OF_SYNC: 0,
      UNKNOWN: 0,
      SYNCED: 1,
    })
  })
})
