import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aCertified } from '../../../test/drift/certified-builder.ts'
import { aFile, aSnapshot, base64, LOOK_AT } from '../../../test/drift/snapshot-builder.ts'
import { aDrift, aVerdict } from '../../../test/reporter/evidence-builder.ts'
import { checkError } from '../check-error.ts'
import type { Drift } from '../judge.ts'
import type { EvidenceQuestion } from '../snapshot/host-session.ts'
import type { HostClock, PathFacts } from '../snapshot/host-snapshot.ts'
import type { BlameEvidence, LogEntry } from './blame-evidence.ts'
import { nameWho, type Sight } from './name-who.ts'
import type { Trail } from './trail-file.ts'

const PATH = '/etc/app.conf'
const [ALICE, BOB, OURS] = [...'abo'].map((letter) => `SHA256:${letter.repeat(43)}`)
const FIRST_LOOK = Number(LOOK_AT / 1_000_000_000n)
const OUR_FIRST_LOOK = Date.parse('2026-04-21T10:00:00Z')

/** One host from check to check. Each takes a second and ends with a look, so many seconds after the first. */
function aHost() {
  const asked: EvidenceQuestion[] = []
  const world = {
    people: new Map([
      [ALICE ?? '', 'Alice'],
      [BOB ?? '', 'Bob'],
    ]),
    log: [] as LogEntry[],
    clock: {} as Partial<HostClock>,
    fails: false,
    deploys: [] as { from: number; to: number }[],
    trail: null as Trail | null,
  }
  async function check(seconds: number, found: 'clean' | 'unknown' | PathFacts, more: Partial<Drift & Sight> = {}) {
    const facts = typeof found === 'string' ? aFile() : found
    const now = new Date(OUR_FIRST_LOOK + seconds * 1_000)
    const snapshot = aSnapshot({ [PATH]: facts }, { seconds, clock: world.clock })
    const { isKnownSince = true, certified = aCertified(), lookedAt = snapshot.clock, ...drift } = more
    const verdict = {
      clean: aVerdict({ host: 'web1' }),
      unknown: aVerdict({ host: 'web1', status: 'UNKNOWN', error: checkError('task_failed') }),
      drifted: aVerdict({
        host: 'web1',
        status: 'OUT_OF_SYNC',
        drift: [{ ...aDrift({ path: PATH }), ...drift }],
        seen: { named: [], listed: [], looked_for: [], access: ACCESS },
      }),
    }[typeof found === 'string' ? found : 'drifted']
    const sight = found === 'unknown' ? null : { lookedAt, isKnownSince, snapshot, certified }
    const { verdicts, notes } = await nameWho([{ verdict, sight }], new Date(now.getTime() - 1_000), {
      trails: {
        read: () => world.trail,
        write(_, trail) {
          world.trail = trail
          return null
        },
      },
      people: world.people,
      deploysOf: () => () => world.deploys,
      async ask(_, __, question) {
        asked.push(question)
        if (world.fails) return { error: checkError('timeout') }
        return { evidence: evidenceOf(snapshot.clock, facts, world.log) }
      },
      now: () => now,
      hasTime: () => true,
    })
    assert.deepEqual(notes, [])
    return verdicts[0]?.drift[0]?.modified_by ?? 'nobody'
  }
  return { check, asked, world }
}

const ACCESS = { host: '192.0.2.1', port: null, user: null, keyFile: null, sshArgs: [], python: null, become: null }

function evidenceOf({ realtime, boottime, bootId }: HostClock, facts: PathFacts, entries: LogEntry[]): BlameEvidence {
  const seconds = (time: bigint) => Number(time) / 1e9
  const directoryMtime = seconds(realtime)
  const file =
    facts.kind === 'file'
      ? { ...facts, mtime: seconds(facts.mtime), ctime: seconds(facts.ctime), inode: String(facts.inode) }
      : null
  return {
    clock: { realtime, boottime, bootId },
    uid: 0,
    connection: { from: '192.0.2.9', port: 9 },
    users: new Map(),
    files: [file === null ? { kind: 'missing', directoryMtime } : { ...file, kind: 'there', directoryMtime }],
    sources: [{ name: 'journal', state: 'read', since: 0 }],
    logins: [],
    entries,
    packageRuns: [],
    audit: { events: [], unbroken: false, lost: null, rules: [], logins: [] },
  }
}

/** Changed so many seconds after the first look. */
function edited(seconds: number): PathFacts {
  const at = LOOK_AT + BigInt(seconds) * 1_000_000_000n
  return aFile({ text: `v=${seconds}\n`, mtime: at, ctime: at })
}

function login(key: string | undefined, from: number, to: number, port = from): LogEntry[] {
  const shared = { slack: 0, pid: port, trusted: true, from: '192.0.2.8', port }
  return [
    { ...shared, kind: 'ssh_accepted', user: 'root', key: key ?? '', at: FIRST_LOOK + from },
    { ...shared, kind: 'ssh_closed', at: FIRST_LOOK + to },
  ]
}

