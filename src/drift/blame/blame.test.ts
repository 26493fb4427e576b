import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { type BlameQuestion, judgeBlame, modifiedBy } from './blame.ts'
import type { AuditEvent, BlamedFile, BlameEvidence, LogEntry, LogFacts, PackageRun } from './blame-evidence.ts'

// The file was clean at noon and dirty a hundred minutes later; the edit came after fifty.
const NOON = 1_795_348_800
const EDIT = NOON + 3_000
const END = NOON + 6_000
const ALICES_KEY = `SHA256:${'a'.repeat(43)}`
const BOBS_KEY = `SHA256:${'b'.repeat(43)}`
const OUR_KEY = `SHA256:${'o'.repeat(43)}`
const HOUR = 3_600

interface Case {
  readonly is: string
  readonly says: string | null
  readonly evidence: Partial<BlameEvidence>
  readonly question?: Partial<BlameQuestion>
}

const PLAIN: readonly Case[] = [
  {
    is: 'one sudo that names the file',
    says: 'alice (sudo, medium)',
    evidence: { entries: sudo('alice', EDIT - 5, EDIT + 5, { direct: true }) },
  },
  {
    is: 'one root shell by sudo around the edit',
    says: 'alice (sudo, medium)',
    evidence: { entries: sudo('alice', EDIT - HOUR, EDIT + 60) },
  },
  {
    is: 'one login as root by a key whose holder is known',
    says: 'Alice (ssh, medium)',
    evidence: { entries: ssh('root', EDIT - 60, EDIT + 60, { key: ALICES_KEY }) },
    question: { people: new Map([[ALICES_KEY, 'Alice']]) },
  },
  {
    is: 'one login as root by a key of nobody known',
    says: 'root by key SHA256:aaaaaaaaaaaa… (ssh, medium)',
    evidence: { entries: ssh('root', EDIT - 60, EDIT + 60, { key: ALICES_KEY }) },
  },
  {
    is: 'su by somebody who was logged in',
    says: 'alice (su, medium)',
    evidence: {
      entries: [line(EDIT - 9, { kind: 'su', user: 'alice', as: 'root' }, 7), line(EDIT + 9, closed('su', 'root'), 7)],
    },
  },
  {
    is: 'a package that owns the file',
    says: 'alice (dpkg rsyslog, medium)',
    evidence: { packageRuns: [packageRun({ user: 'alice', names: ['rsyslog'], paths: [0] })] },
  },
  {
    is: 'a cron job that names the file',
    says: 'cron sed (cron, medium)',
    evidence: { entries: cron(EDIT - 1, EDIT + 1, true) },
  },
  {
    is: 'a unit that was running',
    says: 'logrotate.service (systemd, medium)',
    evidence: {
      entries: [
        line(EDIT - 5, { kind: 'unit_starts', unit: 'logrotate.service' }, 1),
        line(EDIT + 5, { kind: 'unit_ends', unit: 'logrotate.service' }, 1),
      ],
    },
  },
  {
    is: 'root on the console, which only wtmp knows',
    says: 'root (tty1, medium)',
    evidence: { logins: [login('root', 'tty1', '', EDIT - 60, EDIT + 60)] },
  },
  {
    is: 'a deploy that was recorded where it ran',
    says: 'alice (deploy, medium)',
    evidence: {},
    question: { deploys: [{ from: EDIT - 20, to: EDIT + 20, by: 'alice' }] },
  },
  {
    is: "the owner's own login, for a file that is not root's",
    says: 'carol (ssh, medium)',
    evidence: {
      files: [aFile({ uid: 1003 })],
      entries: ssh('carol', EDIT - 60, EDIT + 60, { key: BOBS_KEY }),
    },
  },
  {
    is: 'one audited write',
    says: 'alice (audit, high)',
    evidence: { audit: anAudit([anEvent({})]) },
  },
  {
    is: 'a deletion that was audited',
    says: 'alice (audit, high)',
    evidence: { files: [missing(EDIT)], audit: anAudit([anEvent({ act: 'delete' })]) },
    question: { change: 'missing' },
  },
  {
    is: "an audited login as root, whose key's holder is known",
    says: 'Alice (audit + ssh, medium)',
    evidence: {
      audit: {
        ...anAudit([anEvent({ auid: 0, session: 5 })]),
        logins: [{ at: EDIT - 60, pid: 500, auid: 0, session: 5 }],
      },
      entries: ssh('root', EDIT - 60, EDIT + 60, { key: ALICES_KEY, pid: 500 }),
    },
    question: { people: new Map([[ALICES_KEY, 'Alice']]) },
  },
  {
    is: 'a write that was watched live',
    says: 'alice (fanotify, high)',
    evidence: {},
    question: { live: { since: NOON - 60, gaps: false, events: [watched('alice', 1001)] } },
  },
]

