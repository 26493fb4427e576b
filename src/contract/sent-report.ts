import { crc32 } from 'node:zlib'
import { DEFAULT_PERIOD_MS } from '../domain/freshness.ts'
import type { Report, SyncStatus, Target } from '../domain/report.ts'
import { checkOf, contentOf, digestOf, isSameContent } from './content.ts'
import type { ReportBody } from './report.ts'

/**
 * What the rules look at, from a body that was found valid when it came in.
 *
 * Its content is only digested when somebody asks for it: nearly every report finds what the one before it found, and
 * takes over that one's.
 */
export class SentReport implements Report<ReportBody> {
  readonly target: Target
  readonly status: SyncStatus
  readonly checkedAt: Date
  readonly driftCount: number
  readonly periodMs: number
  readonly body: ReportBody
  #found: Found | undefined
  #check: string | undefined

  constructor(body: ReportBody) {
    this.target = { repo: body.repo, server: body.server }
    this.status = body.sync_status
    this.checkedAt = new Date(body.last_check)
    this.driftCount = body.drift_count
    this.periodMs = body.interval_seconds === undefined ? DEFAULT_PERIOD_MS : body.interval_seconds * 1000
    this.body = body
  }

  get content(): string {
    return this.#asFound().digest
  }

  get driftedFiles(): readonly string[] {
    return this.#asFound().driftedFiles
  }

  get check(): string {
    this.#check ??= checkOf(this.body)
    return this.#check
  }

  get mark(): number {
    return crc32(this.check, crc32(this.content))
  }

  /** Takes over the content of an earlier report that found the same, so that nobody needs to digest it again. */
  compareWith(earlier: SentReport): void {
    if (this.#found === undefined && isSameContent(this.body, earlier.body)) this.#found = earlier.#asFound()
  }

  #asFound(): Found {
    this.#found ??= foundIn(this.body)
    return this.#found
  }
}

/** @see SentReport */
export function reportOf(body: ReportBody): SentReport {
  return new SentReport(body)
}

interface Found {
  readonly digest: string
  readonly driftedFiles: readonly string[]
}

// Contents that came lately: most servers of a fleet are found alike. Bounded in characters, because one of them can be
// as long as a request.
const MAX_LATELY_FOUND = 4 * 1024 * 1024
let latelyFound = new Map<string, Found>()
let latelyFoundLength = 0

function foundIn(body: ReportBody): Found {
  const content = contentOf(body)
  const known = latelyFound.get(content)
  if (known !== undefined) return known
  if (latelyFoundLength + content.length > MAX_LATELY_FOUND) {
    latelyFound = new Map()
    latelyFoundLength = 0
  }
  const found = { digest: digestOf(content), driftedFiles: body.files.map(({ name }) => name) }
  latelyFound.set(content, found)
  latelyFoundLength += content.length
  return found
}