describe('nameWho', () => {
  it('names who was there between the last look and this one, and asks no more while nothing changes', async () => {
    const { check, asked, world } = aHost()
    world.log = [...login(ALICE, 50, 70), ...login(BOB, 200, 220)]
    await check(0, 'clean')

    assert.equal(await check(120, edited(60)), 'Alice (ssh, medium)')
    assert.equal(await check(240, edited(60)), 'Alice (ssh, medium)')

    const [question, ...others] = asked
    assert.deepEqual(question, { paths: [base64(PATH)], after: FIRST_LOOK, before: FIRST_LOOK + 120 })
    assert.deepEqual(others, [])
  })

  it('asks anew when the file was changed again, and names nobody of before', async () => {
    const { check, asked, world } = aHost()
    world.log = [...login(ALICE, 50, 70), ...login(BOB, 200, 220)]
    await check(0, 'clean')
    await check(120, edited(60))

    assert.equal(await check(240, edited(210)), 'Bob (ssh, medium)')
    assert.equal(asked[1]?.after, FIRST_LOOK + 120)
    world.log = []
    assert.equal(await check(360, edited(300)), 'nobody')
  })

  it('asks anew after the file was put right in between', async () => {
    const { check, asked, world } = aHost()
    world.log = login(ALICE, 50, 70)
    await check(0, 'clean')
    await check(120, { kind: 'missing' }, { change: 'missing' })
    await check(240, 'clean')

    assert.equal(await check(360, { kind: 'missing' }, { change: 'missing' }), 'nobody')
    assert.equal(asked.length, 2)
  })

  // Whatever of these happens, the log would lead to Alice.
  const NOBODY: readonly (readonly [when: string, tell: (host: ReturnType<typeof aHost>) => Promise<string>])[] = [
    ['the host was never looked at before', ({ check }) => check(120, edited(60))],
    [
      'no look preceded the last check',
      async ({ check }) => {
        await check(0, 'clean', { isKnownSince: false })
        return check(120, edited(60))
      },
    ],
    [
      'the clock of the host was set',
      async ({ check, world }) => {
        await check(0, 'clean')
        world.clock = { realtime: LOOK_AT + 125_000_000_000n }
        return check(120, edited(60))
      },
    ],
    [
      'the host was started anew',
      async ({ check, world }) => {
        await check(0, 'clean')
        world.clock = { bootId: 'boot-2' }
        return check(120, edited(60))
      },
    ],
    [
      'the host gives no answer',
      async ({ check, world }) => {
        await check(0, 'clean')
        world.fails = true
        return check(120, edited(60))
      },
    ],
    [
      'a commit waits for its deploy',
      async ({ check }) => {
        await check(0, 'clean')
        return check(120, edited(60), { cause: 'PENDING_DEPLOY' })
      },
    ],
    [
      'a file is missing that may never have been there',
      async ({ check }) => {
        await check(0, 'clean')
        return check(120, { kind: 'missing' }, { change: 'missing', certified: null })
      },
    ],
    [
      'the file cannot be read',
      async ({ check }) => {
        await check(0, 'clean')
        return check(120, { kind: 'unreadable', reason: 'Input/output error' })
      },
    ],
  ]
  for (const [when, tell] of NOBODY) {
    it(`names nobody when ${when}`, async () => {
      const host = aHost()
      host.world.log = login(ALICE, 50, 70)
      assert.equal(await tell(host), 'nobody')
    })
  }

  it('knows our own logins from those of others: of this check, the last one, and those that found nothing out', async () => {
    const { check, world } = aHost()
    const before = (at: number, port: number) => login(OURS, at - 0.5, at + 1, port)
    // That by which the host is asked, and Ansible's: both are still there.
    const now = (at: number) => [9, 8].map((port) => ({ ...login(OURS, at - 0.5, at, port)[0], from: '192.0.2.9' }))
    await check(0, 'clean')
    await check(120, 'unknown')

    world.log = [...before(0, 5), ...before(120, 6), ...now(300)] as LogEntry[]
    assert.equal(await check(300, edited(119)), 'nobody')
    world.log = [...before(300, 7), ...login(ALICE, 400, 410), ...now(410)] as LogEntry[]
    assert.equal(await check(410, edited(409)), 'Alice (ssh, medium)')
  })

  it('gives up after more checks that found nothing out than it remembers', async () => {
    const { check, world } = aHost()
    await check(0, 'clean')
    for (let at = 1; at <= 201; at += 1) await check(at, 'unknown')
    assert.equal(world.trail, null)
  })

  it('names the deploy that was recorded at that time, by the clock of whoever deployed', async () => {
    const { check, world } = aHost()
    world.deploys = [{ from: OUR_FIRST_LOOK / 1_000 + 55, to: OUR_FIRST_LOOK / 1_000 + 65 }]
    await check(0, 'clean')
    assert.equal(await check(120, edited(60)), 'ansible (deploy, medium)')
  })
})
