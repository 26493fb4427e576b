import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { aCertified, KEY } from '../../../test/drift/certified-builder.ts'
import {
  aDirectory,
  aFile,
  aLink,
  aSnapshot,
  base64,
  entries,
  LOOK_AT,
  someLines,
} from '../../../test/drift/snapshot-builder.ts'
import { aDrift, aNamed, aVerdict } from '../../../test/reporter/evidence-builder.ts'
import { type Confirmed, confirmedBy } from '../baseline/confirmed.ts'
import { type CheckErrorCode, checkError } from '../check-error.ts'
import type { Known } from '../fast-check.ts'
import type { Verdict } from '../judge.ts'
import type { HostAccess } from '../snapshot/host-access.ts'
import type { HostSnapshot, PathFacts } from '../snapshot/host-snapshot.ts'
import type { Listened } from './host-line.ts'
import { createHostWatch, type FullCheckResult, type FullCheckWish, LOST_MS, type Told } from './host-watch.ts'

const PATH = '/etc/app.conf'
const WEB1: HostAccess = {
  ...{ host: '192.0.2.1', port: null, user: null, keyFile: null },
  ...{ sshArgs: [], python: null, become: null },
}
const WATCHED = { paths: [base64(PATH)], listings: [] }
const BEGAN = new Date('2026-04-21T10:01:00Z')
const MINUTE = 60_000

function known(more: Partial<Known> = {}): Known {
  return { access: WEB1, watched: WATCHED, certified: aCertified(), ...more }
}

const seen = (facts: PathFacts = aFile()): Listened => ({ snapshot: aSnapshot({ [PATH]: facts }), deaf: null })
const edited = (text = 'v=2\n') => seen(aFile({ text }))
const failed = (code: CheckErrorCode): Listened => ({ error: checkError(code) })

/** One host that is watched, in a time that passes only when somebody lets it. */
async function aWatch({ knows = known(), answer = seen() }: { knows?: Known; answer?: Listened } = {}) {
  let nowMs = 0
  const timers = new Set<{ atMs: number; run: () => void }>()
  const told: Told[] = []
  const wishes: FullCheckWish[] = []
  const host = { answer, looks: 0, holds: null as Promise<void> | null }
  const watch = createHostWatch({
    host: 'web1',
    line: {
      look: () => assert.fail('full checks look by themselves'),
      async listen() {
        host.looks += 1
        const { answer } = host
        await host.holds
        return answer
      },
      close() {},
    },
    key: KEY,
    checkFully: (wish) => wishes.push(wish),
    tell: (one) => told.push(one),
    clock: {
      now: () => new Date(BEGAN.getTime() + nowMs),
      monotonicMs: () => nowMs,
      after(ms, run) {
        const timer = { atMs: nowMs + ms, run }
        timers.add(timer)
        return () => timers.delete(timer)
      },
      random: () => 0,
    },
    lookEveryMs: null,
    fullEveryMs: 15 * MINUTE,
    reportEveryMs: 2 * MINUTE,
  })
  watch.startAnew(knows)
  await settled()

  async function pass(ms: number) {
    const untilMs = nowMs + ms
    for (;;) {
      const next = [...timers].sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > untilMs) break
      timers.delete(next)
      nowMs = next.atMs
      next.run()
      await settled()
    }
    nowMs = untilMs
    await settled()
  }
  return {
    host,
    watch,
    told,
    wishes,
    pass,
    /** What was told since somebody asked. */
    news: () => told.splice(0).map(({ verdict }) => brief(verdict)),
    async ring(answer: Listened) {
      await pass(50)
      host.answer = answer
      watch.onBell()
      await settled()
    },
    async checked(result: Partial<FullCheckResult>) {
      watch.fullCheckBegins()
      watch.checked({
        ...{ verdict: clean(), startedAt: new Date(BEGAN.getTime() + nowMs), known: knows, confirmed: null },
        ...result,
      })
      await pass(50)
    },
    [Symbol.dispose]: () => watch.stop(),
  }
}

