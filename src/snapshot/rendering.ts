import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'

const gzipped = promisify(gzip)

/** An answer as bytes, the same for everyone who asks within a moment. */
export interface Rendering {
  readonly body: Buffer
  /** Names these bytes: whoever has them already need not be sent them again. */
  readonly etag: string
  /** Compressed once, off the event loop, when the first one asks for it. */
  gzipped(): Promise<Buffer>
}

// Another process gives other names: nobody may take what it had from the one before for what it would get now.
const PROCESS = randomBytes(6).toString('base64url')
let renderings = 0

export function createRendering(text: string): Rendering {
  const body = Buffer.from(text)
  let compressed: Promise<Buffer> | undefined
  return {
    body,
    etag: `W/"${PROCESS}-${++renderings}"`,
    gzipped() {
      // Rows of a fleet are much alike: a higher level takes three times as long and saves little.
      compressed ??= gzipped(body, { level: constants.Z_BEST_SPEED })
      return compressed
    },
  }
}
