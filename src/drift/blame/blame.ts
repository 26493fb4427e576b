import { escapeText } from '../file-name.ts'
import type { AuditEvent, BlamedFile, BlameEvidence, LiveWatch, LogEntry, Login } from './blame-evidence.ts'
import type { People } from './people.ts'

export type Confidence = 'high' | 'medium' | 'low'

export interface Blame {
  /** A person, where the evidence leads to one; else an account or a program. */
  readonly actor: string
  /** By which trace, in a word or two: "sudo", "audit", "dpkg rsyslog". */
  readonly via: string
  readonly confidence: Confidence
  readonly because: string
}

/** What is asked of one file. Every time is by the host's clock, in seconds since 1970. */
export interface BlameQuestion {
  /** Its place in the evidence. */
  readonly file: number
  readonly change: 'modified' | 'missing' | 'extra' | 'metadata'
  readonly window: OnsetWindow
  readonly people: People
  /** When our own checks were on the host: what their logins did then is no edit. */
  readonly ownChecks: readonly Span[]
  /** Roll-outs that were recorded where they ran, with who started them if that is known. */
  readonly deploys: readonly (Span & { readonly by: string | null })[]
  readonly live: LiveWatch | null
}

/** The file was as it should be at `after`, and no longer at `before`. */
export interface OnsetWindow {
  readonly after: number
  readonly before: number
  /** Nobody has set the host's clock in between, as far as its boot time tells. */
  readonly clockHeld: boolean
  /** How many names the file had at `after`; null when that is not known. */
  readonly linksAtStart: number | null
}

export interface Span {
  readonly from: number
  readonly to: number
}

// Logs are written a little after what they tell of, and the kernel's own stamps jump from tick to tick.
const CLOSE_S = 2
// An audited write and the change time that it left. Whoever keeps a file open for longer is not told from the next.
const SAME_ACT_S = 1
const TICK_S = 0.05
// From sshd's line to the login session that PAM opens for it, and to the sudo that our own look begins with.
const LOGIN_S = 15

/**
 * Who changed a file, as far as the evidence carries. Null when it leads nowhere or to several as well: a wrong name
 * costs more than none. `high` takes the kernel's own word on this very change; everything that is concluded from who
 * was there at the time is `medium` at most.
 */
export function judgeBlame(evidence: BlameEvidence, question: BlameQuestion): Blame | null {
  const { window } = question
  const file = evidence.files[question.file]
  if (file === undefined || file.kind === 'unreadable' || !(window.after < window.before)) return null
  const moment = momentOf(file, question)
  if (moment === null) return null

  const recorded = recordedActs(evidence, question)
  const proven = provenBy(recorded, file, evidence, question, moment)
  if (proven !== null) return proven
  const blame = concluded(candidatesFor(evidence, question, file, moment, recorded), evidence, question, moment)
  const several = new Set(recorded.map(({ uid }) => uid)).size > 1
  return blame !== null && several
    ? { ...blame, confidence: 'low', because: `${blame.because}; others as well` }
    : blame
}

/** The short text of `files[].modified_by`: "alice (sudo, medium)". */
export function modifiedBy({ actor, via, confidence }: Blame): string {
  return `${plain(actor)} (${plain(via)}, ${confidence})`
}

// Names come from the host. Brackets and commas part the text's three words.
const MAX_NAME = 128

function plain(name: string): string {
  const shown = escapeText(name.replace(/[(),]/g, '_')).slice(0, MAX_NAME).toWellFormed()
  return shown === '' ? '?' : shown
}

/** When it can have been, at the least and at the most, and when the content was written, if that was another time. */
interface Moment extends Span {
  readonly content: number | null
}

function momentOf(file: Exclude<BlamedFile, { kind: 'unreadable' }>, { window, change }: BlameQuestion): Moment | null {
  if (file.kind === 'missing') {
    const { directoryMtime } = file
    // The name left its directory; what happened there afterwards may be something else.
    const last = directoryMtime !== null && directoryMtime <= window.before ? directoryMtime : window.before
    return last < window.after - CLOSE_S ? null : { from: window.after, to: last, content: null }
  }
  // A file that did not change in the window cannot have been changed in it: the clock was set, or a directory above
  // was put in its place.
  if (file.ctime < window.after - TICK_S || file.ctime > window.before + CLOSE_S) return null
  const isEarlier = file.mtime >= window.after && file.ctime - file.mtime > CLOSE_S
  return { from: file.ctime, to: file.ctime, content: isEarlier && change !== 'metadata' ? file.mtime : null }
}