const brief = ({ status, error, check }: Verdict) => [status, error?.code, check?.method].filter(Boolean).join(' ')

function clean(more: Partial<Verdict> = {}): Verdict {
  return aVerdict({ host: 'web1', check: { method: 'full' }, ...more })
}

function drifted(more: Partial<Verdict> = {}): Verdict {
  const named = [aNamed({ path: PATH, compares: ['content', 'mode'] })]
  const drift = [aDrift({ path: PATH })]
  const seen = { named, listed: [], looked_for: [], access: WEB1 }
  return clean({
    status: 'OUT_OF_SYNC',
    drift,
    seen,
    ...more,
    check: { method: 'full' },
    error: null,
  })
}

function confirmed(verdict: Verdict, snapshot: HostSnapshot): Confirmed {
  const found = confirmedBy(verdict, { before: snapshot, after: snapshot, key: KEY })
  assert.ok(found)
  return found
}

const snapshotOf = (listened: Listened) => ('snapshot' in listened ? listened.snapshot : assert.fail('no snapshot'))

describe('a host that is watched', () => {
  it('is SYNCED by a look that is equal, at once and each time', async () => {
    using web1 = await aWatch()
    assert.deepEqual(web1.news(), ['SYNCED fast'])
    await web1.pass(30_000)
    assert.deepEqual(web1.news(), ['SYNCED fast', 'SYNCED fast', 'SYNCED fast'])
  })

  it('is looked at each second when it has no bell', async () => {
    using web1 = await aWatch({ answer: { ...(seen() as { snapshot: HostSnapshot }), deaf: 'no inotify' } })
    await web1.pass(10_000)
    assert.equal(web1.host.looks, 11)
    assert.equal(web1.watch.doing, 'looking')
  })

  const CHANGES: Record<string, [PathFacts, change: string]> = {
    'another content': [aFile({ text: 'v=2\n' }), 'modified'],
    'another mode': [aFile({ mode: '0600' }), 'metadata'],
    'another owner': [aFile({ owner: 'app', uid: 7 }), 'metadata'],
    'a link in its place': [aLink('/tmp/app.conf'), 'modified'],
    'a directory in its place': [aDirectory(), 'modified'],
    'nothing there': [{ kind: 'missing' }, 'missing'],
  }
  for (const [what, [facts, change]] of Object.entries(CHANGES)) {
    it(`is OUT_OF_SYNC at once by ${what}, and asks Ansible about it`, async () => {
      using web1 = await aWatch()
      web1.news()
      await web1.ring(seen(facts))
      assert.deepEqual(
        web1.told.map(({ verdict }) => verdict.drift.map((one) => [one.path_base64, one.change, one.cause])),
        [[[base64(PATH), change, 'SERVER_CHANGED']]],
      )
      assert.deepEqual(web1.news(), ['OUT_OF_SYNC fast'])
      assert.equal(web1.wishes.length, 1)
      assert.equal(web1.wishes[0]?.isUrgent, true)
    })
  }

  it('is SYNCED again by the next look, whatever Ansible is doing', async () => {
    using web1 = await aWatch()
    await web1.ring(edited())
    web1.watch.fullCheckBegins()
    web1.news()
    await web1.ring(seen())
    assert.deepEqual(web1.news(), ['SYNCED fast'])
  })

  it('asks Ansible alone about some lines of a file, and tells nothing until it has spoken', async () => {
    const certified = aCertified({ named: [someLines(PATH)] })
    using web1 = await aWatch({ knows: known({ certified }) })
    web1.news()
    await web1.ring(edited())
    await web1.pass(MINUTE)
    assert.deepEqual(web1.news(), [])
    assert.equal(web1.wishes.length, 1)
  })

  it('asks Ansible alone about what appears in a directory', async () => {
    const snapshot = aSnapshot({ [PATH]: aFile() }, { listings: { '/etc/app.d': entries('a') } })
    const certified = aCertified({ snapshot })
    using web1 = await aWatch({ knows: known({ certified }), answer: { snapshot, deaf: null } })
    web1.news()
    const more = aSnapshot({ [PATH]: aFile() }, { listings: { '/etc/app.d': entries('a', 'b') } })
    await web1.ring({ snapshot: more, deaf: null })
    assert.deepEqual(web1.news(), [])
    assert.equal(web1.wishes.length, 1)
  })

  it('says when it was looked at, not when it is told', async () => {
    using web1 = await aWatch()
    web1.told.length = 0
    let go = () => {}
    web1.host.holds = new Promise((resolve) => {
      go = resolve
    })
    await web1.ring(seen())
    const askedAt = BEGAN.getTime() + 50
    await web1.pass(5_000)
    go()
    await settled()
    assert.deepEqual(
      web1.told.map(({ lookedAt }) => lookedAt.getTime()),
      [askedAt],
    )
  })

  it('is looked at twice a second at the most when its bell rings for nothing', async () => {
    using web1 = await aWatch()
    const before = web1.host.looks
    for (let n = 0; n < 3_000; n++) {
      web1.watch.onBell()
      await web1.pass(10)
    }
    assert.ok(web1.host.looks - before < 75, `${web1.host.looks - before} looks in 30 s`)
  })
})