const MISLEADING: readonly Case[] = [
  {
    is: 'two root shells at once',
    says: null,
    evidence: { entries: [...sudo('alice', EDIT - 60, EDIT + 60), ...sudo('bob', EDIT - 90, EDIT + 90, { pid: 31 })] },
  },
  {
    is: 'an edit outside of every session',
    says: null,
    evidence: {
      entries: [
        ...sudo('alice', EDIT - HOUR, EDIT - 60, { direct: true }),
        ...sudo('bob', EDIT + 60, END, { pid: 31 }),
      ],
    },
  },
  {
    is: 'somebody who was gone when the file was last seen clean',
    says: null,
    evidence: { files: [aFile({ ctime: NOON + 1 })], entries: sudo('alice', NOON - 60, NOON - 1, { direct: true }) },
  },
  {
    is: "a line of sudo's that any user can have written with logger",
    says: 'alice (sudo, low)',
    evidence: { entries: sudo('alice', EDIT - 5, EDIT + 5, { direct: true, trusted: false }) },
  },
  {
    is: 'the same line, of somebody who was logged in',
    says: 'alice (sudo, medium)',
    evidence: {
      entries: sudo('alice', EDIT - 5, EDIT + 5, { direct: true, trusted: false }),
      logins: [login('alice', 'pts/0', '10.0.0.7', EDIT - 60, EDIT + 60)],
    },
  },
  {
    is: 'the same line, while somebody else really was root',
    says: 'alice (sudo, low)',
    evidence: {
      entries: [
        ...sudo('alice', EDIT - 5, EDIT + 5, { direct: true, trusted: false }),
        ...sudo('bob', EDIT - 90, EDIT + 90, { pid: 31 }),
      ],
    },
  },
  {
    is: 'a clock that was set in between',
    says: 'alice (sudo, low)',
    evidence: { entries: sudo('alice', EDIT - 5, EDIT + 5, { direct: true }) },
    question: { window: aWindow({ clockHeld: false }) },
  },
  {
    is: 'a change time from before the file was clean',
    says: null,
    evidence: { files: [aFile({ ctime: NOON - 60 })], entries: sudo('alice', NOON - 100, END, { direct: true }) },
  },
  {
    is: 'cron on the file while somebody is logged in as root',
    says: 'cron sed (cron, low)',
    evidence: { entries: [...cron(EDIT - 1, EDIT + 1, true), ...ssh('root', EDIT - 60, EDIT + 60, {})] },
  },
  {
    is: 'some cron job while somebody is logged in as root',
    says: null,
    evidence: { entries: [...cron(EDIT - 1, EDIT + 1, false), ...ssh('root', EDIT - 60, EDIT + 60, {})] },
  },
  {
    is: 'an upgrade by unattended-upgrades while somebody is logged in as root',
    says: 'unattended-upgrade (dpkg rsyslog, low)',
    evidence: {
      packageRuns: [packageRun({ program: 'unattended-upgrade', names: ['rsyslog'], paths: [0] })],
      entries: [
        line(EDIT - 30, { kind: 'unit_starts', unit: 'apt-daily-upgrade.service' }, 1),
        line(EDIT + 30, { kind: 'unit_ends', unit: 'apt-daily-upgrade.service' }, 1),
        ...ssh('root', EDIT - 60, EDIT + 60, {}),
      ],
    },
  },
  {
    is: 'an upgrade of other packages while somebody is logged in as root',
    says: null,
    evidence: {
      packageRuns: [packageRun({ program: 'apt-get' })],
      entries: ssh('root', EDIT - 60, EDIT + 60, {}),
    },
  },
  {
    is: 'a deploy while somebody is logged in as root',
    says: 'ansible (deploy, low)',
    evidence: { entries: ssh('root', EDIT - 60, EDIT + 60, {}) },
    question: { deploys: [{ from: EDIT - 20, to: EDIT + 20, by: null }] },
  },
  {
    is: 'the check itself, which logs what a deploy would log',
    says: null,
    evidence: {
      entries: [
        ...ssh('root', EDIT - 10, EDIT + 10, { key: OUR_KEY }),
        line(EDIT - 1, { kind: 'ansible', module: 'copy', paths: [0] }, 40),
      ],
    },
    question: { ownChecks: [{ from: EDIT - 12, to: EDIT + 12 }] },
  },
  {
    is: 'somebody else who came and went while the check ran',
    says: 'root by key SHA256:bbbbbbbbbbbb… (ssh, medium)',
    evidence: {
      connection: { from: '10.0.0.5', port: 4_000 },
      entries: [
        ...ssh('root', END - 5, null, { key: OUR_KEY, port: 4_000, from: '10.0.0.5', pid: 60 }),
        ...ssh('root', EDIT - 10, EDIT + 10, { key: OUR_KEY, port: 3_999, from: '10.0.0.5', pid: 61 }),
        ...ssh('root', EDIT - 5, EDIT + 5, { key: BOBS_KEY, port: 5_000, from: '10.0.0.9', pid: 62 }),
      ],
    },
    question: { ownChecks: [{ from: EDIT - 12, to: EDIT + 12 }] },
  },
  {
    is: 'our own connection, which has been there all the time',
    says: null,
    evidence: {
      connection: { from: '10.0.0.5', port: 4_000 },
      entries: [
        ...ssh('deploy', NOON + 5, null, { key: OUR_KEY, port: 4_000, from: '10.0.0.5' }),
        line(NOON + 6, { kind: 'sudo', user: 'deploy', as: 'root', program: 'python3', paths: [] }, 77),
      ],
    },
  },
  {
    is: "a deploy by Ansible, of which sudo's line is a part",
    says: 'deploy (ansible, medium)',
    evidence: {
      entries: [
        ...ssh('deploy', EDIT - 10, EDIT + 10, { key: OUR_KEY }),
        ...sudo('deploy', EDIT - 2, EDIT + 2),
        line(EDIT - 1, { kind: 'ansible', module: 'copy', paths: [0] }, 40),
      ],
    },
  },
  {
    is: 'an account that two people share',
    says: 'alice (sudo, medium)',
    evidence: {
      entries: [
        ...ssh('alice', EDIT - 100, EDIT + 100, { key: ALICES_KEY, pid: 20 }),
        ...ssh('alice', EDIT - 100, EDIT + 100, { key: BOBS_KEY, port: 5_001, pid: 21 }),
        ...sudo('alice', EDIT - 2, EDIT + 2),
      ],
    },
    question: {
      people: new Map([
        [ALICES_KEY, 'Alice'],
        [BOBS_KEY, 'Bob'],
      ]),
    },
  },
  {
    is: "somebody else's key on an account",
    says: 'Bob (sudo, medium)',
    evidence: {
      entries: [
        ...ssh('alice', EDIT - 100, EDIT + 100, { key: BOBS_KEY, pid: 20 }),
        ...sudo('alice', EDIT - 2, EDIT + 2),
      ],
    },
    question: { people: new Map([[BOBS_KEY, 'Bob']]) },
  },
  {
    is: 'logs that we may not read',
    says: 'alice (login, low)',
    evidence: {
      sources: [{ name: 'auth', state: 'unreadable', since: null }],
      logins: [login('alice', 'pts/0', '10.0.0.7', EDIT - 60, EDIT + 60)],
    },
  },
  {
    is: 'somebody without any right to the file',
    says: null,
    evidence: { logins: [login('alice', 'pts/0', '10.0.0.7', EDIT - 60, EDIT + 60)] },
  },
  {
    is: 'sudo to somebody who is not root',
    says: null,
    evidence: { entries: sudo('alice', EDIT - 60, EDIT + 60, { as: 'postgres' }) },
  },
  {
    is: 'a time of writing that was put into the session of somebody else',
    says: 'alice (sudo, low)',
    evidence: {
      files: [aFile({ mtime: EDIT - 1_000 })],
      entries: [...sudo('alice', EDIT - 60, EDIT + 60), ...sudo('bob', EDIT - 1_060, EDIT - 940, { pid: 31 })],
    },
  },
  {
    is: 'an hour that the clock shows twice',
    says: null,
    evidence: {
      entries: [
        ...sudo('alice', EDIT - 60, EDIT + 60),
        ...sudo('bob', EDIT - HOUR - 60, EDIT - HOUR + 60, { pid: 31, slack: HOUR }),
      ],
    },
  },
  {
    is: 'a deletion at an unknown time, with somebody there for a while',
    says: 'alice (sudo, low)',
    evidence: { files: [missing(EDIT + 600)], entries: sudo('alice', EDIT - 60, EDIT + 60) },
    question: { change: 'missing' },
  },
  {
    is: 'two who were both recorded at the file',
    says: 'alice (audit, low)',
    evidence: { audit: anAudit([anEvent({ at: EDIT - 60, auid: 1002 }), anEvent({})]) },
  },
  {
    is: 'a record that does not account for the last change',
    says: null,
    evidence: { audit: anAudit([anEvent({ at: EDIT - 60 })]) },
  },
  {
    is: 'a rule that leaves out daemons',
    says: 'alice (audit, medium)',
    evidence: { audit: { ...anAudit([anEvent({})]), rules: [aRule({ plain: false })] } },
  },
  {
    is: 'an audit log that does not reach back',
    says: 'alice (audit, medium)',
    evidence: { audit: { ...anAudit([anEvent({})]), unbroken: false } },
  },
  {
    is: 'a kernel that lost records',
    says: 'alice (audit, medium)',
    evidence: { audit: { ...anAudit([anEvent({})]), lost: 3 } },
  },
  {
    is: 'a file with a second name, by which anybody writes unseen',
    says: 'alice (audit, medium)',
    evidence: { audit: anAudit([anEvent({})]) },
    question: { window: aWindow({ linksAtStart: 2 }) },
  },
  {
    is: 'a change of mode, where the content differs',
    says: 'alice (audit, medium)',
    evidence: { audit: anAudit([anEvent({ act: 'attr' })]) },
  },
  {
    is: 'a process of the system that was recorded while somebody was logged in as root',
    says: 'puppet (audit, low)',
    evidence: {
      audit: anAudit([anEvent({ auid: null, program: 'puppet' })]),
      entries: ssh('root', EDIT - 60, EDIT + 60, {}),
    },
  },
  {
    is: 'an audited write under a clock that was set',
    says: 'alice (audit, low)',
    evidence: { audit: anAudit([anEvent({})]) },
    question: { window: aWindow({ clockHeld: false }) },
  },
  {
    is: 'a rule that sees changes of mode only, and not the file that was put there before',
    says: 'alice (audit, medium)',
    evidence: { audit: { ...anAudit([anEvent({ act: 'attr' })]), rules: [aRule({ perm: 'a' })] } },
    question: { change: 'metadata' },
  },
  {
    is: 'a record of just before the last change',
    says: 'alice (audit, medium)',
    evidence: { files: [aFile({ mtime: EDIT, ctime: EDIT + 1.9 })], audit: anAudit([anEvent({})]) },
  },
  {
    is: 'a record of a file that was replaced since',
    says: 'alice (audit, medium)',
    evidence: { files: [aFile({ inode: '11' })], audit: anAudit([anEvent({})]) },
  },
  {
    is: 'a new file with a second name',
    says: 'alice (audit, medium)',
    evidence: { files: [aFile({ links: 2 })], audit: anAudit([anEvent({ act: 'create' })]) },
    question: { change: 'extra' },
  },
  {
    is: 'a file that went with its directory, after it was written',
    says: 'alice (audit, medium)',
    evidence: { files: [missing(EDIT)], audit: anAudit([anEvent({})]) },
    question: { change: 'missing' },
  },
  {
    is: 'a link that was made, by which anybody writes unseen',
    says: 'alice (audit, medium)',
    evidence: { audit: anAudit([anEvent({ at: EDIT - 60, act: 'link' }), anEvent({})]) },
  },
  {
    is: 'a log of logins that does not reach back',
    says: 'alice (sudo, low)',
    evidence: {
      entries: sudo('alice', EDIT - 5, EDIT + 5, { direct: true }),
      sources: [{ name: 'journal', state: 'partial', since: EDIT - 60 }],
    },
  },
  {
    is: 'a watch that began later',
    says: 'alice (fanotify, medium)',
    evidence: {},
    question: { live: { since: NOON + 60, gaps: false, events: [watched('alice', 1001)] } },
  },
  {
    is: 'a watch that saw somebody else than the audit log',
    says: 'alice (fanotify, low)',
    evidence: { audit: anAudit([anEvent({ at: EDIT - 60, auid: 1002 })]) },
    question: { live: { since: NOON - 60, gaps: false, events: [watched('alice', 1001)] } },
  },
  {
    is: 'a watch that dropped an event',
    says: 'alice (fanotify, medium)',
    evidence: {},
    question: { live: { since: NOON - 60, gaps: true, events: [watched('alice', 1001)] } },
  },
]

