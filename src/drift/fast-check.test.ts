import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aCertified, GIT, KEY } from '../../test/drift/certified-builder.ts'
import {
  aDirectory,
  aFile,
  aLink,
  aSnapshot,
  base64,
  LOOK_AT,
  sha,
  wholeFile,
} from '../../test/drift/snapshot-builder.ts'
import { aDrift, aNamed, aVerdict } from '../../test/reporter/evidence-builder.ts'
import type { Remembered } from './baseline/baseline.ts'
import { type BindingFacts, bindingsOf } from './baseline/binding.ts'
import { type CheckErrorCode, checkError } from './check-error.ts'
import { type FastCheckParts, fastCheck } from './fast-check.ts'
import type { Verdict } from './judge.ts'
import type { HostAccess } from './snapshot/host-access.ts'
import type { HostSnapshot, PathFacts, SnapshotResult } from './snapshot/host-snapshot.ts'

const PATH = '/etc/app.conf'
const WEB1: HostAccess = {
  host: '192.0.2.1',
  port: null,
  user: null,
  keyFile: null,
  sshArgs: [],
  python: null,
  become: null,
}
const CHECKED_AT = new Date('2026-04-21T10:00:00Z')
const AFTER_MINUTES = (minutes: number) => new Date(CHECKED_AT.getTime() + minutes * 60_000)
const WATCHED = { paths: [base64(PATH)], listings: [] }

/** What Ansible says of a clean host. */
function clean(text = 'v=1\n', more: Partial<Verdict> = {}): Verdict {
  const seen = { named: [wholeFile(PATH, text)], listed: [], looked_for: [], access: WEB1 }
  return aVerdict({ host: 'web1', coverage: { checked: 1, total: 1, unchecked: [] }, seen, ...more })
}

function drifted(expected = 'v=1\n', actual = 'v=2\n'): Verdict {
  const drift = aDrift({
    path: PATH,
    expected: { sha256: sha('sha256', expected), mode: '0644' },
    actual: { sha256: sha('sha256', actual), mode: '0644', owner: 'root', group: 'root' },
  })
  const seen = {
    named: [aNamed({ path: PATH, compares: ['content', 'mode'] })],
    listed: [],
    looked_for: [],
    access: WEB1,
  }
  return clean('v=1\n', { status: 'OUT_OF_SYNC', drift: [drift], seen })
}

const unreachable = (): Verdict => ({ ...clean(), status: 'UNKNOWN', error: checkError('unreachable'), seen: null })

/** A look `seconds` after the first. */
function look(facts: PathFacts = aFile(), seconds = 0): SnapshotResult {
  return { snapshot: aSnapshot({ [PATH]: facts, '/etc': aDirectory(), '/': aDirectory() }, { seconds }) }
}

const failed = (code: CheckErrorCode): SnapshotResult => ({ error: checkError(code) })

const KNOWN: Remembered = { access: WEB1, watched: WATCHED, certified: aCertified() }

interface Story {
  readonly remembered?: Remembered | null | { void: string }
  /** Answers to the looks, one after the other; the last one stays. */
  readonly looks?: readonly SnapshotResult[]
  /** What Ansible says, one run after the other; the last one stays. */
  readonly checks?: readonly Verdict[]
  readonly git?: Partial<BindingFacts>
  readonly now?: Date
  readonly deploy?: ReturnType<ReturnType<FastCheckParts['deployOf']>>
  readonly hasTime?: boolean
  readonly isGitUnchanged?: boolean
  readonly writeFails?: boolean
}