// Whatever a host does or is done to: nothing but an equal look, or Ansible, makes it SYNCED.
describe('a host of which a look finds nothing out', () => {
  const PASSING: readonly CheckErrorCode[] = ['unreachable', 'connection_lost', 'timeout']
  const AT_ONCE: readonly CheckErrorCode[] = [
    ...(['answer_invalid', 'host_key_changed', 'host_key_unknown', 'auth_failed'] as const),
    ...(['python_missing', 'become_failed', 'look_failed', 'ssh_missing'] as const),
  ]
  for (const code of AT_ONCE) {
    it(`is UNKNOWN ${code} at once`, async () => {
      using web1 = await aWatch()
      web1.news()
      await web1.ring(failed(code))
      assert.deepEqual(web1.news(), [`UNKNOWN ${code} fast`])
      await web1.pass(10 * MINUTE)
      assert.deepEqual([...new Set(web1.news())], [`UNKNOWN ${code} fast`])
    })
  }
  for (const code of PASSING) {
    it(`is UNKNOWN ${code} when that lasts some seconds`, async () => {
      using web1 = await aWatch()
      web1.news()
      await web1.ring(failed(code))
      await web1.pass(LOST_MS - 1)
      assert.deepEqual(web1.news(), [])
      await web1.pass(1)
      assert.deepEqual(web1.news(), [`UNKNOWN ${code} fast`])
    })
  }

  it('is not UNKNOWN when it is back before, and tried again soon', async () => {
    using web1 = await aWatch()
    web1.news()
    await web1.ring(failed('connection_lost'))
    web1.host.answer = seen()
    await web1.pass(1_000)
    assert.deepEqual(web1.news(), ['SYNCED fast'])
    await web1.pass(9_000)
    assert.deepEqual(web1.news(), [])
  })

  it('is tried less and less often', async () => {
    using web1 = await aWatch({ answer: failed('unreachable') })
    await web1.pass(10 * MINUTE)
    assert.ok(web1.host.looks > 20 && web1.host.looks < 50, String(web1.host.looks))
  })

  it('is compared when it is back, and not taken for what it was', async () => {
    using web1 = await aWatch()
    await web1.ring(failed('connection_lost'))
    await web1.pass(MINUTE)
    web1.news()
    web1.host.answer = edited()
    await web1.pass(MINUTE)
    assert.deepEqual(web1.news()[0], 'OUT_OF_SYNC fast')
  })

  it('is UNKNOWN path_unreadable once a file cannot be read for longer than it takes to write one', async () => {
    using web1 = await aWatch()
    web1.news()
    await web1.ring(seen({ kind: 'unreadable', reason: 'it is being written' }))
    await web1.pass(1_000)
    assert.deepEqual(web1.news(), [])
    await web1.pass(1_000)
    assert.deepEqual(web1.news(), ['UNKNOWN path_unreadable fast'])
  })

  it('is SYNCED when a file could not be read for a moment only', async () => {
    using web1 = await aWatch()
    web1.news()
    await web1.ring(seen({ kind: 'unreadable', reason: 'it is being written' }))
    web1.host.answer = seen()
    await web1.pass(1_000)
    assert.deepEqual(web1.news(), ['SYNCED fast'])
  })

  it('is UNKNOWN where its answer leaves a path out', async () => {
    using web1 = await aWatch({ answer: { snapshot: aSnapshot({}), deaf: null } })
    await web1.pass(5_000)
    assert.deepEqual(web1.news(), ['UNKNOWN path_unreadable fast'])
  })

  it('does not care for a restart or a wrong clock of the host', async () => {
    for (const clock of [{ bootId: 'boot-2' }, { realtime: LOOK_AT - 31_536_000_000_000_000n }]) {
      using web1 = await aWatch({ answer: { snapshot: aSnapshot({ [PATH]: aFile() }, { clock }), deaf: null } })
      assert.deepEqual(web1.news(), ['SYNCED fast'])
    }
  })
})