describe('judgeBlame', () => {
  for (const { is, says, evidence, question } of [...PLAIN, ...MISLEADING]) {
    it(`${says === null ? 'names nobody' : `says "${says}"`} for ${is}`, () => {
      const blame = judgeBlame(anEvidence(evidence), aQuestion(question))

      assert.equal(blame && modifiedBy(blame), says, blame?.because)
    })
  }

  it('takes no name from a host that could forge the text around it', () => {
    const entries = sudo('root (audit, high)\x1b[2J\u202e', EDIT - 5, EDIT + 5, { direct: true })
    const blame = judgeBlame(anEvidence({ entries }), aQuestion())

    assert.equal(blame && modifiedBy(blame), 'root _audit_ high_\\x1b[2J\\xe2\\x80\\xae (sudo, medium)')
  })

  it('is never high for somebody while anybody else changed the file', () => {
    let highs = 0
    fc.assert(
      fc.property(aHistory, (history) => {
        const blame = judgeBlame(history.evidence, history.question)
        if (blame?.confidence !== 'high') return
        highs += 1
        assert.deepEqual([...new Set(history.editors)], [blame.actor])
      }),
      { numRuns: 20_000 },
    )
    // Who never says anything is never wrong.
    assert.ok(highs > 100, `${highs} of 20,000 were high`)
  })
})

