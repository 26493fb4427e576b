import { arrivedTooOld } from '../domain/freshness.ts'
import type { Recorded } from '../domain/recorded.ts'
import { createCounter } from './counter.ts'
import { type ExpositionFormat, formatFor, type Metric, writeSamples } from './exposition-format.ts'
import { createHistogram } from './histogram.ts'
import { createProcessMetrics } from './process-metrics.ts'
import { MAX_TARGETS_WITH_SERIES, type TargetMetrics, writeTargets } from './target-series.ts'

export interface Needs {
  /** Every target as it shows now. Read in slices: it may go on changing meanwhile. */
  readonly targets: () => Iterable<TargetMetrics>
  /** Every reason for which a request can be refused, with its HTTP status. */
  readonly refusals: Readonly<Record<string, number>>
  readonly version: string
  readonly monotonicMs: () => number
  readonly maxTargets?: number
  /** How many clients follow the stream. */
  readonly streamClients?: () => number
  /** What this server knows of what was recorded. */
  readonly knowledge: () => Knowledge
  readonly access: () => AccessMetrics
}

export interface AccessMetrics {
  /** Anybody may report. */
  readonly isOpen: boolean
  /** Those that can be used. */
  readonly tokens: readonly { readonly id: string; readonly expiresAt: number | null }[]
}

export interface Knowledge {
  /** Everything that was recorded by then is known. */
  readonly asOf: Date
  /** It is confirmed again and again that nothing else was recorded. */
  readonly isFollowing: boolean
}

export interface Metrics {
  /** The same store, with each append timed and what became of its reports counted. */
  meterAppend<Received, One extends Appended>(append: Append<Received, One>): Append<Received, One>
  /** The same intake, with the reports counted that wait in it. */
  meterIngest<One extends Submission, Rest extends unknown[], Result>(
    ingest: (submission: One, ...rest: Rest) => Promise<Result>,
  ): (submission: One, ...rest: Rest) => Promise<Result>
  countRequest(request: AnsweredRequest): void
  /** Called for every refusal, also of what never became a request. */
  countRefusal(reason: string, status: number): void
  /** What `/metrics` answers, in the format that Accept asks for. */
  exposition(accept: string | undefined): Promise<Exposition>
  stop(): void
}

export interface Exposition {
  readonly contentType: string
  readonly body: Buffer
}

export interface AnsweredRequest {
  /** The route's pattern, not the path: anyone can make up paths. */
  readonly route: string
  readonly method: string
  readonly status: number
  readonly seconds: number
}

export type Append<Received, One> = (received: readonly Received[]) => Promise<One[]>

/** What the store says of one report, as far as it is counted. */
export type Appended = (Omit<Recorded, 'seq'> & { readonly duplicateOf: null }) | { readonly duplicateOf: Date }

interface Submission {
  readonly reports: readonly unknown[]
}

// More than anyone looks after; each is a series.
const MAX_TOKENS_WITH_SERIES = 1_000

// From a read in memory to a disk that hangs until the request times out.
const LATENCY_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
// A check takes seconds to minutes; the requirement's limit of two minutes and the grace are bounds of their own.
const LAG_BOUNDS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 3600]
const DETECTION_BOUNDS = [10, 30, 60, 120, 150, 180, 240, 300, 600, 1800, 3600, 21600, 86400]
const INTERVAL_BOUNDS = [0.1, 0.5, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 2.5, 5, 10, 100]

/**
 * Everything that is measured, in one place.
 *
 * Counting happens for each report, so it is additions to numbers in memory; text is made when somebody reads.
 */
