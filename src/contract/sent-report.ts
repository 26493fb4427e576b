import { crc32 } from 'node:zlib'
import { DEFAULT_PERIOD_MS } from '../domain/freshness.ts'
import { type Report, type SyncStatus, type Target, targetKey } from '../domain/report.ts'
import { checkOf, contentOf, digestOf, isSameContent } from './content.ts'
import type { DriftedFile, ReportBody } from './report.ts'

/**
 * What the rules look at, from a body that was found valid when it came in.
 *
 * Its content is only digested when somebody asks for it: nearly every report finds what the one before it found, and
 * takes over that one's.
 */
export class SentReport implements Report<ReportBody> {
  readonly status: SyncStatus
  readonly checkedAt: Date
  readonly driftCount: number
  readonly periodMs: number
  readonly body: ReportBody
  #target: Target
  #key: string | undefined
  #found: Found | undefined

  constructor(body: ReportBody) {
    this.status = body.sync_status
    this.checkedAt = new Date(body.last_check)
    this.driftCount = body.drift_count
    this.periodMs = body.interval_seconds === undefined ? DEFAULT_PERIOD_MS : body.interval_seconds * 1000
    this.#target = { repo: body.repo, server: body.server }
    this.body = body
  }

  get target(): Target {
    return this.#target
  }

  get key(): string {
    this.#key ??= targetKey(this.#target)
    return this.#key
  }

  get content(): string {
    return this.#asFound().digest
  }

  get driftedFiles(): readonly string[] {
    return this.body.files.map(identityOf) // not kept: asked for when what was found changes, and as long as the files
  }

  get check(): string {
    return checkOf(this.body) // not kept: it says nothing that the body does not, and there is one for each target
  }

  get mark(): number {
    return crc32(this.check, this.#asFound().mark)
  }

  /**
   * Takes over what it shares with an earlier report of its target: nobody needs to digest what was found again, and of
   * a million targets each keeps one copy of it.
   */
  shareWith(earlier: SentReport): void {
    this.#target = earlier.#target
    this.#key = earlier.key
    if (this.#found === undefined && isSameContent(this.body, earlier.body)) {
      this.#found = earlier.#asFound()
      shareParts(this.body, earlier.body)
    }
  }

  #asFound(): Found {
    if (this.#found === undefined) {
      this.#found = foundIn(this.body)
      this.body.files = this.#found.files
    }
    return this.#found
  }
}

/** @see SentReport */
export function reportOf(body: ReportBody): SentReport {
  return new SentReport(body)
}

/** Puts an earlier body's equal values in the place of a later one's. */
function shareParts(body: ReportBody, { repo, server, sync_status, files, coverage }: ReportBody): void {
  body.repo = repo
  body.server = server
  body.sync_status = sync_status
  body.files = files
  if (body.coverage === undefined || coverage === undefined) return
  const { full_check_at } = body.coverage
  const isShared = full_check_at === coverage.full_check_at
  body.coverage = isShared ? coverage : { ...coverage, ...(full_check_at !== undefined && { full_check_at }) }
}

interface Found {
  readonly digest: string
  /** Of the digest. */
  readonly mark: number
  readonly files: ReportBody['files']
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
  const { files } = body
  const digest = digestOf(content)
  const found = { digest, mark: crc32(digest), files }
  latelyFound.set(content, found)
  latelyFoundLength += content.length
  return found
}

/**
 * What a file is known again by: /etc/a/app.conf is not /etc/b/app.conf. No field holds a NUL, so two files never share
 * one. What has no kind is a file.
 */
function identityOf({ name, path = '', name_base64 = '', kind }: DriftedFile): string {
  const more = [path, name_base64, kind === 'resource' ? kind : '']
  return more.every((part) => part === '') ? name : [name, ...more].join('\0')
}