// ---------------------------------------------------------------- a host on which people and daemons edit a file

const PEOPLE = [
  { name: 'alice', auid: 1001 },
  { name: 'bob', auid: 1002 },
  { name: 'a daemon', auid: null },
] as const

const anAct = fc.record({
  at: fc.oneof(fc.integer({ min: 1, max: 5_999 }), fc.integer({ min: 2_999, max: 3_001 })),
  who: fc.constantFrom(0, 0, 0, 1, 2),
  how: fc.constantFrom(
    'write',
    'write',
    'replace',
    'chmod',
    'touch back',
    'link',
    'unlink',
    'write by the other name',
    'late write',
    'delete',
  ),
})

/** What happens to a file, and what an audit log of that quality tells of it afterwards. */
const aHistory = fc
  .record({
    acts: fc.array(anAct, { minLength: 1, maxLength: 4 }),
    rule: fc.constantFrom('everybody', 'everybody', 'people only', 'attributes only', 'since the middle'),
    drops: fc.constantFrom(null, null, 0, 1),
    clockStep: fc.constantFrom(0, 0, 0, -2_000, 40),
    hadOtherName: fc.constantFrom(false, false, true),
    knowsLinks: fc.boolean(),
    bystander: fc.boolean(),
  })
  .map(({ acts, rule, drops, clockStep, hadOtherName, knowsLinks, bystander }) => {
    const state = { ctime: NOON - 100, mtime: NOON - 100, inode: 10, there: true, other: hadOtherName ? 10 : null }
    const editors: string[] = []
    const events: AuditEvent[] = []
    const linksAtStart = hadOtherName ? 2 : 1
    function record(at: number, who: number, act: AuditEvent['act']) {
      const auid = PEOPLE[who]?.auid ?? null
      if (rule === 'people only' && auid === null) return
      if (rule === 'attributes only' && act !== 'attr') return
      if (rule === 'since the middle' && at < NOON + 3_000) return
      events.push(anEvent({ at, auid, act, inode: String(state.inode) }))
    }
    for (const { at: offset, who, how } of [...acts].sort((one, other) => one.at - other.at)) {
      const at = NOON + offset + (offset > 2_500 ? clockStep : 0)
      const name = PEOPLE[who]?.name ?? '?'
      if (how === 'delete') {
        if (!state.there) continue
        record(at, who, 'delete')
        state.there = false
        // That it is gone is this one's doing alone.
        editors.length = 0
      } else if (how === 'write by the other name') {
        // Not recorded: the other name lies where nobody looks.
        if (state.other === null) continue
        if (state.there && state.other === state.inode) state.mtime = state.ctime = at
        else continue
      } else if (how === 'link') {
        if (!state.there || state.other !== null) continue
        record(at, who, 'link')
        state.other = state.inode
        state.ctime = at
        continue
      } else if (how === 'unlink') {
        if (state.other === state.inode) state.ctime = at
        state.other = null
        continue
      } else if (how === 'replace' || !state.there) {
        state.inode += 1
        record(at, who, 'create')
        state.mtime = state.ctime = at
        state.there = true
      } else if (how === 'chmod') {
        record(at, who, 'attr')
        state.ctime = at
      } else if (how === 'touch back') {
        // utimes is not among what a watch records.
        record(at, who, 'write')
        state.mtime = NOON - 5_000
        state.ctime = at
      } else {
        record(at, who, 'write')
        state.mtime = state.ctime = how === 'late write' ? at + 30 : at
      }
      editors.push(name)
    }
    const kept = drops === null ? events : events.filter((_, index) => index !== drops)
    const isSplit = state.other !== null && state.other === state.inode
    const file: BlamedFile = state.there
      ? aFile({ ctime: state.ctime, mtime: state.mtime, inode: String(state.inode), links: isSplit ? 2 : 1 })
      : missing(state.ctime)
    const change = state.there ? ('modified' as const) : ('missing' as const)
    return {
      editors,
      evidence: anEvidence({
        files: [file],
        entries: bystander ? sudo('bob', NOON + 2_000, NOON + 4_000) : [],
        audit: {
          ...anAudit(kept),
          unbroken: rule !== 'since the middle',
          lost: drops === null ? 0 : 1,
          rules: [aRule({ plain: rule !== 'people only', perm: rule === 'attributes only' ? 'a' : 'wa' })],
        },
      }),
      question: aQuestion({
        change,
        window: aWindow({ clockHeld: clockStep === 0, linksAtStart: knowsLinks ? linksAtStart : null }),
      }),
    }
  })

