import type { ReportBody } from '../../src/contract/report.ts'
import { reportOf } from '../../src/contract/sent-report.ts'
import type { Recorded } from '../../src/domain/recorded.ts'
import type { Received } from '../../src/domain/report.ts'
import { Ledger, lateKey, reportIdOf } from '../../src/store/ledger.ts'

/** The requirement's "When Synced" example, with what a test is about put in its place. */
export function aBody(overrides: Partial<ReportBody> = {}): ReportBody {
  const files = overrides.files ?? []
  return {
    repo: 'rsyslog',
    server: 'rsyslog-lab',
    sync_status: files.length > 0 ? 'OUT_OF_SYNC' : 'SYNCED',
    drift_count: files.length,
    files,
    last_check: '2026-04-21T10:30:00Z',
    ...overrides,
  }
}

/** A check that failed. */
export function aFailure(overrides: Partial<ReportBody> = {}): ReportBody {
  return aBody({ sync_status: 'UNKNOWN', error: { code: 'unreachable', message: 'No route to host' }, ...overrides })
}

/** A report with its arrival; it arrives when it was made unless the test says otherwise. */
export function aReceived(overrides: Partial<ReportBody> = {}, arrivedAt?: string): Received<ReportBody> {
  const body = overrides.sync_status === 'UNKNOWN' ? aFailure(overrides) : aBody(overrides)
  return { report: reportOf(body), arrivedAt: new Date(arrivedAt ?? body.last_check) }
}

/** What a server that receives one report after the other records, without a disk. */
export function aLedger() {
  const ledger = new Ledger()
  return {
    known: () => ({ records: [...ledger.accounts()], aliveAt: null }),
    receive: (...received: readonly Received<ReportBody>[]): readonly Recorded<ReportBody>[] =>
      received.flatMap((one) => take(one).changes),
    append: (received: readonly Received<ReportBody>[]) => received.flatMap((one) => take(one).appended),
  }

  function take(one: Received<ReportBody>) {
    const first = ledger.plan([one])
    const none =
      'lookUp' in first ? first.lookUp.map(({ targetId, value }) => lateKey(targetId, reportIdOf(value.report))) : []
    const plan = ledger.plan([one], new Map(none.map((key) => [key, null])))
    if ('lookUp' in plan) throw new Error('Everything was looked up')
    ledger.apply(plan)
    return plan
  }
}