/** What the kernel recorded of this file in the window, by one way or the other. */
interface RecordedAct {
  readonly at: number
  readonly act: AuditEvent['act']
  readonly via: 'audit' | 'fanotify'
  readonly user: string | null
  readonly uid: number | null
  readonly session: number | null
  readonly program: string
  readonly inode: string | null
  readonly key: string | null
}

function recordedActs(evidence: BlameEvidence, { file, window, live }: BlameQuestion): readonly RecordedAct[] {
  const isInside = ({ at }: { at: number }) => at >= window.after - TICK_S && at <= window.before + CLOSE_S
  const audited = evidence.audit.events
    .filter((event) => event.file === file && isInside(event))
    .map((event): RecordedAct => {
      const user = event.auid === null ? null : (evidence.users.get(event.auid) ?? `uid ${event.auid}`)
      return { ...event, via: 'audit', uid: event.auid, user }
    })
  const watched = (live?.events ?? [])
    .filter((event) => event.file === file && isInside(event))
    .map((event): RecordedAct => {
      const user = event.loginuid === null ? null : (event.user ?? `uid ${event.loginuid}`)
      return { ...event, via: 'fanotify', uid: event.loginuid, user, session: null, inode: null, key: null }
    })
  return [...audited, ...watched].sort((one, other) => one.at - other.at)
}

/** High, but for whom only sshd's log leads to; or null. Each condition closes a way to a wrong name. */
function provenBy(
  acts: readonly RecordedAct[],
  file: BlamedFile,
  evidence: BlameEvidence,
  question: BlameQuestion,
  moment: Moment,
): Blame | null {
  const { window } = question
  // Two people, or one and a process of the system: the last one is not the one who must have made the difference.
  if (new Set(acts.map(({ uid }) => uid)).size !== 1 || !window.clockHeld) return null
  for (const via of ['audit', 'fanotify'] as const) {
    const recorded = acts.filter((act) => act.via === via)
    const last = recorded.at(-1)
    if (last === undefined || last.uid === null || last.user === null) continue
    if (recorded.some(({ act }) => act === 'other' || act === 'link' || act === 'move')) continue
    if (!trailIsWhole(last, evidence, question) || !explainsFile(recorded, last, file, question, moment)) continue

    const holder = last.uid === 0 ? keyHolder(last, evidence, question) : null
    if (holder !== null) {
      // The record proves root; that it was this key's login is sshd's log alone.
      const because = `${via} recorded ${last.program} of a login as root, which sshd let in by the key of ${holder}`
      return { actor: holder, via: `${via} + ssh`, confidence: 'medium', because }
    }
    const because = `${via} recorded ${last.program} of login ${last.user} at the second of the change, and nobody else`
    return { actor: last.user, via, confidence: 'high', because }
  }
  return null
}

/** Whose key opened the login session that the record names. */
function keyHolder({ session }: RecordedAct, evidence: BlameEvidence, question: BlameQuestion): string | null {
  const login = evidence.audit.logins.filter((one) => one.session === session).at(-1)
  if (session === null || login === undefined) return null
  const found = sshSessions(evidence, question).find(
    ({ pid, known, from }) => known && pid === login.pid && Math.abs(from - login.at) <= LOGIN_S,
  )
  return found?.person ?? null
}

function trailIsWhole(last: RecordedAct, { audit }: BlameEvidence, { window, live }: BlameQuestion): boolean {
  if (last.via === 'fanotify') return live !== null && live.since <= window.after && !live.gaps
  // The rule stands now and none was changed in the window, so it stood all the time. One that leaves out daemons or
  // root, as many do, has not seen who else wrote.
  const sawAll = audit.rules.some(
    ({ key, plain, perm }) => plain && key === last.key && perm.includes('w') && perm.includes('a'),
  )
  return audit.unbroken && audit.lost === 0 && sawAll
}