// ---------------------------------------------------------------- builders

function anEvidence(parts: Partial<BlameEvidence> = {}): BlameEvidence {
  return {
    clock: { realtime: BigInt(END) * 1_000_000_000n, boottime: 1n, bootId: 'b' },
    uid: 0,
    connection: null,
    users: new Map([
      [0, 'root'],
      [1001, 'alice'],
      [1002, 'bob'],
      [1003, 'carol'],
    ]),
    files: [aFile({})],
    sources: [{ name: 'journal', state: 'read', since: NOON - HOUR }],
    logins: [],
    entries: [],
    packageRuns: [],
    audit: { ...anAudit([]), rules: [], unbroken: false, lost: null },
    ...parts,
  }
}

function aQuestion(parts: Partial<BlameQuestion> = {}): BlameQuestion {
  return {
    file: 0,
    change: 'modified',
    window: aWindow(),
    people: new Map(),
    ownChecks: [],
    deploys: [],
    live: null,
    ...parts,
  }
}

function aWindow(parts: Partial<BlameQuestion['window']> = {}) {
  return { after: NOON, before: END, clockHeld: true, linksAtStart: 1, ...parts }
}

function aFile(parts: Partial<Extract<BlamedFile, { kind: 'there' }>>): BlamedFile {
  const ctime = parts.ctime ?? EDIT + 0.01
  return { kind: 'there', uid: 0, ctime, mtime: ctime, inode: '10', links: 1, directoryMtime: ctime, ...parts }
}

