/** What is checked: one repository on one server. */
export interface Target {
  readonly repo: string
  readonly server: string
}

export const SYNC_STATUSES = ['SYNCED', 'OUT_OF_SYNC', 'UNKNOWN'] as const

/**
 * SYNCED and OUT_OF_SYNC are findings. UNKNOWN says that there is none: the check did not run, did not finish or was
 * not understood.
 */
export type SyncStatus = (typeof SYNC_STATUSES)[number]

/** One drift check of one target: what the rules look at. */
export interface Report<Body = unknown> {
  readonly target: Target
  /** `targetKey` of it, made once. */
  readonly key: string
  readonly status: SyncStatus
  /** When the comparison began, by the reporter's clock. */
  readonly checkedAt: Date
  readonly driftCount: number
  /** What each is known again by, in the order in which they were sent. */
  readonly driftedFiles: readonly string[]
  /** How often reports of this target are due, in milliseconds. */
  readonly periodMs: number
  /** Equal for two reports that found the same, whenever and by whichever run. */
  readonly content: string
  /** Which check it was, in its reporter's words. Two deliveries of one report have the same, and the same content. */
  readonly check: string
  /** A short mark of both, to know a report again by. */
  readonly mark: number
  /** The report as it was sent. Carried, never read by the rules. */
  readonly body: Body
}

/** A report together with its arrival, by the server's clock. */
export interface Received<Body = unknown> {
  readonly report: Report<Body>
  readonly arrivedAt: Date
}

/**
 * Milliseconds since 1970. Where something is kept for each of a million targets, a number takes a quarter of what a
 * Date takes.
 */
export type EpochMs = number

/**
 * A space cannot occur in either name, so two targets never share a key. It sorts before every character that can, so
 * that keys are in order by repo first, then by server.
 */
export function targetKey({ repo, server }: Target): string {
  return `${repo} ${server}`
}