/** The acts account for how the file looks now: nobody came after them, and nothing came in by another way. */
function explainsFile(
  acts: readonly RecordedAct[],
  last: RecordedAct,
  file: BlamedFile,
  { change, window }: BlameQuestion,
  moment: Moment,
): boolean {
  if (file.kind === 'missing') return last.act === 'delete'
  if (file.kind !== 'there') return false
  const left = (time: number, { at }: RecordedAct) => time >= at - TICK_S && time <= at + SAME_ACT_S
  if (!left(file.ctime, last) || moment.content !== null) return false
  const madeIt = acts.some(({ act, inode }) => act === 'create' && (inode === null || inode === file.inode))
  if (last.inode !== null && last.inode !== file.inode) return false
  // Through a second name anybody can write without a record (seen: a watch on a directory does not follow the inode).
  // What came in that way is also in the new file that an editor makes of the old one.
  if (file.links !== 1) return false
  if (change === 'extra') return madeIt
  if (window.linksAtStart !== 1) return false
  if (change === 'metadata') return acts.some(({ act }) => act === 'attr' || act === 'create')
  return madeIt || acts.some((act) => act.act === 'write' && left(file.mtime, act))
}

/** Somebody, or something, that was there when it happened and could have done it. */
interface Candidate extends Span {
  /** Equal for two traces of the same. */
  readonly actor: string
  readonly via: string
  /** It names the file. Being there is less. */
  readonly direct: boolean
  /** No user of the host can have made it up. */
  readonly sound: boolean
  /** Its end is known. */
  readonly ended: boolean
  readonly because: string
}

function candidatesFor(
  evidence: BlameEvidence,
  question: BlameQuestion,
  file: BlamedFile,
  moment: Moment,
  recorded: readonly RecordedAct[],
): readonly Candidate[] {
  const sessions = sshSessions(evidence, question)
  const all = [
    ...recorded.map((act) => fromRecord(act)),
    ...evidence.packageRuns.map((run): Candidate => {
      const direct = run.paths.includes(question.file)
      return {
        actor: run.user ?? run.program ?? run.tool,
        via: direct && run.names[0] !== undefined ? `${run.tool} ${run.names[0]}` : run.tool,
        from: run.from,
        to: run.to + run.slack,
        direct,
        sound: true,
        ended: true,
        because: direct ? `${run.tool} changed a package that owns the file` : `${run.tool} was at work`,
      }
    }),
    ...question.deploys.map(
      ({ from, to, by }): Candidate => ({
        actor: by ?? 'ansible',
        via: 'deploy',
        from,
        to,
        direct: true,
        sound: true,
        ended: true,
        because: 'a roll-out was recorded at that time',
      }),
    ),
    ...sudoCandidates(evidence, question, file, sessions),
    ...jobCandidates(evidence, question),
    ...ansibleCandidates(evidence, question, sessions),
    ...loginCandidates(evidence, question, file, sessions),
  ]
  // Who had gone while the file was still as it should be is out of the question.
  return merged(all.filter((candidate) => candidate.to >= question.window.after && covers(candidate, moment)))
}

function covers({ from, to }: Span, moment: Span): boolean {
  return from - CLOSE_S <= moment.to && to + CLOSE_S >= moment.from
}

function fromRecord({ at, user, via, program }: RecordedAct): Candidate {
  return {
    actor: user ?? program,
    via,
    from: at,
    to: at + CLOSE_S,
    direct: true,
    sound: true,
    ended: true,
    because: `${program} was recorded at work on the file`,
  }
}

interface SshSession extends Span {
  readonly user: string
  /** Who holds the key; else the account with what tells it from others. */
  readonly person: string
  readonly known: boolean
  readonly pid: number | null
  readonly ended: boolean
  readonly sound: boolean
}

