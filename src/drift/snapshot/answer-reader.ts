import { createHash } from 'node:crypto'

/** What has come from a host so far, as far as it can be told apart. */
export type Incoming =
  | { readonly kind: 'answer'; readonly id: number; readonly payload: Buffer }
  /** Nothing that comes after it means anything. */
  | { readonly kind: 'invalid'; readonly why: string }

// Start-up files greet people. Who prints more than this never stops.
const MAX_NOISE_BYTES = 256 * 1024
const MAX_HEAD_BYTES = 160

/**
 * Finds the agent's answers in what a host prints. Whatever else is in it (start-up files of a shell print there) is
 * dropped; an answer into which something was printed does not have its hash and is none.
 */
export class AnswerReader {
  readonly #mark: Buffer
  /** Bytes in which the head of an answer has not been found yet. */
  #text: Buffer = Buffer.alloc(0)
  #noiseBytes = 0
  #head: Head | null = null
  #payload: Buffer[] = []
  #payloadBytes = 0
  #maxBytes = MAX_HEAD_BYTES

  constructor(nonce: string) {
    this.#mark = Buffer.from(`gitops-status:${nonce}:`)
  }

  /** The most that the next answer may have. More than that is refused before it has come. */
  expect(maxBytes: number): void {
    this.#maxBytes = maxBytes
    this.#noiseBytes = 0
  }

  take(chunk: Buffer): Incoming[] {
    const found: Incoming[] = []
    let rest: Buffer | null = chunk
    while (rest !== null) {
      const [incoming, after]: Step = this.#head === null ? this.#takeText(rest) : this.#takePayload(this.#head, rest)
      if (incoming !== null) found.push(incoming)
      rest = incoming?.kind === 'invalid' ? null : after
    }
    return found
  }

  #takeText(chunk: Buffer): Step {
    const text = this.#text.length === 0 ? chunk : Buffer.concat([this.#text, chunk])
    const at = text.indexOf(this.#mark)
    // The mark may have begun in the last bytes.
    const kept = at === -1 ? text.subarray(Math.max(0, text.length - this.#mark.length + 1)) : text.subarray(at)
    this.#noiseBytes += text.length - kept.length
    if (this.#noiseBytes > MAX_NOISE_BYTES) return [invalid('it prints without end'), null]

    const end = at === -1 ? -1 : kept.subarray(0, MAX_HEAD_BYTES).indexOf(0x0a)
    if (end === -1) {
      if (at !== -1 && kept.length >= MAX_HEAD_BYTES) return [invalid('the head of its answer has no end'), null]
      this.#text = Buffer.from(kept)
      return [null, null]
    }
    const head = /^(\d{1,9}):(\d{1,9}):([0-9a-f]{64})$/.exec(kept.toString('latin1', this.#mark.length, end))
    const length = Number(head?.[2])
    if (head === null) return [invalid('the head of its answer is none'), null]
    if (length > this.#maxBytes) return [invalid(`its answer has ${length} bytes`), null]
    this.#text = Buffer.alloc(0)
    this.#payload = []
    this.#payloadBytes = 0
    this.#head = { id: Number(head[1]), length, sha256: head[3] ?? '' }
    return [null, kept.subarray(end + 1)]
  }

  #takePayload(head: Head, chunk: Buffer): Step {
    const part = chunk.subarray(0, head.length - this.#payloadBytes)
    this.#payload.push(part)
    this.#payloadBytes += part.length
    if (this.#payloadBytes < head.length) return [null, null]

    const payload = Buffer.concat(this.#payload)
    this.#payload = []
    this.#head = null
    if (createHash('sha256').update(payload).digest('hex') !== head.sha256) {
      return [invalid('something else was printed into its answer'), null]
    }
    const after = chunk.subarray(part.length)
    return [{ kind: 'answer', id: head.id, payload }, after.length === 0 ? null : after]
  }
}

/** What has been found, and the bytes that come after it. */
type Step = readonly [Incoming | null, Buffer | null]

interface Head {
  readonly id: number
  readonly length: number
  readonly sha256: string
}

function invalid(why: string): Incoming {
  return { kind: 'invalid', why }
}