/** One host through a fast check, with all that it did. */
async function tell({ remembered = KNOWN, looks = [look()], checks = [clean()], git = {}, ...story }: Story = {}) {
  const done: string[] = []
  let kept: Remembered | null = null
  const next = <T>(all: readonly T[], at: number): T => all[Math.min(at, all.length - 1)] as T // none is empty
  let looked = 0
  let checked = 0
  const { sighted, notes } = await fastCheck(['web1'], {
    baselines: {
      key: KEY,
      read: () => (remembered !== null && 'void' in remembered ? remembered : { remembered }),
      write(_, written) {
        if (story.writeFails) throw Object.assign(new Error('ENOSPC: no space left'), { syscall: 'write' })
        kept = written
      },
    },
    bindingOf: bindingsOf({ ...GIT, ...git }, KEY),
    commit: git.commit ?? GIT.commit,
    deployOf: () => () => story.deploy ?? 'not_recorded',
    async look(requests) {
      if (requests.length > 0) done.push('look')
      return new Map(requests.map(({ name }) => [name, next(looks, looked++)]))
    },
    async checkFully(hosts) {
      done.push(`check ${hosts}`)
      return [next(checks, checked++)]
    },
    isGitUnchanged: async () => story.isGitUnchanged ?? true,
    fullEveryMs: 15 * 60_000,
    now: () => story.now ?? AFTER_MINUTES(1),
    hasTime: () => story.hasTime ?? true,
  })
  const [found] = sighted
  assert.ok(found)
  return { ...found, notes: notes.map(({ text }) => text), did: done.join(', '), kept: kept as Remembered | null }
}

const brief = ({ status, error, check }: Verdict) => [status, error?.code, check?.method].filter(Boolean).join(' ')

describe('fastCheck, verify', () => {
  it('says SYNCED after one look at a host that is as it was certified', async () => {
    const { verdict, did, kept } = await tell()

    assert.equal(did, 'look')
    assert.equal(brief(verdict), 'SYNCED fast')
    assert.deepEqual(verdict.coverage, {
      ...{ checked: 1, total: 1, unchecked: [], watched: 1, unwatched: [] },
      fullCheckAt: CHECKED_AT,
    })
    assert.equal(kept, null)
  })

  // The truth table of the fast mode: nothing but an equal look is SYNCED without Ansible's word.
  const NOT_KNOWN: readonly (readonly [what: string, answer: SnapshotResult, code: string])[] = [
    ['the host does not answer', failed('unreachable'), 'unreachable'],
    ['it hangs', failed('timeout'), 'timeout'],
    ['the connection is cut', failed('connection_lost'), 'connection_lost'],
    ['it shows another key', failed('host_key_changed'), 'host_key_changed'],
    ['it does not let us in', failed('auth_failed'), 'auth_failed'],
    ['it answers garbage', failed('answer_invalid'), 'answer_invalid'],
    ['its Python has gone', failed('python_missing'), 'python_missing'],
    ['sudo asks for a password', failed('become_failed'), 'become_failed'],
    ['a file can no longer be read', look({ kind: 'unreadable', reason: 'Permission denied' }), 'path_unreadable'],
    ['a path is missing from its answer', { snapshot: aSnapshot({}) }, 'path_unreadable'],
  ]
  for (const [what, answer, code] of NOT_KNOWN) {
    it(`says UNKNOWN ${code} when ${what}, and lets nobody wait for Ansible`, async () => {
      const { verdict, did } = await tell({ looks: [answer] })
      assert.equal(brief(verdict), `UNKNOWN ${code} fast`)
      assert.equal(did, 'look')
    })
  }

  it('does not care for a restart or a wrong clock of the host', async () => {
    for (const clock of [{ bootId: 'boot-2' }, { realtime: LOOK_AT - 31_536_000_000_000_000n }])
      assert.equal(
        brief((await tell({ looks: [{ snapshot: aSnapshot({ [PATH]: aFile() }, { clock }) }] })).verdict),
        'SYNCED fast',
      )
  })

  const CHANGES: Record<string, PathFacts> = {
    'another content': aFile({ text: 'v=2\n' }),
    'another mode': aFile({ mode: '0600' }),
    'another owner': aFile({ owner: 'app', uid: 7 }),
    'a link in its place': aLink('/tmp/app.conf'),
    'nothing there': { kind: 'missing' },
  }
  for (const [what, facts] of Object.entries(CHANGES)) {
    it(`has Ansible confirm and explain ${what}`, async () => {
      const { verdict, did } = await tell({ looks: [look(facts)], checks: [drifted()] })
      assert.equal(did, 'look, look, check web1, look')
      assert.equal(brief(verdict), 'OUT_OF_SYNC full')
      assert.equal(verdict.cause, 'SERVER_CHANGED')
      assert.deepEqual(
        verdict.drift.map(({ cause }) => cause),
        ['SERVER_CHANGED'],
      )
      assert.equal(verdict.check?.disagreement, undefined)
    })
  }

  it('takes no difference for drift when Ansible fails meanwhile', async () => {
    const { verdict } = await tell({ looks: [look(aFile({ text: 'v=2\n' }))], checks: [unreachable()] })
    assert.equal(brief(verdict), 'UNKNOWN unreachable full')
  })
})

