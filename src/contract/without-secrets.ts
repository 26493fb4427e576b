import { redactDifference, redactText } from '../redaction/redact.ts'
import {
  MAX_DIFF_LENGTH,
  MAX_FILE_NAME_LENGTH,
  MAX_LINK_LENGTH,
  MAX_SHORT_TEXT_LENGTH,
  MAX_TEXT_LENGTH,
} from './limits.ts'

/** What is looked at of a report's body; `report.ts` has the whole. */
interface Body {
  readonly files: File[]
  readonly revision?: { readonly url?: string }
  readonly pipeline?: { readonly url?: string }
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
  readonly modified_by?: string
}

/** What any secret that is found in one short line has in it; most branches and reasons have none of it. */
const MAY_HOLD_A_SECRET = /[@=:$"'\s]|[^\s]{16}/

/**
 * The same report without the secrets that its texts hold. Reporters redact by themselves; whoever posts without one, or
 * with an older one, must not put a password into the database, the log and every answer all the same. What is left out
 * is marked without a fingerprint: the key for those is the reporter's.
 *
 * Names of files stay: they are what a file is known again by, and so do a commit, a branch and a run. A resource is named
 * by its task, in people's words.
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

  const text = (field: string, before: string) => seen(field, before, redactText(before), MAX_TEXT_LENGTH)
  const short = (field: string, before: string) =>
    MAY_HOLD_A_SECRET.test(before) ? seen(field, before, redactText(before), MAX_SHORT_TEXT_LENGTH) : before
  const link = (field: string, before: string) => seen(field, before, linkWithoutSecrets(before), MAX_LINK_LENGTH)

  const files = body.files.map((file, index) => {
    const { name, kind, diff, modified_by } = file
    if (diff === undefined && modified_by === undefined && kind !== 'resource') return file
    const without = {
      ...(kind === 'resource' && { name: seen(`files[${index}].name`, name, redactText(name), MAX_FILE_NAME_LENGTH) }),
      ...(diff !== undefined && { diff: seen(`files[${index}].diff`, diff, redactDifference(diff), MAX_DIFF_LENGTH) }),
      ...(modified_by !== undefined && { modified_by: short(`files[${index}].modified_by`, modified_by) }),
    }
    const isSame = (without.name ?? name) === name && without.diff === diff && without.modified_by === modified_by
    return isSame ? file : { ...file, ...without }
  })
  const { revision, pipeline, error, coverage, check } = body
  const tasks = (field: string, all: Task[]) =>
    all.map((one, index) => {
      const name = text(`${field}[${index}].name`, one.name)
      const reason = short(`${field}[${index}].reason`, one.reason)
      return name === one.name && reason === one.reason ? one : { ...one, name, reason }
    })
  const of = (field: string, part: { readonly url?: string }) =>
    part.url === undefined ? part : { ...part, url: link(`${field}.url`, part.url) }
  const source = revision && of('revision', revision)
  const pipe = pipeline && of('pipeline', pipeline)
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
      ...(source && { revision: source }),
      ...(pipe && { pipeline: pipe }),
      ...(error && { error: { ...error, message } }),
      ...(coverage && { coverage: { ...coverage, unchecked, ...(unwatched && { unwatched }) } }),
      ...(disagreement && { check: { ...check, disagreement } }),
    },
    warnings: [`"${first}" held what looks like a secret, which was redacted${more}`],
  }
}

/**
 * A link has to stay one that can be followed: no mark is put into it, but whoever is named before its host is left
 * out, and so is each parameter that holds a secret.
 */
function linkWithoutSecrets(url: string): string {
  const [, scheme = '', authority = '', path = '', query = '', fragment = ''] =
    /^(https?:\/\/)([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/.exec(url) ?? []
  if (scheme === '' || !(authority.includes('@') || query !== '' || fragment !== '')) return url
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  return `${scheme}${host}${path}${parameters(query)}${parameters(fragment)}`
}

function parameters(text: string): string {
  const all = text.slice(1).split('&')
  const kept = all.filter((one) => redactText(one) === one)
  return kept.length === all.length ? text : kept.length === 0 ? '' : text.charAt(0) + kept.join('&')
}