export function createMetrics({
  targets,
  refusals,
  version,
  monotonicMs,
  maxTargets = MAX_TARGETS_WITH_SERIES,
  streamClients,
  knowledge,
  access,
}: Needs): Metrics {
  const reports = createCounter({
    name: 'gitops_status_reports_total',
    help: 'Reports taken in: applied, too late to be the newest, or received before.',
    labels: ['result'],
  })
  const refused = createCounter({
    name: 'gitops_status_refused_requests_total',
    help: 'Requests refused, by the fault that the caller was told and its HTTP status.',
    labels: ['reason', 'status'],
  })
  const requests = createCounter({
    name: 'gitops_status_http_requests_total',
    help: 'Requests answered.',
    labels: ['route', 'method', 'status'],
  })
  const requestSeconds = createHistogram({
    name: 'gitops_status_http_request_duration_seconds',
    help: 'From the arrival of a request to the end of its answer.',
    labels: ['route'],
    bounds: LATENCY_BOUNDS,
  })
  const lag = createHistogram({
    name: 'gitops_status_detection_lag_seconds',
    help: 'From the beginning of a check to the arrival of its report.',
    labels: [],
    bounds: LAG_BOUNDS,
  })
  const timeToDetection = createHistogram({
    name: 'gitops_status_time_to_detection_seconds',
    help: 'From the last clean check of a target to the arrival of the first report of its drift: the drift is no older.',
    labels: [],
    bounds: DETECTION_BOUNDS,
  })
  const intervals = createHistogram({
    name: 'gitops_status_check_interval_ratio',
    help: 'Time between two checks of a target, in promised intervals: 1 is on time, 2 is one check missed.',
    labels: [],
    bounds: INTERVAL_BOUNDS,
  })
  const appendSeconds = createHistogram({
    name: 'gitops_status_store_append_duration_seconds',
    help: 'Commits to the store: one can hold many reports.',
    labels: [],
    bounds: LATENCY_BOUNDS,
  })
  const storeErrors = createCounter({
    name: 'gitops_status_store_errors_total',
    help: 'Commits that failed; their reports were refused.',
    labels: [],
  })
  const all: readonly Metric[] = [
    reports,
    refused,
    requests,
    requestSeconds,
    lag,
    timeToDetection,
    intervals,
    appendSeconds,
    storeErrors,
  ]
  const processMetrics = createProcessMetrics()
  let reportsWaiting = 0

  for (const result of RESULTS) reports.count({ result }, 0)
  for (const [reason, status] of Object.entries(refusals)) refused.count({ reason, status: String(status) }, 0)
  storeErrors.count({}, 0)

  function countReports(appended: readonly Appended[]): void {
    const counts = { applied: 0, late: 0, duplicate: 0 }
    for (const one of appended) {
      counts[resultOf(one)]++
      if (one.duplicateOf === null && one.applied) observeTimes(one)
    }
    for (const result of RESULTS) if (counts[result] > 0) reports.count({ result }, counts[result])
  }

  function observeTimes({ received: { report, arrivedAt }, before }: Omit<Recorded, 'seq'>): void {
    const arrivedMs = arrivedAt.getTime()
    const checkedMs = report.checkedAt.getTime()
    // One report that somebody sends by hand, of months ago, must not outweigh those of a year.
    if (arrivedTooOld({ periodMs: report.periodMs, ageOnArrivalMs: arrivedMs - checkedMs })) return
    lag.observe({}, atLeastZero(arrivedMs - checkedMs) / 1000)
    if (before === undefined) return

    intervals.observe({}, atLeastZero(checkedMs - before.newest.report.checkedAt.getTime()) / report.periodMs)
    const { lastKnown } = before
    if (report.status === 'OUT_OF_SYNC' && lastKnown?.report.status === 'SYNCED') {
      timeToDetection.observe({}, atLeastZero(arrivedMs - lastKnown.report.checkedAt.getTime()) / 1000)
    }
  }

  function writeState(format: ExpositionFormat): string {
    const build = { name: 'gitops_status_build_info', type: 'gauge', help: 'The version that runs.' } as const
    const waiting = {
      name: 'gitops_status_reports_waiting',
      type: 'gauge',
      help: 'Reports that are not answered yet: they wait for the disk.',
    } as const
    const clients = {
      name: 'gitops_status_stream_clients',
      type: 'gauge',
      help: 'Clients that follow the stream.',
    } as const
    const following = {
      name: 'gitops_status_store_following',
      type: 'gauge',
      help: 'Whether this server knows what is recorded. 0: others may take reports that it does not show.',
    } as const
    const asOf = {
      name: 'gitops_status_store_known_until_timestamp_seconds',
      type: 'gauge',
      help: 'Everything that was recorded by then is known.',
    } as const
    const open = {
      name: 'gitops_status_open',
      type: 'gauge',
      help: 'Whether anybody may report and remove targets, because there is no token.',
    } as const
    const expiry = {
      name: 'gitops_status_token_expiry_timestamp_seconds',
      type: 'gauge',
      help: 'When a token runs out.',
    } as const
    const known = knowledge()
    const { isOpen, tokens } = access()
    const expiries = tokens.slice(0, MAX_TOKENS_WITH_SERIES).flatMap(({ id, expiresAt }) => {
      return expiresAt === null ? [] : [{ labels: { token: id }, value: expiresAt / 1_000 }]
    })
    return [
      writeSamples(build, [{ labels: { version, node_version: process.version }, value: 1 }], format),
      writeSamples(waiting, [{ value: reportsWaiting }], format),
      writeSamples(following, [{ value: known.isFollowing ? 1 : 0 }], format),
      writeSamples(asOf, [{ value: known.asOf.getTime() / 1_000 }], format),
      writeSamples(open, [{ value: isOpen ? 1 : 0 }], format),
      writeSamples(expiry, expiries, format),
      streamClients === undefined ? '' : writeSamples(clients, [{ value: streamClients() }], format),
    ].join('')
  }

  async function write(format: ExpositionFormat): Promise<Buffer> {
    const ofTargets = await writeTargets(targets(), { format, maxTargets })
    const ofServer = [...all, { write: writeState }, processMetrics].map((metric) => metric.write(format))
    return Buffer.concat([...ofTargets, Buffer.from(ofServer.join('') + format.end)])
  }

  // Who asks while an answer is being written gets the same one: reading must not become a load, however many read.
  const beingWritten = new Map<ExpositionFormat, Promise<Buffer>>()
  function writeOnce(format: ExpositionFormat): Promise<Buffer> {
    const underWay = beingWritten.get(format)
    if (underWay !== undefined) return underWay
    const writing = write(format).finally(() => beingWritten.delete(format))
    beingWritten.set(format, writing)
    return writing
  }

  return {
    meterAppend(append) {
      return async (received) => {
        const startedMs = monotonicMs()
        try {
          const appended = await append(received)
          countReports(appended)
          return appended
        } catch (error) {
          storeErrors.count({})
          throw error
        } finally {
          appendSeconds.observe({}, (monotonicMs() - startedMs) / 1000)
        }
      }
    },

    meterIngest(ingest) {
      return async (submission, ...rest) => {
        const { length } = submission.reports
        reportsWaiting += length
        try {
          return await ingest(submission, ...rest)
        } finally {
          reportsWaiting -= length
        }
      }
    },

    countRequest({ route, method, status, seconds }) {
      requests.count({ route, method, status: String(status) })
      requestSeconds.observe({ route }, seconds)
    },

    countRefusal(reason, status) {
      refused.count({ reason, status: String(status) })
    },

    async exposition(accept) {
      const format = formatFor(accept)
      return { contentType: format.contentType, body: await writeOnce(format) }
    },

    stop: processMetrics.stop,
  }
}

const RESULTS = ['applied', 'late', 'duplicate'] as const

function resultOf(appended: Appended): (typeof RESULTS)[number] {
  if (appended.duplicateOf !== null) return 'duplicate'
  return appended.applied ? 'applied' : 'late'
}

// A reporter's clock that is ahead would make a sum shrink, which no counter may.
function atLeastZero(ms: number): number {
  return Math.max(0, ms)
}