describe('fastCheck, when Ansible is asked', () => {
  const CHANGES: readonly (readonly [note: string, git: Partial<BindingFacts>])[] = [
    ['its baseline is void: there is another commit', { commit: 'b'.repeat(40) }],
    ['its baseline is void: changes that are not committed are others', { changes: 'x' }],
    ['its baseline is void: it is another playbook', { playbook: '/other.yml' }],
    ['its baseline is void: the inventory has changed', { inventory: '{"all": {"hosts": ["web1", "web2"]}}' }],
    ['its baseline is void: the arguments for ansible-playbook have changed', { ansibleArgs: ['--tags', 'x'] }],
    ['its baseline is void: a variable that is passed on has changed', { variables: { STAGE: 'test' } }],
    ['its baseline is void: the host keys come from elsewhere', { hostKeys: 'x' }],
  ]
  for (const [note, git] of CHANGES) {
    it(`checks fully: ${note}`, async () => {
      const { did, notes, verdict } = await tell({ git, looks: [look(), look(aFile(), 5)] })
      assert.equal(did, 'look, check web1, look')
      assert.deepEqual(notes, [note])
      assert.equal(brief(verdict), 'SYNCED full')
    })
  }

  it('knows an inventory again that is told in another order', async () => {
    const inventory = '{"all": {"vars": {"a": 1, "b": 2}}}'
    const certified = aCertified({ git: { ...GIT, inventory } })
    const { did } = await tell({
      remembered: { ...KNOWN, certified },
      git: { inventory: '{"all": {"vars": {"b": 2, "a": 1}}}' },
    })
    assert.equal(did, 'look')
  })

  it('checks fully what was certified for another host', async () => {
    const { did } = await tell({ remembered: { ...KNOWN, certified: aCertified({ host: 'web2' }) } })
    assert.match(did, /check/)
  })

  it('checks fully when that is due, and when the last one lies in the future', async () => {
    assert.equal((await tell({ now: AFTER_MINUTES(14.9) })).did, 'look')
    for (const minutes of [15, 600, -0.1, -525_600]) {
      const { did, notes } = await tell({ now: AFTER_MINUTES(minutes) })
      assert.match(did, /check web1/)
      assert.deepEqual(notes, [])
    }
  })

  it('says that a baseline is void, and takes nothing from it', async () => {
    const { did, notes, verdict } = await tell({
      remembered: { void: 'its seal does not fit' },
      looks: [look(aFile(), 5)],
    })
    assert.equal(did, 'check web1, look')
    assert.deepEqual(notes, ['its baseline is void: its seal does not fit'])
    assert.equal(brief(verdict), 'SYNCED full')
    assert.equal(verdict.check?.uncertified, 'there was no look before the check')
  })

  it('never waits for Ansible at a host that a look could not reach under the same Git', async () => {
    const { did, verdict } = await tell({ now: AFTER_MINUTES(20), looks: [failed('timeout')] })
    assert.equal(did, 'look')
    assert.equal(brief(verdict), 'UNKNOWN timeout fast')
  })

  it('has Ansible try where the host may have moved, or only the look failed', async () => {
    assert.match((await tell({ git: { inventory: '{}' }, looks: [failed('unreachable'), look()] })).did, /check web1/)
    assert.match((await tell({ now: AFTER_MINUTES(20), looks: [failed('look_failed'), look()] })).did, /check web1/)
  })

  it('asks Ansible alone about a host that it alone can reach', async () => {
    const access = { why: 'its connection is local' }
    const seen = { named: [wholeFile(PATH)], listed: [], looked_for: [], access }
    const { did, verdict, kept } = await tell({ remembered: { ...KNOWN, access }, checks: [clean('v=1\n', { seen })] })
    assert.equal(did, 'check web1')
    assert.equal(brief(verdict), 'SYNCED full')
    assert.equal(verdict.check?.uncertified, 'its connection is local')
    assert.deepEqual(kept?.access, access)
  })
})