describe('the full check of a host that is watched', () => {
  it('confirms drift, which then stays as long as nothing changes', async () => {
    using web1 = await aWatch()
    await web1.ring(edited())
    web1.news()
    const verdict = drifted()
    await web1.checked({ verdict, confirmed: confirmed(verdict, snapshotOf(edited())) })
    assert.deepEqual(web1.news(), ['OUT_OF_SYNC full'])
    await web1.pass(10 * MINUTE)
    assert.deepEqual([...new Set(web1.news())], ['OUT_OF_SYNC full'])
    assert.equal(web1.wishes.length, 1)
  })

  it('is asked for again when confirmed drift changes', async () => {
    using web1 = await aWatch()
    await web1.ring(edited())
    const verdict = drifted()
    await web1.checked({ verdict, confirmed: confirmed(verdict, snapshotOf(edited())) })
    web1.news()
    await web1.ring(edited('v=3\n'))
    assert.deepEqual(web1.news(), ['OUT_OF_SYNC fast'])
    assert.equal(web1.wishes.length, 2)
  })

  it('is not needed when confirmed drift is undone', async () => {
    using web1 = await aWatch()
    await web1.ring(edited())
    const verdict = drifted()
    await web1.checked({ verdict, confirmed: confirmed(verdict, snapshotOf(edited())) })
    web1.news()
    await web1.ring(seen())
    assert.deepEqual(web1.news(), ['SYNCED fast'])
    assert.equal(web1.wishes.length, 1)
  })

  it('is needed when what is undone was not all of the drift', async () => {
    using web1 = await aWatch()
    await web1.ring(edited())
    const verdict = drifted({ drift: [aDrift({ path: PATH }), { ...aDrift(), path_base64: null }] })
    await web1.checked({ verdict, confirmed: confirmed(verdict, snapshotOf(edited())) })
    web1.news()
    await web1.ring(seen())
    assert.deepEqual(web1.news(), [])
    assert.equal(web1.wishes.length, 2)
  })

  it('that ends after a file was put back says nothing of before', async () => {
    using web1 = await aWatch()
    await web1.ring(edited())
    web1.watch.fullCheckBegins()
    await web1.ring(seen())
    web1.news()
    const verdict = drifted()
    await web1.checked({ verdict, confirmed: confirmed(verdict, snapshotOf(edited())) })
    assert.deepEqual(web1.news(), ['SYNCED fast'])
  })

  it('that settled nothing and began before a look is not told after it', async () => {
    using web1 = await aWatch()
    await web1.ring(edited())
    await web1.pass(1_000)
    web1.news()
    await web1.checked({ verdict: drifted(), startedAt: BEGAN })
    assert.deepEqual(web1.news(), ['OUT_OF_SYNC fast'])
  })

  it('that finds no drift where a look did tells of the disagreement', async () => {
    using web1 = await aWatch()
    await web1.ring(edited())
    web1.news()
    const certified = aCertified({ snapshot: snapshotOf(edited()), fullCheckAt: BEGAN })
    const verdict = clean({ check: { method: 'full', disagreement: 'they do' } })
    await web1.checked({ verdict, known: known({ certified }) })
    assert.equal(web1.told[0]?.verdict.check?.disagreement, 'they do')
    assert.deepEqual(web1.news(), ['SYNCED full'])
    await web1.pass(10_000)
    assert.deepEqual(web1.news(), ['SYNCED fast'])
  })

  it('that fails is UNKNOWN until another one does not, whatever looks find', async () => {
    using web1 = await aWatch()
    web1.watch.fullCheckBegins()
    web1.news()
    await web1.checked({ verdict: clean({ status: 'UNKNOWN', error: checkError('task_failed') }) })
    await web1.pass(MINUTE)
    await web1.ring(edited())
    await web1.ring(seen())
    assert.deepEqual([...new Set(web1.news())], ['UNKNOWN task_failed full'])
    assert.ok(web1.wishes.length > 0)
    await web1.checked({})
    assert.deepEqual(web1.news(), ['SYNCED full'])
  })

  it('is made again at once where it could not certify, and then less often', async () => {
    using web1 = await aWatch({ knows: known({ certified: null }) })
    const uncertified = clean({ check: { method: 'full', uncertified: 'there was no look before the check' } })
    const at: number[] = []
    for (let n = 0; n < 9; n++) {
      const before = web1.wishes.length
      await web1.checked({ verdict: uncertified })
      let ms = 0
      for (; web1.wishes.length === before && ms < 10 * MINUTE; ms += 1_000) await web1.pass(1_000)
      at.push(ms / 1_000)
    }
    // The last ones as often as reports are due: so that nothing becomes stale.
    assert.deepEqual(at, [0, 5, 10, 20, 40, 80, 120, 120, 120])
    assert.deepEqual([...new Set(web1.news())], ['SYNCED full'])
    assert.equal(web1.host.looks, 0)
  })

  it('is due after its time, and a host that is away is asked when it is back', async () => {
    using web1 = await aWatch()
    await web1.pass(15 * MINUTE)
    assert.equal(web1.wishes.length, 1)
    assert.equal(web1.wishes[0]?.isUrgent, false)

    using web2 = await aWatch({ answer: failed('unreachable') })
    await web2.pass(30 * MINUTE)
    assert.equal(web2.wishes.length, 0)
    web2.host.answer = seen()
    await web2.pass(MINUTE)
    assert.equal(web2.wishes.length, 1)
  })

  it('is waited for when there is another commit: nothing is told from before', async () => {
    using web1 = await aWatch()
    web1.news()
    web1.watch.startAnew(known({ certified: null }))
    await web1.ring(seen())
    await web1.pass(MINUTE)
    await web1.ring(edited())
    assert.deepEqual(web1.news(), [])
    assert.equal(web1.wishes.length, 1)
    await web1.checked({ known: known(), verdict: clean() })
    web1.host.answer = seen()
    await web1.pass(10_000)
    assert.ok(web1.news().length > 0)
  })

  it('that brings another certified state is not compared with a look from before', async () => {
    using web1 = await aWatch()
    web1.news()
    let go = () => {}
    web1.host.holds = new Promise((resolve) => {
      go = resolve
    })
    await web1.ring(seen())
    web1.host.answer = edited()
    web1.watch.startAnew(known({ certified: aCertified({ snapshot: snapshotOf(edited()) }) }))
    go()
    await web1.pass(100)
    assert.deepEqual([...new Set(web1.news())], ['SYNCED fast'])
  })
})
