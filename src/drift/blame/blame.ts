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
  return judgeIn(sceneOf(evidence, question), question)
}

/** The same of several files. What does not depend on the file is found out once. */
export function judgeAll(
  evidence: BlameEvidence,
  setting: Setting,
  files: readonly Omit<BlameQuestion, keyof Setting>[],
): readonly (Blame | null)[] {
  const scene = sceneOf(evidence, setting)
  return files.map((file) => judgeIn(scene, { ...setting, ...file }))
}

export type Setting = Pick<BlameQuestion, 'people' | 'ownChecks' | 'live'>

function judgeIn(scene: Scene, question: BlameQuestion): Blame | null {
  const { evidence } = scene
  const { window } = question
  const file = evidence.files[question.file]
  if (file === undefined || file.kind === 'unreadable' || !(window.after < window.before)) return null
  const moment = momentOf(file, question)
  if (moment === null) return null

  const recorded = recordedActs(evidence, question)
  const proven = provenBy(recorded, file, scene, question, moment)
  if (proven !== null) return proven
  const blame = concluded(candidatesFor(scene, question, file, moment, recorded), evidence, question, moment)
  const several = new Set(recorded.map(({ uid }) => uid)).size > 1
  return blame !== null && several
    ? { ...blame, confidence: 'low', because: `${blame.because}; others as well` }
    : blame
}

/** The short text of `files[].modified_by`: "alice (sudo, medium)". */
export function modifiedBy({ actor, via, confidence }: Blame): string {
  return `${plain(actor.replace(FINGERPRINT, '$1…'))} (${plain(via)}, ${confidence})`
}