describe('fastCheck, the certified full check', () => {
  const learned: Remembered = { ...KNOWN, certified: null }

  it('learns on the first run, and certifies on the second', async () => {
    const first = await tell({ remembered: null, looks: [look(aFile(), 5)] })
    assert.equal(first.did, 'check web1, look')
    assert.deepEqual(first.kept, learned)

    const second = await tell({ remembered: first.kept, looks: [look(), look(aFile(), 5)], now: AFTER_MINUTES(2) })
    assert.equal(second.did, 'look, check web1, look')
    assert.equal(second.verdict.check?.uncertified, undefined)
    assert.deepEqual(second.kept, { ...KNOWN, certified: { ...aCertified(), fullCheckAt: AFTER_MINUTES(2) } })

    const third = await tell({ remembered: second.kept, now: AFTER_MINUTES(3) })
    assert.equal(third.did, 'look')
    assert.equal(brief(third.verdict), 'SYNCED fast')
  })

  const edited = (seconds: number) => look(aFile({ text: `v=${seconds}\n` }), seconds)

  it('checks again when somebody edits meanwhile, and believes the last', async () => {
    const { did, verdict } = await tell({
      remembered: learned,
      looks: [look(), edited(5), edited(5)],
      checks: [clean(), drifted('v=1\n', 'v=5\n')],
    })
    assert.equal(did, 'look, check web1, look, check web1, look')
    assert.equal(brief(verdict), 'OUT_OF_SYNC full')
  })

  it('certifies after an edit that Git says, too', async () => {
    const { verdict, kept } = await tell({
      remembered: learned,
      looks: [look(), edited(5), edited(5)],
      checks: [clean(), clean('v=5\n')],
    })
    assert.equal(brief(verdict), 'SYNCED full')
    assert.ok(kept?.certified)
  })

  it('gives up after two repetitions: UNKNOWN changed_during_check', async () => {
    const { did, verdict, kept } = await tell({ remembered: learned, looks: [look(), edited(5), edited(6), edited(7)] })
    assert.equal(did.match(/check/g)?.length, 3)
    assert.equal(brief(verdict), 'UNKNOWN changed_during_check full')
    assert.match(verdict.error?.message ?? '', /\/etc\/app\.conf/)
    assert.equal(kept, null)
  })

  it('gives up at once when the time is over', async () => {
    const { did, verdict } = await tell({ remembered: learned, looks: [look(), edited(5)], hasTime: false })
    assert.equal(did.match(/check/g)?.length, 1)
    assert.equal(brief(verdict), 'UNKNOWN changed_during_check full')
  })

  it('says UNKNOWN when Ansible and the look see different contents on a host that nobody touches', async () => {
    const { verdict } = await tell({ remembered: learned, checks: [clean('v=9\n')] })
    assert.equal(brief(verdict), 'UNKNOWN changed_during_check full')
  })

  it('checks once more when a file was touched, and then lets the verdict stand without certifying it', async () => {
    const touched = (seconds: number) => look(aFile({ ctime: LOOK_AT + BigInt(seconds) * 1_000_000_000n }), seconds)
    const { did, verdict, kept } = await tell({ remembered: learned, looks: [look(), touched(5), touched(10)] })
    assert.equal(did.match(/check/g)?.length, 2)
    assert.equal(brief(verdict), 'SYNCED full')
    assert.equal(verdict.check?.uncertified, '/etc/app.conf was touched during the check')
    assert.equal(kept?.certified, null)
  })

  it('certifies nothing over a restart, a clock that was set, or a way to the host that is new', async () => {
    const restarted = aSnapshot({ [PATH]: aFile() }, { seconds: 5, clock: { bootId: 'boot-2' } })
    const set = aSnapshot({ [PATH]: aFile() }, { seconds: 5, clock: { realtime: LOOK_AT } })
    for (const snapshot of [restarted, set] as HostSnapshot[]) {
      const { verdict, kept } = await tell({ remembered: learned, looks: [look(), { snapshot }] })
      assert.equal(brief(verdict), 'SYNCED full')
      assert.equal(kept?.certified, null)
    }
    const elsewhere = { ...learned, access: { ...WEB1, host: '192.0.2.9' } }
    const { verdict, kept } = await tell({ remembered: elsewhere })
    assert.equal(verdict.check?.uncertified, 'there was no look before the check')
    assert.deepEqual([kept?.access, kept?.certified], [WEB1, null])
  })

  it('certifies nothing when somebody changed the repository while Ansible read it', async () => {
    const { verdict, kept } = await tell({ remembered: learned, isGitUnchanged: false })
    assert.equal(brief(verdict), 'SYNCED full')
    assert.equal(verdict.check?.uncertified, 'the repository was changed meanwhile')
    assert.equal(kept?.certified, null)
  })

  it('lets the verdict stand when the second look fails', async () => {
    const { verdict, kept } = await tell({ remembered: learned, looks: [look(), failed('connection_lost')] })
    assert.equal(brief(verdict), 'SYNCED full')
    assert.equal(verdict.check?.uncertified, checkError('connection_lost').message)
    assert.equal(kept?.certified, null)
  })

  it('keeps what was certified while the host has drifted: it is what was deployed', async () => {
    const { kept } = await tell({ looks: [look(aFile({ text: 'v=2\n' }))], checks: [drifted()] })
    assert.deepEqual(kept?.certified, KNOWN.certified)
  })

  it('says what could not be kept, and the verdict all the same', async () => {
    const { verdict, notes } = await tell({ remembered: learned, looks: [look(), look(aFile(), 5)], writeFails: true })
    assert.equal(brief(verdict), 'SYNCED full')
    assert.deepEqual(notes, ['its baseline could not be kept: ENOSPC: no space left'])
  })
})