/** Sessions by sshd's lines, without those of our own checks. */
function sshSessions(evidence: BlameEvidence, question: BlameQuestion): readonly SshSession[] {
  const { entries } = evidence
  const own = ownLogin(evidence)
  return entries.flatMap((entry): SshSession[] => {
    if (entry.kind !== 'ssh_accepted') return []
    if (entry === own) return []
    const end = entries.find(
      (other) =>
        other.at >= entry.at &&
        ((other.kind === 'ssh_closed' && other.from === entry.from && other.port === entry.port) ||
          (other.kind === 'closed' && other.service === 'sshd' && entry.pid !== null && other.pid === entry.pid)),
    )
    const to = end === undefined ? Number.POSITIVE_INFINITY : end.at + end.slack
    // Whoever else came and went while we checked is no part of the check.
    const mayBeOwn = own === null || entry.key === own.key
    const isInside = question.ownChecks.some((check) => check.from - CLOSE_S <= entry.at && to <= check.to + CLOSE_S)
    if (mayBeOwn && isInside) return []
    const name = entry.key === null ? undefined : question.people.get(entry.key)
    const unnamed = entry.key === null ? `${entry.user} from ${entry.from}` : `${entry.user} by key ${entry.key}`
    return [
      {
        user: entry.user,
        person: name ?? (entry.user === 'root' ? unnamed : entry.user),
        known: name !== undefined,
        pid: entry.pid,
        from: entry.at,
        to,
        ended: end !== undefined,
        sound: entry.trusted || hasLogin(evidence, entry.user, entry.at, entry.slack),
      },
    ]
  })
}

/** The login by which the host was asked. */
function ownLogin({ entries, connection }: BlameEvidence): Extract<LogEntry, { kind: 'ssh_accepted' }> | null {
  for (const entry of entries) {
    if (entry.kind !== 'ssh_accepted') continue
    if (entry.from === connection?.from && entry.port === connection.port) return entry
  }
  return null
}

/** wtmp, which users cannot write, knows of a login of this account at that time. */
function hasLogin({ logins }: BlameEvidence, user: string, at: number, slack: number): boolean {
  return logins.some(
    (login) => login.user === user && login.from - CLOSE_S <= at + slack && (login.to ?? at) + CLOSE_S >= at,
  )
}

/** The one holder of a key who was logged in to the account then; the account itself when that is not one. */
function personOf(user: string, at: number, sessions: readonly SshSession[]): string {
  const people = new Set(
    sessions.filter((session) => session.user === user && covers(session, { from: at, to: at })).map((s) => s.person),
  )
  const [person] = people
  return people.size === 1 && person !== undefined ? person : user
}

function sudoCandidates(
  evidence: BlameEvidence,
  question: BlameQuestion,
  file: BlamedFile,
  sessions: readonly SshSession[],
): readonly Candidate[] {
  const { entries } = evidence
  return entries.flatMap((entry): Candidate[] => {
    if (entry.kind !== 'sudo' && entry.kind !== 'su') return []
    if (!mayWrite(entry.as, file, evidence) || entry.user === 'root') return []
    if (isOwn(entry, evidence, question, sessions)) return []
    const end = endOfSudo(entry, entries)
    const direct = entry.kind === 'sudo' && entry.paths.includes(question.file)
    const program = entry.kind === 'sudo' ? entry.program : 'su'
    return [
      {
        actor: personOf(entry.user, entry.at, sessions),
        via: entry.kind,
        from: entry.at,
        to: end === undefined ? Number.POSITIVE_INFINITY : end.at + end.slack,
        direct,
        sound: entry.trusted || hasLogin(evidence, entry.user, entry.at, entry.slack),
        ended: end !== undefined,
        because: `${entry.user} ran ${program} as ${entry.as}${direct ? ' on this file' : ' at that time'}`,
      },
    ]
  })
}

/** Where the log has no process ids, as Debian's has none for sudo, a second sudo in between leaves the end unknown. */
function endOfSudo(entry: LogEntry & { readonly as: string }, entries: readonly LogEntry[]): LogEntry | undefined {
  for (const other of entries.slice(entries.indexOf(entry) + 1)) {
    if (other.kind === entry.kind && other.pid === null && entry.pid === null) return undefined
    if (other.kind !== 'closed' || !other.service.startsWith(entry.kind) || other.user !== entry.as) continue
    if (other.pid === entry.pid) return other
  }
  return undefined
}

