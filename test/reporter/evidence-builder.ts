import * as fc from 'fast-check'
import type { DriftEvidence, Evidence, Failure, HostEvidence, Named } from '../../src/drift/evidence.ts'
import type { PlaybookRun, Verdict } from '../../src/drift/judge.ts'

export const RUN_ID = 'run-1'

/** A host that was checked to the end and matches Git. */
export function aHost(host: Partial<HostEvidence> = {}): HostEvidence {
  const verified = host.named?.length ?? host.verified ?? 3
  const named = Array.from({ length: verified }, (_, index) => aNamed({ path: `/etc/rsyslog.d/${index}.conf` }))
  const looks = { named, listed: [], looked_for: [], access: NO_ACCESS }
  return { sentinel: true, verified, failures: [], unchecked: [], drift: [], ...looks, ...host }
}

export const NO_ACCESS = { why: 'its connection is local' } as const

export function aNamed({ path, ...named }: Partial<Named> & { path?: string | Buffer } = {}): Named {
  const path_base64 = Buffer.from(path ?? '/etc/rsyslog.conf').toString('base64')
  return { task: 'Write the file', path_base64, why: null, sha1: null, compares: ['content'], ...named }
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
    seen: { named: [], listed: [], looked_for: [], access: NO_ACCESS },
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

const hostileNamed: fc.Arbitrary<Named> = fc.oneof(
  fc.record({
    task: hostileText,
    path_base64: hostilePath,
    why: fc.constant(null),
    sha1: fc.constant(null),
    compares: fc.constant(['content' as const]),
  }),
  fc.record({
    task: hostileText,
    path_base64: fc.constant(null),
    why: fc.constantFrom('no_path', 'directory_copy', 'no_log', 'elsewhere', 'more_than_bytes'),
    sha1: fc.constant(null),
    compares: fc.constant([]),
  }),
)

const hostileAccess = fc.oneof(
  fc.record({ why: hostileText }),
  fc.record({
    host: hostileText,
    port: fc.constantFrom(null, 22, 65_535),
    user: fc.option(hostileText),
    keyFile: fc.option(hostileText),
    sshArgs: fc.array(hostileText, { maxLength: 2 }),
    python: fc.option(hostileText),
    become: fc.option(hostileText),
  }),
)

export const hostileHost: fc.Arbitrary<HostEvidence> = fc
  .record({
    sentinel: fc.boolean(),
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
    named: fc.array(hostileNamed, { maxLength: 3 }),
    listed: fc.array(fc.record({ path_base64: hostilePath, recurse: fc.boolean() }), { maxLength: 2 }),
    looked_for: fc.array(hostilePath, { maxLength: 2 }),
    access: hostileAccess,
  })
  .map((host) => ({ ...host, verified: host.named.length }))