describe('fastCheck, causes', () => {
  const next = { commit: 'b'.repeat(40) }

  it('says PENDING_DEPLOY, BOTH or SERVER_CHANGED after a commit', async () => {
    const causeOf = async (verdict: Verdict) => (await tell({ git: next, checks: [verdict] })).verdict.cause
    assert.equal(await causeOf(drifted('v=2\n', 'v=1\n')), 'PENDING_DEPLOY')
    assert.equal(await causeOf(drifted('v=2\n', 'v=3\n')), 'BOTH')
    assert.equal(await causeOf(drifted('v=1\n', 'v=3\n')), 'SERVER_CHANGED')
  })

  it('says none where nothing was ever certified', async () => {
    const { verdict } = await tell({ remembered: null, checks: [drifted()] })
    assert.equal(verdict.cause, undefined)
  })

  it('says SAME_EDIT until what Git says is rolled out', async () => {
    const now = aFile({ text: 'v=2\n' })
    const found = await tell({ git: next, looks: [look(now), look(now, 5)], checks: [clean('v=2\n')], deploy: 'none' })
    assert.equal(brief(found.verdict), 'SYNCED full')
    assert.equal(found.verdict.cause, 'SAME_EDIT')

    const later = { remembered: found.kept, git: next, looks: [look(now)], checks: [clean('v=2\n')] }
    assert.equal((await tell(later)).verdict.cause, 'SAME_EDIT')
    assert.equal((await tell({ ...later, now: AFTER_MINUTES(20), deploy: 'none' })).verdict.cause, 'SAME_EDIT')
    assert.equal((await tell({ ...later, now: AFTER_MINUTES(20), deploy: 'current' })).verdict.cause, undefined)
  })
})

