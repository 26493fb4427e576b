import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseSubmission } from '../../src/contract/submission.ts'
import type { Change } from '../../src/domain/recorded.ts'
import { createIngest } from '../../src/ingest/ingest.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { aBody, aFailure } from './a-report.ts'

function anIngest() {
  const store = createMemoryStore()
  const published: Change[] = []
  store.subscribe((changes) => published.push(...changes))
  let nowMs = Date.parse('2026-04-21T10:30:00Z')
  const ingest = createIngest({
    append: store.append,
    now: () => new Date(nowMs),
  })
  return {
    store,
    published,
    async send(body: unknown) {
      nowMs += 1_000
      return ingest(parseSubmission(body), 1)
    },
  }
}

describe('ingest', () => {
  it('says whether the target shows something else than before', async () => {
    const { send } = anIngest()
    const drift = { files: [{ name: 'rsyslog.conf' }] }
    const changes = [
      await send(aBody({ last_check: '2026-04-21T10:00:00Z' })),
      await send(aBody({ last_check: '2026-04-21T10:01:00Z' })),
      await send(aBody({ last_check: '2026-04-21T10:02:00Z', ...drift })),
      await send(aBody({ last_check: '2026-04-21T10:03:00Z', ...drift })),
      await send(aBody({ last_check: '2026-04-21T10:04:00Z', files: [{ name: 'other.conf' }] })),
      await send(aFailure({ last_check: '2026-04-21T10:05:00Z' })),
      await send(aBody({ last_check: '2026-04-21T10:06:00Z' })),
    ].flat()

    assert.deepEqual(
      changes.map(({ changed, previous_status }) => `${previous_status} ${changed}`),
      [
        'UNKNOWN true',
        'SYNCED false',
        'SYNCED true',
        'OUT_OF_SYNC false',
        'OUT_OF_SYNC true',
        'OUT_OF_SYNC true',
        'UNKNOWN true',
      ],
    )
  })

  it('says so when a late finding changes the drift that a failed check left on show', async () => {
    const { send } = anIngest()
    await send(aFailure({ last_check: '2026-04-21T10:05:00Z' }))
    const [late] = await send(aBody({ last_check: '2026-04-21T10:00:00Z', files: [{ name: 'rsyslog.conf' }] }))

    assert.deepEqual([late?.applied, late?.changed], [false, true])
  })

  it('publishes what was stored, and duplicates to nobody', async () => {
    const { send, published } = anIngest()
    await send([aBody({ server: 'a' }), aBody({ server: 'b' })])
    await send([aBody({ server: 'b' }), aBody({ server: 'c' })])

    assert.deepEqual(
      published.map((change) => ('received' in change ? change.received.report.target.server : 'removed')),
      ['a', 'b', 'c'],
    )
  })

  it('publishes nothing that the store did not take', async () => {
    const { send, store, published } = anIngest()
    store.setWritable(false)
    await assert.rejects(send(aBody()), { code: 'store_unavailable' })
    assert.deepEqual(published, [])
  })
})
