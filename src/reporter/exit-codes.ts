/** How `gitops-status` ends. Scripts and pipelines depend on these numbers. */
export const EXIT = {
  /** Delivered (report) or found out (check): SYNCED, or OUT_OF_SYNC unless --detailed-exitcode. */
  ok: 0,
  /** UNKNOWN for at least one server, also when that was delivered. */
  unknown: 1,
  /** Drift; only with --detailed-exitcode. */
  drift: 2,
  notDelivered: 3,
  /** The server has the report, the Pushgateway does not. */
  notPushed: 4,
  /** EX_USAGE of sysexits.h: wrong usage or settings. */
  usage: 64,
  /** EX_TEMPFAIL of sysexits.h: another run is under way. */
  busy: 75,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
