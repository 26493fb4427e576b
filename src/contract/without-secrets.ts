import { redactDifference, redactText } from '../redaction/redact.ts'
import { MAX_DIFF_LENGTH, MAX_FILE_NAME_LENGTH, MAX_TEXT_LENGTH } from './limits.ts'

/** What is looked at of a report's body; `report.ts` has the whole. */
interface Body {
  readonly files: File[]
  readonly error?: { readonly code: string; readonly message: string }
  readonly coverage?: { readonly unchecked: Task[]; readonly unwatched?: Task[] }
  readonly check?: { readonly method: string; readonly disagreement?: string }
}

interface Task {
  readonly name: string
  readonly reason: string
}

interface File {
  readonly name: string
  readonly kind?: string
  readonly diff?: string
}

/**
 * The same report without the secrets that its texts hold. Reporters redact by themselves; whoever posts without one, or
 * with an older one, must not put a password into the database, the log and every answer all the same. What is left out
 * is marked without a fingerprint: the key for those is the reporter's.
 *
 * Names of files stay: they are what a file is known again by. A resource is named by its task, in people's words.
 */
export function withoutSecrets<Report extends Body>(
  body: Report,
): { readonly body: Report; readonly warnings: readonly string[] } {
  const redacted: string[] = []
  const seen = (field: string, before: string, after: string, maxLength: number) => {
    if (before === after) return before
    redacted.push(field)
    return after.slice(0, maxLength).toWellFormed() // a mark may be longer than what it stands for
  }

  const files = body.files.map((file, index) => {
    const { name, kind, diff } = file
    if (diff === undefined && kind !== 'resource') return file
    const without = {
      ...(kind === 'resource' && { name: seen(`files[${index}].name`, name, redactText(name), MAX_FILE_NAME_LENGTH) }),
      ...(diff !== undefined && { diff: seen(`files[${index}].diff`, diff, redactDifference(diff), MAX_DIFF_LENGTH) }),
    }
    return without.name === name && without.diff === diff ? file : { ...file, ...without }
  })
  const { error, coverage, check } = body
  const text = (field: string, before: string) => seen(field, before, redactText(before), MAX_TEXT_LENGTH)
  const tasks = (field: string, all: Task[]) =>
    all.map((one, index) => {
      const name = text(`${field}[${index}].name`, one.name)
      return name === one.name ? one : { ...one, name }
    })
  const message = error && text('error.message', error.message)
  const unchecked = coverage && tasks('coverage.unchecked', coverage.unchecked)
  const unwatched = coverage?.unwatched && tasks('coverage.unwatched', coverage.unwatched)
  const disagreement = check?.disagreement && text('check.disagreement', check.disagreement)

  const [first] = redacted
  if (first === undefined) return { body, warnings: [] }
  const more = redacted.length > 1 ? `; so did ${redacted.length - 1} more` : ''
  return {
    body: {
      ...body,
      files,
      ...(error && { error: { ...error, message } }),
      ...(coverage && { coverage: { ...coverage, unchecked, ...(unwatched && { unwatched }) } }),
      ...(disagreement && { check: { ...check, disagreement } }),
    },
    warnings: [`"${first}" held what looks like a secret, which was redacted${more}`],
  }
}
