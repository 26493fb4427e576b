import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { aCertified, GIT, KEY } from '../../../test/drift/certified-builder.ts'
import { aFile, aSnapshot, base64, entries, sha, someLines, wholeFile } from '../../../test/drift/snapshot-builder.ts'
import { aDrift } from '../../../test/reporter/evidence-builder.ts'
import { lengthOf } from '../../../test/server/long.ts'
import type { Cause } from '../../contract/report.ts'
import type { DriftEvidence } from '../evidence.ts'
import type { Certified } from './baseline.ts'
import { causeOfAll, causeOfDrift, type Deploy, type DeployedState, isSameEdit } from './cause.ts'

const PATH = '/etc/app.conf'

const state = (more: Partial<DeployedState> = {}): DeployedState => ({
  certified: aCertified(),
  isSameGit: false,
  deployOf: () => 'none',
  key: KEY,
  ...more,
})

/** The server has `is`, Git says `should`; what was certified is v=1 with the mode 0644. */
function modified(is: string, should: string | null, drift: Partial<DriftEvidence> = {}): DriftEvidence {
  return aDrift({
    path: PATH,
    expected: { ...(should !== null && { sha256: sha('sha256', should) }), mode: '0644' },
    actual: { sha256: sha('sha256', is), mode: '0644', owner: 'root', group: 'root' },
    ...drift,
  })
}