describe('fastCheck, where the two checks disagree', () => {
  it('says so when a whole file is another, and Ansible finds no drift under the same Git', async () => {
    const other = aFile({ text: 'v=2\n' })
    const { verdict, kept } = await tell({
      looks: [look(other), look(other), look(other, 5)],
      checks: [clean('v=2\n')],
    })

    assert.equal(brief(verdict), 'SYNCED full')
    assert.equal(
      verdict.check?.disagreement,
      '/etc/app.conf is not as it was certified, and the full check finds no drift',
    )
    assert.notDeepEqual(kept?.certified?.paths, KNOWN.certified?.paths)
  })

  it('does not when the edit was put back before Ansible looked', async () => {
    const { verdict } = await tell({ looks: [look(aFile({ text: 'v=2\n' })), look(), look(aFile(), 5)] })
    assert.equal(brief(verdict), 'SYNCED full')
    assert.equal(verdict.check?.disagreement, undefined)
  })

  it('says so when Ansible finds drift in what is as it was certified', async () => {
    const { verdict } = await tell({ now: AFTER_MINUTES(20), checks: [drifted()] })
    assert.equal(brief(verdict), 'OUT_OF_SYNC full')
    assert.equal(
      verdict.check?.disagreement,
      'the full check finds drift in /etc/app.conf, which is as it was certified',
    )
    assert.equal(verdict.cause, undefined)
  })

  it('does not when the file was edited between the look and the check', async () => {
    const other = aFile({ text: 'v=2\n', ctime: LOOK_AT })
    const { verdict } = await tell({ now: AFTER_MINUTES(20), looks: [look(), look(other, 5)], checks: [drifted()] })
    assert.equal(verdict.check?.disagreement, undefined)
    assert.equal(verdict.cause, 'SERVER_CHANGED')
  })
})

describe('fastCheck of many hosts', () => {
  it('ends each in exactly one verdict, in their order, and checks fully only those that need it', async () => {
    const hosts = ['same', 'changed', 'down', 'new']
    const asked: string[] = []
    const { sighted } = await fastCheck(hosts, {
      baselines: {
        key: KEY,
        read: (host) => ({ remembered: host === 'new' ? null : { ...KNOWN, certified: aCertified({ host }) } }),
        write: () => {},
      },
      bindingOf: bindingsOf(GIT, KEY),
      commit: GIT.commit,
      deployOf: () => () => 'not_recorded',
      look: async (requests) =>
        new Map(
          requests.map(({ name }) => {
            if (name === 'down') return [name, failed('unreachable')]
            return [name, look(name === 'changed' ? aFile({ text: 'v=2\n' }) : aFile())]
          }),
        ),
      checkFully: async (some) => {
        asked.push(some.join())
        return some.map((host) => ({ ...(host === 'changed' ? drifted() : clean()), host }))
      },
      isGitUnchanged: async () => true,
      fullEveryMs: 1_000_000,
      now: () => CHECKED_AT,
      hasTime: () => true,
    })

    assert.deepEqual(
      sighted.map(({ verdict }) => `${verdict.host} ${brief(verdict)}`),
      ['same SYNCED fast', 'changed OUT_OF_SYNC full', 'down UNKNOWN unreachable fast', 'new SYNCED full'],
    )
    assert.deepEqual(asked, ['new,changed'])
  })
})
