import * as fc from 'fast-check'
import type { DriftEvidence, Evidence, Failure, HostEvidence } from '../../src/drift/evidence.ts'
import type { PlaybookRun, Verdict } from '../../src/drift/judge.ts'

export const RUN_ID = 'run-1'

/** A host that was checked to the end and matches Git. */
export function aHost(host: Partial<HostEvidence> = {}): HostEvidence {
  return { sentinel: true, verified: 3, failures: [], unchecked: [], drift: [], ...host }
}

export function aFailure(failure: Partial<Failure> = {}): Failure {
  return { task: 'Write the file', kind: 'failed', ignored: false, message: 'it did not work', ...failure }
}

export function aDrift({ path, ...drift }: Partial<DriftEvidence> & { path?: string | Buffer } = {}): DriftEvidence {
  return {
    task: 'Write the file',
    path_base64: Buffer.from(path ?? '/etc/rsyslog.d/30-lab.conf').toString('base64'),
    change: 'modified',
    expected: { sha256: 'a'.repeat(64), mode: '0644', owner: 'root', group: 'root' },
    actual: { sha256: 'b'.repeat(64), mode: '0644', owner: 'root', group: 'root' },
    modified_at: '2026-04-21T10:30:00Z',
    ...drift,
  }
}

export function anEvidence(evidence: Partial<Evidence> = {}): Evidence {
  return {
    format: 1,
    run_id: RUN_ID,
    ansible_version: '2.14.18',
    check_mode: true,
    selection: [],
    hosts: { 'rsyslog-lab': aHost() },
    ...evidence,
  }
}

/** A run that ended well and left this evidence. */
export function aRun(evidence: Evidence | null, run: Partial<PlaybookRun> = {}): PlaybookRun {
  return {
    ending: { kind: 'exited', code: 0 },
    output: '',
    result: evidence && JSON.stringify(evidence),
    runId: RUN_ID,
    ...run,
  }
}

export function aVerdict(verdict: Partial<Verdict> = {}): Verdict {
  return {
    host: 'rsyslog-lab',
    status: 'SYNCED',
    error: null,
    drift: [],
    coverage: { checked: 3, total: 3, unchecked: [] },
    ...verdict,
  }
}

// ---------------------------------------------------------------- what a server or a playbook could have us carry

/** Text with everything in it that ends lines, moves cursors, or is half of something. */
export const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '\u0000',
    '\ud800',
    '\udfff\ud800',
    '\u001b[2J',
    '\u009b2J',
    '\u202e',
    'SYNC_STATUS=SYNCED\n',
    '🙂'.repeat(400),
    'x'.repeat(20_000),
  ),
)

const hostileFacts = fc.oneof(
  fc.constant({}),
  fc.dictionary(fc.constantFrom('sha256', 'mode', 'owner', 'group', 'type', 'more'), hostileText),
)

const hostilePath = fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64'))

export const hostileDrift: fc.Arbitrary<DriftEvidence> = fc.record({
  task: hostileText,
  path_base64: fc.oneof(fc.constant(null), hostilePath, fc.constant(Buffer.alloc(20_000, 0xff).toString('base64'))),
  change: fc.constantFrom('modified', 'missing', 'extra', 'metadata'),
  expected: hostileFacts,
  actual: hostileFacts,
  modified_at: fc.oneof(fc.constant(null), fc.constant('2026-04-21T10:30:00Z'), hostileText),
})

export const hostileHost: fc.Arbitrary<HostEvidence> = fc.record({
  sentinel: fc.boolean(),
  verified: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.nat({ max: 1_000_000_000 })),
  failures: fc.oneof(
    fc.constant([]),
    fc.array(
      fc.record({
        task: hostileText,
        kind: fc.constantFrom('failed', 'unreachable'),
        ignored: fc.boolean(),
        message: hostileText,
      }),
      { maxLength: 3 },
    ),
  ),
  unchecked: fc.array(
    fc.record({ task: hostileText, reason: fc.constantFrom('skipped_in_check_mode', 'verdict_overridden') }),
    { maxLength: 3 },
  ),
  drift: fc.array(hostileDrift, { maxLength: 4 }),
})