describe('causeOfDrift', () => {
  const TABLE: readonly (readonly [what: string, drift: DriftEvidence, cause: Cause | null])[] = [
    ['the server is as certified, Git is not', modified('v=1\n', 'v=2\n'), 'PENDING_DEPLOY'],
    ['Git is as certified, the server is not', modified('v=2\n', 'v=1\n'), 'SERVER_CHANGED'],
    ['all three differ', modified('v=2\n', 'v=3\n'), 'BOTH'],
    ['Git says something that cannot be hashed, the server is as certified', modified('v=1\n', null), 'PENDING_DEPLOY'],
    ['Git says something that cannot be hashed, and the server differs', modified('v=2\n', null), null],
    ['the server cannot be hashed', modified('v=1\n', 'v=2\n', { actual: { mode: '0644' } }), null],
    ['the file was removed', modified('', 'v=1\n', { change: 'missing', actual: {} }), 'SERVER_CHANGED'],
    ['the file was removed, and Git changed it', modified('', 'v=2\n', { change: 'missing', actual: {} }), 'BOTH'],
    ['Git removed it', modified('v=1\n', null, { change: 'extra', expected: {} }), 'PENDING_DEPLOY'],
    ['Git removed it, and the server changed it', modified('v=2\n', null, { change: 'extra', expected: {} }), 'BOTH'],
    [
      'a link stands in its place',
      modified('', 'v=1\n', { actual: { type: 'link', mode: '0777', owner: 'root', group: 'root' } }),
      'SERVER_CHANGED',
    ],
    [
      'its mode was changed on the server',
      modified('v=1\n', null, {
        change: 'metadata',
        expected: { mode: '0644' },
        actual: { sha256: sha('sha256', 'v=1\n'), mode: '0600' },
      }),
      'SERVER_CHANGED',
    ],
    [
      'Git changed its mode',
      modified('v=1\n', null, {
        change: 'metadata',
        expected: { mode: '0600' },
        actual: { sha256: sha('sha256', 'v=1\n'), mode: '0644' },
      }),
      'PENDING_DEPLOY',
    ],
    [
      'its mode was changed to different ones',
      modified('v=1\n', null, {
        change: 'metadata',
        expected: { mode: '0640' },
        actual: { sha256: sha('sha256', 'v=1\n'), mode: '0600' },
      }),
      'BOTH',
    ],
    [
      'something else of it differs that nobody names',
      modified('v=1\n', null, { change: 'metadata', expected: {}, actual: { sha256: sha('sha256', 'v=1\n') } }),
      null,
    ],
    [
      'its mode differs, and Git does not say one',
      modified('v=1\n', 'v=2\n', {
        expected: { sha256: sha('sha256', 'v=2\n') },
        actual: { sha256: sha('sha256', 'v=1\n'), mode: '0600' },
      }),
      'PENDING_DEPLOY',
    ],
    ['it is a package', aDrift({ path_base64: null }), null],
  ]
  for (const [what, drift, cause] of TABLE)
    it(`${what}: ${cause}`, () => assert.equal(causeOfDrift(drift, state()), cause))

  it('knows nothing where nothing was ever certified', () => {
    assert.equal(causeOfDrift(modified('v=1\n', 'v=2\n'), state({ certified: null })), null)
  })

  it('knows that the server was changed where Git is the same, whatever drifted', () => {
    for (const drift of [modified('v=2\n', null), aDrift({ path_base64: null }), aDrift({ path: '/etc/never-seen' })])
      assert.equal(causeOfDrift(drift, state({ isSameGit: true })), 'SERVER_CHANGED')
  })

  it('knows that the server was changed after a deploy of what Git says, and nothing after another', () => {
    assert.equal(causeOfDrift(modified('v=1\n', 'v=2\n'), state({ deployOf: () => 'current' })), 'SERVER_CHANGED')
    assert.equal(causeOfDrift(modified('v=1\n', 'v=2\n'), state({ deployOf: () => 'other' })), null)
  })

  it('knows of a file of which Git says some lines only that the server is as it was', () => {
    const certified = aCertified({ named: [someLines(PATH)] })
    assert.equal(causeOfDrift(modified('v=1\n', 'v=2\n'), state({ certified })), 'PENDING_DEPLOY')
    assert.equal(causeOfDrift(modified('v=2\n', 'v=1\n'), state({ certified })), null)
  })

  it('takes a user for the same by name and by number', () => {
    const owned = (owner: string) =>
      modified('v=1\n', null, {
        change: 'metadata',
        expected: { owner },
        actual: { sha256: sha('sha256', 'v=1\n'), owner: 'app' },
      })
    assert.equal(causeOfDrift(owned('0'), state()), 'SERVER_CHANGED')
    assert.equal(causeOfDrift(owned('root'), state()), 'SERVER_CHANGED')
    assert.equal(causeOfDrift(owned('web'), state()), 'BOTH')
  })

  describe('of a path that was not watched', () => {
    const missing = aDrift({ path: '/etc/new.conf', change: 'missing', actual: {} })
    const other = aDrift({ path: '/etc/new.conf' })

    it('is Git alone when it is not there, and unknown when it is', () => {
      assert.equal(causeOfDrift(missing, state()), 'PENDING_DEPLOY')
      assert.equal(causeOfDrift(other, state()), null)
    })

    it('is unknown where a task may have been about it', () => {
      const unwatched = [{ name: 'Copy a directory', reason: 'directory_copy' }]
      const unchecked = [{ name: 'Ask', reason: 'verdict_overridden' }]
      assert.equal(causeOfDrift(missing, state({ certified: aCertified({ unwatched }) })), null)
      const coverage = { checked: 1, total: 2, unchecked }
      assert.equal(causeOfDrift(missing, state({ certified: aCertified({ coverage }) })), null)
      const package_ = [{ name: 'Install', reason: 'no_path' }]
      assert.equal(causeOfDrift(missing, state({ certified: aCertified({ unwatched: package_ }) })), 'PENDING_DEPLOY')
    })

    it('is told by what lay in its directory', () => {
      const certified = (...names: string[]) =>
        aCertified({
          snapshot: aSnapshot({ [PATH]: aFile() }, { listings: { '/etc': entries('app.conf', ...names) } }),
        })
      assert.equal(causeOfDrift(missing, state({ certified: certified() })), 'PENDING_DEPLOY')
      assert.equal(causeOfDrift(other, state({ certified: certified() })), 'BOTH')
      assert.equal(causeOfDrift(missing, state({ certified: certified('new.conf') })), null)
    })
  })
})

