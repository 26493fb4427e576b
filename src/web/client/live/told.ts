import type { StatusRow } from '../../../contract/status-json.ts'

/** How this browser is connected. `polling`: something on the way holds streams back. */
export type Connection = 'connecting' | 'live' | 'polling' | 'reconnecting' | 'paused'

/** What a page is told of the fleet, in the order in which the server said it. */
export interface Told {
  readonly connection: Connection
  /** The server's clock when it was last heard, in milliseconds since 1970. Null before that. */
  readonly asOf: number | null
  /**
   * How far the server's clock is ahead of this browser's, in milliseconds. Null while that is not known. It is told
   * as a difference, so that it is right however late a page that stood still hears of it.
   */
  readonly clockAheadMs: number | null
  /** Everything that was told before is void. */
  readonly isReset: boolean
  /** The whole fleet was told. */
  readonly isComplete: boolean
  readonly rows: readonly StatusRow[]
  readonly removed: readonly { readonly repo: string; readonly server: string }[]
}
