/** What the load generator is told to do: one process, one job. It crosses a process boundary, so it is plain data. */
export interface Job {
  readonly port: number
  readonly connections: number
  readonly requests: Requests
  readonly pace: Pace
}

/** The n-th request is the same for whoever asks, so that what must be on show afterwards can be computed. */
export type Requests = ReportRequests | PushRequests | ReadRequests

/** `POST /api/status` with the requirement's OUT_OF_SYNC body. */
export interface ReportRequests {
  readonly kind: 'report'
  readonly targets: number
  /** Reports in one request; null sends one alone, not in an array. */
  readonly batch: number | null
  readonly lastCheck: LastCheck
}

/**
 * The server stores no report twice, and answers a repeated one without touching the disk: every request has a
 * `last_check` of its own. `{ from }` begins at that second of the epoch and goes on by one for each request.
 */
export type LastCheck = 'now' | { readonly from: number }

/** `PUT` of the same information to the Pushgateway: a group for each target, a gauge for each number. */
export interface PushRequests {
  readonly kind: 'push'
  readonly targets: number
  readonly lastCheck: LastCheck
}

export interface ReadRequests {
  readonly kind: 'read'
  readonly path: string
}

export type Pace = AsFastAsItGoes | ThisMany | AtARate

/** Every connection sends its next request when its last one was answered. */
export interface AsFastAsItGoes {
  readonly kind: 'as-fast-as-it-goes'
  /** The number of the first request. */
  readonly first: number
  readonly warmUpMs: number
  readonly measureMs: number
  /** How long to wait for the answers that are still owed when the time is up. */
  readonly drainMs: number
}

/** As above, until so many requests are answered. */
export interface ThisMany {
  readonly kind: 'this-many'
  readonly first: number
  readonly count: number
}

/** A request is due every 1/perSecond, whether or not the server keeps up. */
export interface AtARate {
  readonly kind: 'at-a-rate'
  readonly first: number
  readonly perSecond: number
  readonly seconds: number
  /** Figures are told for each stretch of this length, and for the whole. */
  readonly stretchMs: number
}

export interface LoadResult {
  /** Answered with success in the measured time. */
  readonly answered: number
  readonly perSecond: number
  readonly latency: Latency
  /** Answered with success in all, warm-up and draining included. */
  readonly answeredInAll: number
  /** How often what went wrong. */
  readonly failures: Readonly<Record<string, number>>
  /** Sent, and never answered within the time to drain. */
  readonly unanswered: number
  /** The number of the request that would have come next. */
  readonly next: number
  /** Of the generator itself, for each answered request: what the measuring costs. */
  readonly generatorCpuMicros: number
}

export interface Stretch {
  readonly answered: number
  readonly latency: Latency
}

/** Milliseconds; 0 when nothing was answered. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** From the generator to its parent. */
export type GeneratorMessage = { readonly stretch: Stretch } | { readonly result: LoadResult }