describe('isSameEdit', () => {
  const edited = aCertified({ snapshot: aSnapshot({ [PATH]: aFile({ text: 'v=2\n' }) }) })

  it('is one where both are not what was deployed', () => assert.equal(isSameEdit(edited, state()), true))

  it('is none where nothing changed, where it was rolled out, and where nobody records deploys', () => {
    assert.equal(isSameEdit(aCertified(), state()), false)
    for (const deploy of ['current', 'other', 'not_recorded'] as const)
      assert.equal(isSameEdit(edited, state({ deployOf: () => deploy })), false, deploy)
  })

  it('is none where Git is the same, or nothing was certified', () => {
    assert.equal(isSameEdit(edited, state({ isSameGit: true })), false)
    assert.equal(isSameEdit(edited, state({ certified: null })), false)
  })

  it('is none where Git says some lines of the file only', () => {
    const lines = aCertified({ snapshot: aSnapshot({ [PATH]: aFile({ text: 'v=2\n' }) }), named: [someLines(PATH)] })
    assert.equal(isSameEdit(lines, state({ certified: aCertified({ named: [someLines(PATH)] }) })), false)
  })
})

describe('causeOfAll', () => {
  it('is the one of all files, BOTH when they differ, and unknown when one is', () => {
    assert.equal(causeOfAll(['PENDING_DEPLOY', 'PENDING_DEPLOY']), 'PENDING_DEPLOY')
    assert.equal(causeOfAll(['PENDING_DEPLOY', 'SERVER_CHANGED']), 'BOTH')
    assert.equal(causeOfAll(['PENDING_DEPLOY', null]), null)
    assert.equal(causeOfAll([]), null)
  })
})

// ---------------------------------------------------------------- any history of edits, commits and deploys

interface Content {
  readonly text: string
  readonly mode: string
}
/** What stands at each path. All lie in a directory of which Git says everything. */
type Files = Readonly<Record<string, Content>>

const DIRECTORY = '/etc/app.d'
const NAMES = ['a', 'b', 'c'] as const

const content = fc.record({ text: fc.constantFrom('1', '2', '3'), mode: fc.constantFrom('0644', '0600') })
const change = fc.record({ name: fc.constantFrom(...NAMES), to: fc.option(content, { freq: 4 }) })
const event = fc.oneof(
  { weight: 3, arbitrary: change.map((made) => ({ kind: 'edit' as const, ...made })) },
  { weight: 3, arbitrary: change.map((made) => ({ kind: 'commit' as const, ...made })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'deploy' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'check' as const }) },
)

/** A deploy that names none of the files, and is all the same the last word on each. */
const REMOVED_ON_BOTH_SIDES = [
  { kind: 'edit', name: 'a', to: null },
  { kind: 'commit', name: 'a', to: null },
  { kind: 'deploy' },
  { kind: 'edit', name: 'a', to: { text: '1', mode: '0644' } },
] as const

/** Chance alone seldom has both sides changed in the same way between two checks. */
const SAME_EDIT = [
  { kind: 'deploy' },
  { kind: 'check' },
  { kind: 'edit', name: 'a', to: { text: '2', mode: '0644' } },
  { kind: 'commit', name: 'a', to: { text: '2', mode: '0644' } },
] as const

describe('the cause of any history of edits, commits and deploys', () => {
  it('is what an oracle says that saw all of it', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(fc.array(event, { maxLength: 14 }), (events) => {
        const world = new World()
        for (const one of events) {
          if (one.kind === 'deploy') world.deploy()
          else if (one.kind === 'check') for (const cause of world.check()) seen.add(cause)
          else world.change(one.kind, one.name, one.to)
        }
        for (const cause of world.check()) seen.add(cause)
      }),
      { numRuns: lengthOf({ gate: 400, long: 20_000 }), examples: [[[...REMOVED_ON_BOTH_SIDES]], [[...SAME_EDIT]]] },
    )
    // It would hold if nothing was ever told apart.
    assert.deepEqual([...seen].sort(), ['BOTH', 'PENDING_DEPLOY', 'SAME_EDIT', 'SERVER_CHANGED', 'unknown'])
  })
})

class World {
  #server: Files = { a: { text: '1', mode: '0644' } }
  #git: Files = this.#server
  #commit = 0
  #time = 0
  /** What the oracle knows: what was on the server when it last was what Git said. */
  #deployed: Files = this.#server
  #lastDeploy = { commit: 0, time: 0, paths: new Set([pathOf('a')]) }
  #certified: Certified = this.#certify()
  #certifiedCommit = 0

  change(where: 'edit' | 'commit', name: string, to: Content | null): void {
    this.#time += 1
    const { [name]: _, ...rest } = where === 'edit' ? this.#server : this.#git
    const files = to === null ? rest : { ...rest, [name]: to }
    if (where === 'edit') this.#server = files
    else {
      this.#git = files
      this.#commit += 1
    }
  }

