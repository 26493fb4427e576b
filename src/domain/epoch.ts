/**
 * A stretch of the numbers that a database gives to its changes.
 *
 * A copy of a database that goes on by itself, or one that was put back to an earlier state, gives the same numbers to
 * other changes. So whoever begins to write gives a name to the numbers from there on: two databases that both know a
 * name have everything in common up to where the next one begins.
 */
export interface Epoch {
  /** Random: nobody else's. */
  readonly name: string
  /** The newest number when it began. */
  readonly after: number
}