/** Root may write everything, and the owner the file. */
function mayWrite(user: string, file: BlamedFile, { users }: BlameEvidence): boolean {
  return user === 'root' || (file.kind === 'there' && file.uid !== 0 && users.get(file.uid) === user)
}

/** A line that we brought about: no other login of that account was there. */
function isOwn(
  entry: LogEntry & { readonly user?: string },
  evidence: BlameEvidence,
  { ownChecks }: BlameQuestion,
  sessions: readonly SshSession[],
): boolean {
  const own = ownLogin(evidence)
  const ownLogins = own === null ? [] : [{ from: own.at, to: own.at + own.slack + LOGIN_S }]
  const isDuring = [...ownChecks, ...ownLogins].some(
    ({ from, to }) => entry.at >= from - CLOSE_S && entry.at + entry.slack <= to + CLOSE_S,
  )
  const at = { from: entry.at, to: entry.at }
  return isDuring && !sessions.some(({ user, ...span }) => (entry.user ?? user) === user && covers(span, at))
}

// Nothing says when a job was over. Most are by then; a longer one is missed rather than blamed.
const LONGEST_JOB_S = 3_600

function jobCandidates(evidence: BlameEvidence, question: BlameQuestion): readonly Candidate[] {
  const { entries } = evidence
  return entries.flatMap((entry): Candidate[] => {
    const shared = { from: entry.at, sound: entry.trusted, direct: false }
    if (entry.kind === 'cron') {
      if (entry.user !== 'root') return []
      const end = endOfJob(entry, entries)
      const direct = entry.paths.includes(question.file)
      return [
        {
          ...shared,
          actor: `cron ${entry.program}`,
          via: 'cron',
          to: end ?? entry.at + LONGEST_JOB_S,
          direct,
          ended: end !== null,
          because: `cron ran ${entry.program} as root${direct ? ' on this file' : ' at that time'}`,
        },
      ]
    }
    if (entry.kind === 'unit_starts') {
      const end = entries.find(
        (other) => other.kind === 'unit_ends' && other.unit === entry.unit && other.at >= entry.at,
      )
      return [
        {
          ...shared,
          actor: entry.unit,
          via: 'systemd',
          // A daemon that starts writes while it starts: afterwards every unit of the host would be a candidate.
          to: end === undefined ? entry.at + CLOSE_S : Math.min(end.at + end.slack, entry.at + LONGEST_JOB_S),
          ended: end !== undefined,
          because: `systemd ran ${entry.unit} at that time`,
        },
      ]
    }
    if (entry.kind === 'cloud_init') {
      const to = entry.at + LONGEST_JOB_S
      return [
        { ...shared, actor: 'cloud-init', via: 'cloud-init', to, ended: false, because: 'cloud-init was at work' },
      ]
    }
    return []
  })
}

/** A job's line is of a child of the process that opened and closes its session. */
function endOfJob(job: LogEntry & { user: string }, entries: readonly LogEntry[]): number | null {
  const { pid } = job
  if (pid === null) return null
  const opened = entries.filter(
    (entry) =>
      entry.kind === 'opened' &&
      /^crond?$/.test(entry.service) &&
      entry.user === job.user &&
      Math.abs(entry.at - job.at) <= CLOSE_S &&
      entry.pid !== null &&
      entry.pid <= pid,
  )
  const nearest = Math.max(...opened.map((entry) => entry.pid ?? 0))
  const end = entries.find(({ kind, at, pid: closer }) => kind === 'closed' && closer === nearest && at >= job.at)
  return opened.length === 0 || end === undefined ? null : end.at + end.slack
}

// How long a module works after it has logged that it begins.
const MODULE_S = 30

function ansibleCandidates(
  evidence: BlameEvidence,
  question: BlameQuestion,
  sessions: readonly SshSession[],
): readonly Candidate[] {
  return evidence.entries.flatMap((entry): Candidate[] => {
    if (entry.kind !== 'ansible' || !entry.paths.includes(question.file)) return []
    // In check mode a module logs the same line.
    if (isOwn(entry, evidence, question, [])) return []
    const there = new Set(
      sessions.filter((session) => covers(session, { from: entry.at, to: entry.at })).map(({ person }) => person),
    )
    const [person] = there
    return [
      {
        actor: there.size === 1 && person !== undefined ? person : 'ansible',
        via: 'ansible',
        from: entry.at,
        to: entry.at + entry.slack + MODULE_S,
        direct: true,
        sound: entry.trusted,
        ended: true,
        because: `Ansible's ${entry.module} named the file`,
      },
    ]
  })
}