  deploy(): void {
    this.#time += 1
    // The directory itself is always named: a run that names nothing deploys nothing.
    const touched = [base64(DIRECTORY), ...Object.keys({ ...this.#git, ...this.#server }).map(pathOf)]
    this.#server = this.#deployed = this.#git
    this.#lastDeploy = { commit: this.#commit, time: this.#time, paths: new Set(touched) }
  }

  /** @returns the causes that were found. */
  check(): string[] {
    this.#time += 1
    const known = {
      certified: this.#certified,
      isSameGit: this.#certifiedCommit === this.#commit,
      deployOf: (path: string) => this.#deployOf(path),
      key: KEY,
    }
    const drift = NAMES.flatMap((name) => driftOf(name, this.#server[name], this.#git[name]))
    for (const { name, evidence } of drift) {
      const cause = causeOfDrift(evidence, known)
      const truth = this.#truth(name)
      // What another commit's deploy brought, nobody has looked at: that is not known, and not guessed.
      if (this.#deployOf(pathOf(name)) !== 'other' || cause !== null) assert.equal(cause, truth, name)
    }
    if (drift.length > 0) return drift.map(({ evidence }) => causeOfDrift(evidence, known) ?? 'unknown')

    const now = this.#certify()
    const isAlike = NAMES.some(
      (name) =>
        this.#certified.paths.get(pathOf(name))?.kind === 'file' &&
        this.#git[name] !== undefined &&
        this.#deployOf(pathOf(name)) === 'none' &&
        this.#truth(name) === 'SAME_EDIT',
    )
    assert.equal(isSameEdit(now, known), isAlike)
    this.#certified = now
    this.#certifiedCommit = this.#commit
    this.#deployed = this.#server
    return isAlike ? ['SAME_EDIT'] : []
  }

  #truth(name: string): Cause | null {
    const [server, git, deployed] = [this.#server, this.#git, this.#deployed].map((files) =>
      JSON.stringify(files[name]),
    )
    if (server === deployed) return git === deployed ? null : 'PENDING_DEPLOY'
    if (git === deployed) return 'SERVER_CHANGED'
    return git === server ? 'SAME_EDIT' : 'BOTH'
  }

  /** As deploys.ts tells it. */
  #deployOf(path: string): Deploy {
    const { commit, time, paths } = this.#lastDeploy
    const isLater = time > this.#certified.fullCheckAt.getTime()
    if (isLater && paths.has(path) && commit === this.#commit) return 'current'
    if (isLater && paths.size > 0) return 'other'
    return paths.has(path) ? 'none' : 'not_recorded'
  }

  #certify(): Certified {
    const files = Object.entries(this.#server)
    return aCertified({
      snapshot: aSnapshot(
        Object.fromEntries(files.map(([name, { text, mode }]) => [`${DIRECTORY}/${name}`, aFile({ text, mode })])),
        { listings: { [DIRECTORY]: entries(...files.map(([name]) => name)) } },
      ),
      named: files.map(([name, { text }]) => wholeFile(`${DIRECTORY}/${name}`, text)),
      git: { ...GIT, commit: String(this.#commit) },
      fullCheckAt: new Date(this.#time),
    })
  }
}

function pathOf(name: string): string {
  return base64(`${DIRECTORY}/${name}`)
}

/** What Ansible would record. */
function driftOf(name: string, is: Content | undefined, should: Content | undefined) {
  const ofRoot = { owner: 'root', group: 'root' }
  const actual = is === undefined ? {} : { sha256: sha('sha256', is.text), mode: is.mode, ...ofRoot }
  const expected = should === undefined ? {} : { sha256: sha('sha256', should.text), mode: should.mode }
  const drift = (evidence: Partial<DriftEvidence>) => [
    { name, evidence: aDrift({ path: `${DIRECTORY}/${name}`, expected, actual, ...evidence }) },
  ]
  if (is === undefined) return should === undefined ? [] : drift({ change: 'missing' })
  if (should === undefined) return drift({ change: 'extra' })
  if (is.text !== should.text) return drift({ change: 'modified' })
  return is.mode === should.mode ? [] : drift({ change: 'metadata', expected: { mode: should.mode } })
}