function missing(directoryMtime: number): BlamedFile {
  return { kind: 'missing', directoryMtime }
}

function line(at: number, facts: LogFacts, pid: number, { trusted = true, slack = 0 } = {}): LogEntry {
  return { ...facts, at, slack, pid, trusted }
}

function closed(service: string, user: string): LogFacts {
  return { kind: 'closed', service, user }
}

function sudo(
  user: string,
  from: number,
  to: number,
  { direct = false, trusted = true, pid = 30, as = 'root', slack = 0 } = {},
): LogEntry[] {
  return [
    line(from, { kind: 'sudo', user, as, program: 'vi', paths: direct ? [0] : [] }, pid, { trusted, slack }),
    line(to, closed('sudo', as), pid, { trusted, slack }),
  ]
}

function ssh(
  user: string,
  at: number,
  to: number | null,
  { key = BOBS_KEY, port = 5_000, from = '10.0.0.7', pid = 20 },
): LogEntry[] {
  const accepted = line(at, { kind: 'ssh_accepted', user, from, port, key }, pid)
  return to === null ? [accepted] : [accepted, line(to, { kind: 'ssh_closed', from, port }, pid + 1_000)]
}

function cron(from: number, to: number, direct: boolean): LogEntry[] {
  return [
    line(from, { kind: 'opened', service: 'cron', user: 'root' }, 50),
    line(from, { kind: 'cron', user: 'root', program: 'sed', paths: direct ? [0] : [] }, 51),
    line(to, closed('cron', 'root'), 50),
  ]
}

function login(user: string, tty: string, host: string, from: number, to: number | null) {
  return { user, line: tty, host, from, to }
}

function packageRun(parts: Partial<PackageRun>): PackageRun {
  return {
    tool: 'dpkg',
    from: EDIT - 10,
    to: EDIT + 10,
    slack: 1,
    names: [],
    paths: [],
    user: null,
    program: null,
    ...parts,
  }
}

function anEvent(parts: Partial<AuditEvent>): AuditEvent {
  return {
    at: EDIT,
    file: 0,
    act: 'write',
    inode: '10',
    auid: 1001,
    session: null,
    program: 'sed',
    key: 'gitops',
    ...parts,
  }
}

function anAudit(events: readonly AuditEvent[]): BlameEvidence['audit'] {
  return { events, unbroken: true, lost: 0, rules: [aRule({})], logins: [] }
}

function aRule(parts: Partial<BlameEvidence['audit']['rules'][number]>) {
  return { path: '/etc', perm: 'wa', key: 'gitops', plain: true, ...parts }
}

function watched(user: string, loginuid: number) {
  return { at: EDIT, file: 0, act: 'write' as const, program: 'vi', loginuid, user }
}