// A person compares its beginning with what ssh-keygen -l says. Whole it looks like a secret, and would be redacted.
const FINGERPRINT = /(SHA256:[A-Za-z0-9+/]{12})[A-Za-z0-9+/]{31}/

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
  scene: Scene,
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
    if (!trailIsWhole(last, scene.evidence, question) || !explainsFile(recorded, last, file, question, moment)) continue

    const holder = last.uid === 0 ? keyHolder(last, scene) : null
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
function keyHolder({ session }: RecordedAct, { evidence, sessions }: Scene): string | null {
  const login = evidence.audit.logins.filter((one) => one.session === session).at(-1)
  if (session === null || login === undefined) return null
  const found = sessions.find(
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
  scene: Scene,
  question: BlameQuestion,
  file: BlamedFile,
  moment: Moment,
  recorded: readonly RecordedAct[],
): readonly Candidate[] {
  const { evidence } = scene
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
    ...scene.becoming.flatMap(({ as, paths, ...one }): Candidate[] => {
      const direct = paths.includes(question.file)
      const because = `${one.because}${direct ? ' on this file' : ' at that time'}`
      return mayWrite(as, file, evidence) ? [{ ...one, direct, because }] : []
    }),
    ...scene.jobs.map(({ paths, ...one }): Candidate => {
      const direct = paths.includes(question.file)
      return { ...one, direct, because: `${one.because}${direct ? ' on this file' : ' at that time'}` }
    }),
    ...scene.modules.flatMap(({ paths, ...one }) => (paths.includes(question.file) ? [one] : [])),
    ...loginCandidates(scene, file),
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

/** What the evidence tells of the host, whichever file is asked about. */
interface Scene {
  readonly evidence: BlameEvidence
  /** By sshd's lines, without those of our own checks. */
  readonly sessions: readonly SshSession[]
  /** By wtmp, what did not come by SSH. */
  readonly consoles: readonly Login[]
  /** Who became somebody else by sudo or su. */
  readonly becoming: readonly (OfMany & { readonly as: string })[]
  /** What the host began by itself. */
  readonly jobs: readonly OfMany[]
  readonly modules: readonly (Candidate & { readonly paths: readonly number[] })[]
}

/** `direct` and the end of `because` depend on the file. */
type OfMany = Omit<Candidate, 'direct'> & { readonly paths: readonly number[] }

function sceneOf(evidence: BlameEvidence, setting: Setting): Scene {
  const own = ownLogin(evidence)
  const sessions = sshSessions(evidence, setting, own)
  return {
    evidence,
    sessions,
    consoles: consoleLogins(evidence, setting),
    becoming: sudoCandidates(evidence, setting, own, sessions),
    jobs: jobCandidates(evidence),
    modules: ansibleCandidates(evidence, setting, own, sessions),
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

type OwnLogin = Extract<LogEntry, { kind: 'ssh_accepted' }> | null

function sshSessions(evidence: BlameEvidence, setting: Setting, own: OwnLogin): readonly SshSession[] {
  const { entries } = evidence
  const ends = Map.groupBy(entries, (entry) => {
    if (entry.kind === 'ssh_closed') return `${entry.from} ${entry.port}`
    return entry.kind === 'closed' && entry.service === 'sshd' ? entry.pid : null
  })
  return entries.flatMap((entry): SshSession[] => {
    if (entry.kind !== 'ssh_accepted') return []
    if (entry === own) return []
    const endsHere = [
      ...(ends.get(`${entry.from} ${entry.port}`) ?? []),
      ...(entry.pid === null ? [] : (ends.get(entry.pid) ?? [])),
    ]
    const [end] = endsHere.filter((other) => other.at >= entry.at).sort((one, other) => one.at - other.at)
    const to = end === undefined ? Number.POSITIVE_INFINITY : end.at + end.slack
    // Whoever else came and went while we checked is no part of the check.
    const mayBeOwn = own === null || (entry.key === own.key && entry.user === own.user)
    const isInside = setting.ownChecks.some((check) => check.from - CLOSE_S <= entry.at && to <= check.to + CLOSE_S)
    if (mayBeOwn && isInside) return []
    const name = entry.key === null ? undefined : setting.people.get(entry.key)
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
function ownLogin({ entries, connection }: BlameEvidence): OwnLogin {
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
  setting: Setting,
  own: OwnLogin,
  sessions: readonly SshSession[],
): Scene['becoming'] {
  const { entries } = evidence
  return entries.flatMap((entry, index) => {
    if (entry.kind !== 'sudo' && entry.kind !== 'su') return []
    if (entry.user === 'root' || isOwn(entry, own, setting, sessions)) return []
    const end = endOfSudo(entry, entries, index)
    const program = entry.kind === 'sudo' ? entry.program : 'su'
    return [
      {
        actor: personOf(entry.user, entry.at, sessions),
        via: entry.kind,
        from: entry.at,
        to: end === undefined ? Number.POSITIVE_INFINITY : end.at + end.slack,
        as: entry.as,
        paths: entry.kind === 'sudo' ? entry.paths : [],
        sound: entry.trusted || hasLogin(evidence, entry.user, entry.at, entry.slack),
        ended: end !== undefined,
        because: `${entry.user} ran ${program} as ${entry.as}`,
      },
    ]
  })
}

/** Where the log has no process ids, as Debian's has none for sudo, a second sudo in between leaves the end unknown. */
function endOfSudo(
  entry: LogEntry & { readonly as: string },
  entries: readonly LogEntry[],
  index: number,
): LogEntry | undefined {
  for (const other of entries.slice(index + 1)) {
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
  own: OwnLogin,
  { ownChecks }: Setting,
  sessions: readonly SshSession[],
): boolean {
  if (own !== null && entry.user !== undefined && entry.user !== own.user) return false
  const ownLogins = own === null ? [] : [{ from: own.at, to: own.at + own.slack + LOGIN_S }]
  const isDuring = [...ownChecks, ...ownLogins].some(
    ({ from, to }) => entry.at >= from - CLOSE_S && entry.at + entry.slack <= to + CLOSE_S,
  )
  const at = { from: entry.at, to: entry.at }
  return isDuring && !sessions.some(({ user, ...span }) => (entry.user ?? user) === user && covers(span, at))
}

// Nothing says when a job was over. Most are by then; a longer one is missed rather than blamed.
const LONGEST_JOB_S = 3_600

function jobCandidates({ entries }: BlameEvidence): readonly OfMany[] {
  return entries.flatMap((entry): OfMany[] => {
    const shared = { from: entry.at, sound: entry.trusted, paths: [] }
    if (entry.kind === 'cron') {
      if (entry.user !== 'root') return []
      const end = endOfJob(entry, entries)
      return [
        {
          ...shared,
          paths: entry.paths,
          actor: `cron ${entry.program}`,
          via: 'cron',
          to: end ?? entry.at + LONGEST_JOB_S,
          ended: end !== null,
          because: `cron ran ${entry.program} as root`,
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
          because: `systemd ran ${entry.unit}`,
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
  { entries }: BlameEvidence,
  setting: Setting,
  own: OwnLogin,
  sessions: readonly SshSession[],
): Scene['modules'] {
  return entries.flatMap((entry) => {
    if (entry.kind !== 'ansible' || entry.paths.length === 0) return []
    // In check mode a module logs the same line.
    if (isOwn(entry, own, setting, [])) return []
    const there = new Set(
      sessions.filter((session) => covers(session, { from: entry.at, to: entry.at })).map(({ person }) => person),
    )
    const [person] = there
    return [
      {
        paths: entry.paths,
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

function consoleLogins({ logins, entries }: BlameEvidence, setting: Setting): readonly Login[] {
  const bySsh = Map.groupBy(entries, (entry) => (entry.kind === 'ssh_accepted' ? `${entry.user} ${entry.from}` : ''))
  return logins.filter((login) => {
    const { user, host, from } = login
    const isSsh = host !== '' && bySsh.get(`${user} ${host}`)?.some(({ at }) => Math.abs(at - from) <= 5)
    return !isSsh && !isOwnLogin(login, setting)
  })
}

function loginCandidates({ evidence, sessions, consoles }: Scene, file: BlamedFile): readonly Candidate[] {
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
  const byConsole = consoles
    .filter(({ user }) => mayWrite(user, file, evidence) || !knowsSudo)
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

function isOwnLogin({ from, to }: Login, { ownChecks }: Setting): boolean {
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