function loginCandidates(
  evidence: BlameEvidence,
  question: BlameQuestion,
  file: BlamedFile,
  sessions: readonly SshSession[],
): readonly Candidate[] {
  // Without the lines of sudo everybody who was there may have used it.
  const knowsSudo = knowsWhoWasThere(evidence)
  const bySsh = sessions
    .filter(({ user }) => mayWrite(user, file, evidence) || !knowsSudo)
    .map(
      ({ person, user, from, to, ended, sound }): Candidate => ({
        actor: person,
        via: 'ssh',
        from,
        to,
        direct: false,
        sound: sound && mayWrite(user, file, evidence),
        ended,
        because: `${user} was logged in by SSH`,
      }),
    )
  const byConsole = evidence.logins
    .filter(({ user, host, from }) => {
      const isSsh = evidence.entries.some(
        (entry) =>
          entry.kind === 'ssh_accepted' && entry.user === user && entry.from === host && Math.abs(entry.at - from) <= 5,
      )
      return !isSsh && (mayWrite(user, file, evidence) || !knowsSudo)
    })
    .filter((login) => !isOwnLogin(login, question))
    .map(
      ({ user, line, host, from, to }): Candidate => ({
        actor: host === '' || user !== 'root' ? user : `${user} from ${host}`,
        via: host === '' ? line : 'login',
        from,
        to: to ?? Number.POSITIVE_INFINITY,
        direct: false,
        sound: mayWrite(user, file, evidence),
        ended: to !== null,
        because: `${user} was logged in on ${line}`,
      }),
    )
  return [...bySsh, ...byConsole]
}

function isOwnLogin({ from, to }: Login, { ownChecks }: BlameQuestion): boolean {
  return to !== null && ownChecks.some((check) => check.from - CLOSE_S <= from && to <= check.to + CLOSE_S)
}

/** The log of logins was read as far back as the window. */
function knowsWhoWasThere({ sources }: BlameEvidence): boolean {
  return sources.some(({ name, state }) => (name === 'journal' || name === 'auth') && state === 'read')
}

/** One for each actor, with the best that there is of it. What runs inside something else is that. */
function merged(candidates: readonly Candidate[]): readonly Candidate[] {
  const upgrades = candidates.some(({ actor }) => actor === 'unattended-upgrade' || actor === 'unattended-upgrades')
  const byActor = new Map<string, Candidate>()
  for (const candidate of candidates) {
    // The timer's unit and what it runs are one.
    if (upgrades && /^(apt-daily.*|unattended-upgrades)\.service$/.test(candidate.actor)) continue
    const held = byActor.get(candidate.actor)
    if (held === undefined || rank(candidate) > rank(held)) byActor.set(candidate.actor, candidate)
  }
  return [...byActor.values()]
}

function rank({ direct, sound, ended }: Candidate): number {
  return (direct ? 4 : 0) + (sound ? 2 : 0) + (ended ? 1 : 0)
}

function concluded(
  candidates: readonly Candidate[],
  evidence: BlameEvidence,
  { window }: BlameQuestion,
  moment: Moment,
): Blame | null {
  const direct = candidates.filter((candidate) => candidate.direct)
  const [first, ...others] = direct.length > 0 ? direct : candidates
  if (first === undefined || others.length > 0) return null

  const alone = candidates.length === 1
  const isCertain =
    alone &&
    first.sound &&
    (first.direct || (first.ended && moment.from === moment.to)) &&
    window.clockHeld &&
    knowsWhoWasThere(evidence) &&
    (moment.content === null || covers(first, { from: moment.content, to: moment.content }))
  return {
    actor: first.actor,
    via: first.via,
    confidence: isCertain ? 'medium' : 'low',
    because: alone ? first.because : `${first.because}; others were there too`,
  }
}
