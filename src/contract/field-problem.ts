import type { TSchema } from 'typebox'
import type { TLocalizedValidationError } from 'typebox/error'
import type { FieldProblem } from '../domain/fault.ts'
import { redactText } from '../redaction/redact.ts'

/** Names a field for people and for machines. */
export function problemAt(pointer: string, detail: string): FieldProblem {
  const field = pointer
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part.replaceAll('~1', '/').replaceAll('~0', '~')}`))
    .join('')
    .replace(/^[.]/, '')
  return { field: field || 'body', pointer, detail }
}

/** Says what is wrong with a field in terms of the field: what it must be, and what it is. */
export function describeError(
  error: TLocalizedValidationError,
  schema: TSchema,
  value: unknown,
  at: string,
): FieldProblem[] {
  const here = (detail: string) => [problemAt(at + error.instancePath, detail)]
  const found = valueAt(value, error.instancePath)

  switch (error.keyword) {
    case 'required':
      return error.params.requiredProperties.map((name) =>
        problemAt(`${at}${error.instancePath}/${name}`, 'is missing'),
      )
    case 'type':
      return here(`must be ${withArticle(String(error.params.type))}; got ${shown(found)}`)
    case 'enum':
      return here(`must be one of ${error.params.allowedValues.map(shown).join(', ')}; got ${shown(found)}`)
    case 'pattern':
      return here(`must be ${formAt(schema, error.schemaPath)}; got ${shown(found)}`)
    case 'maxLength':
      return here(`must not be longer than ${error.params.limit} characters`)
    case 'minLength':
      return here('must not be empty')
    case 'maxItems':
      return here(`must not have more than ${error.params.limit} entries`)
    case '~refine':
      // Of a difference nothing is repeated: what is not valid could not be redacted either.
      return here(error.instancePath.endsWith('/diff') ? error.message : `${error.message}; got ${shown(found)}`)
    default:
      return here(`${error.message}; got ${shown(found)}`)
  }
}

/** What a description says of a field's form, at its end: for whoever reads it, and for whoever breaks it. */
export function inForm(form: string): string {
  return `Must be ${form}.`
}

function formAt(schema: TSchema, path: string): string {
  const found = valueAt(schema, path.replace(/^#/, ''))
  const description = typeof found === 'object' && found !== null && 'description' in found ? found.description : ''
  return /Must be (.*)[.]$/.exec(String(description))?.[1] ?? 'valid'
}

function valueAt(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
      value,
    )
}

// Enough to recognise a value by; a whole hostile one has no business in an answer or a log.
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  // JSON has no word for the Infinity that 1e400 is read as.
  // A text is redacted as it came: line ends that were written down would no longer end its lines.
  const safe =
    typeof value === 'string'
      ? JSON.stringify(redactText(value.slice(0, MAX_READ)))
      : typeof value === 'number'
        ? String(value)
        : (JSON.stringify(value) ?? 'nothing')
  return safe.length > 60 ? `${safe.slice(0, 60).toWellFormed()}…` : safe
}

// What is cut from a secret is still a part of it, so it is redacted before.
const MAX_READ = 1_000

function withArticle(type: string): string {
  if (type === 'integer') return 'a whole number'
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`
}
