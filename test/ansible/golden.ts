import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { DriftEvidence, Evidence, Failure } from '../../src/drift/evidence.ts'

const DIRECTORY = new URL('../golden/evidence/', import.meta.url)

/** Compares with the recorded evidence of a row of the truth table; `UPDATE_GOLDEN=1` records it anew. */
export function assertGolden(row: string, evidence: Evidence | null): void {
  const recorded = new URL(`${row}.json`, DIRECTORY)
  const seen = `${JSON.stringify(evidence && settled(evidence), null, 2)}\n`
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(DIRECTORY, { recursive: true })
    writeFileSync(recorded, seen)
  }
  assert.equal(seen, readFileSync(recorded, 'utf8'), `${row}: rerun with UPDATE_GOLDEN=1 and review the difference`)
}

/** The evidence of one host of a run that had a row on each, as if it had been the only host. */
export function evidenceOf(host: string, evidence: Evidence | null): Evidence {
  const seen = evidence?.hosts[host]
  assert(evidence && seen, `${host} is not in the evidence`)
  return { ...evidence, hosts: { 'rsyslog-lab': seen } }
}

/** Without what differs from run to run. */
function settled(evidence: Evidence): Evidence {
  const hosts = Object.entries(evidence.hosts).map(
    ([name, host]) =>
      [name, { ...host, failures: host.failures.map(settledFailure), drift: host.drift.map(settledDrift) }] as const,
  )
  return { ...evidence, ansible_version: '2.14.18', hosts: Object.fromEntries(hosts) }
}

// A connection that is refused while something is written to it ends in one of several ways.
function settledFailure(failure: Failure): Failure {
  return { ...failure, message: failure.message.replace(/(can be reached over ssh): .*/, '$1') }
}

// Times of content are set by the tests; only Ansible's own clock, of a mode or of a link, is always now.
function settledDrift(drift: DriftEvidence): DriftEvidence {
  if (drift.modified_at === null || Date.now() - Date.parse(drift.modified_at) > 3_600_000) return drift
  return { ...drift, modified_at: '2026-04-21T10:30:00Z' }
}
